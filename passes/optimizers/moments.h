#pragma once

#include "passes/optimizer.h"

// What Adam and AdamW share.

namespace stair::passes::optimizers_ {

inline std::vector<ir::AttributeSpec> moment_members() {
  return {{.name = "beta1", .doc = "decay of the first moment", .fallback = 0.9, .bounds = ir::within(0, 0.9999999)},
          {.name = "beta2", .doc = "decay of the second moment", .fallback = 0.999, .bounds = ir::within(0, 0.9999999)},
          {.name = "eps", .doc = "added to the root of the second moment", .fallback = 1e-8, .bounds = ir::at_least(1e-37)}};
}

inline ir::ValueId next_by_moments(ParameterUpdate& u, bool decoupled) {
  const ir::ValueId first = u.slot("moment1");
  const ir::ValueId second = u.slot("moment2");
  const std::vector<ir::ValueId> next = u.emit("adam", {u.parameter, u.gradient, u.learning_rate, first, second, u.step},
                                               {{"beta1", u.options.at("beta1")},
                                                {"beta2", u.options.at("beta2")},
                                                {"eps", u.options.at("eps")},
                                                {"weight_decay", u.weight_decay},
                                                {"decoupled", decoupled}});
  u.update(first, next[1]);
  u.update(second, next[2]);
  return next[0];
}

}  // namespace stair::passes::optimizers_
