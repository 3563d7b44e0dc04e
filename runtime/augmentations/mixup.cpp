#include <algorithm>
#include <cmath>

#include "ir/random.h"
#include "runtime/augmentation.h"

namespace stair::runtime::augmentations_ {
namespace {

// Beta(alpha, alpha) of two uniform numbers that are drawn until they go together (Jöhnk 1964), by their logarithms: small alphas make
// numbers that float64 doesn't hold.
double beta(const ir::Attribute& setting, std::uint64_t random) {
  const double alpha = std::get<double>(setting);
  for (std::uint64_t attempt = 0;; ++attempt) {
    const auto log_of_power = [&](std::uint64_t which) {
      return std::log(uniform(ir::random_bits(random, which, 0, attempt), 0, 1) + 0x1p-54) / alpha;
    };
    const double x = log_of_power(0);
    const double y = log_of_power(1);
    const double log_of_sum = std::max(x, y) + std::log1p(std::exp(-std::abs(x - y)));
    if (log_of_sum <= 0) return std::exp(x - log_of_sum);
  }
}

}  // namespace

void mixup(AugmentationRegistry& registry) {
  registry.add({.name = "mixup",
                .summary = "mixed with another example, and so are their labels, by a share of Beta(a, a) (Zhang et al. 2018)",
                .setting = {.name = "", .doc = "", .fallback = 0.0, .bounds = ir::within(0, 1)},
                .streams = {112, 113},
                .mixes = beta});
}

}  // namespace stair::runtime::augmentations_
