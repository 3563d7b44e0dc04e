#pragma once

#include <cmath>
#include <cstdint>

#include "ir/graph.h"

namespace stair::backends {

/// Op batch_norm over channels of n elements: what follows from a channel's mean and biased variance.
class BatchStatistics {
 public:
  BatchStatistics(const ir::Node& node, std::int64_t n)
      : eps_(static_cast<float>(node.attributes.number("eps"))),
        momentum_(static_cast<float>(node.attributes.number("momentum"))),
        rest_(static_cast<float>(1 - node.attributes.number("momentum"))),
        unbias_(n > 1 ? static_cast<float>(n) / static_cast<float>(n - 1) : 1.0F) {}

  struct Channel {
    float new_mean, new_var;  ///< the running ones
    float inv_std;
  };
  Channel of(float mean, float variance, float running_mean, float running_var) const {
    return {rest_ * running_mean + momentum_ * mean, rest_ * running_var + momentum_ * (unbias_ * variance),
            1.0F / std::sqrt(variance + eps_)};
  }

 private:
  float eps_, momentum_, rest_, unbias_;
};

}  // namespace stair::backends
