#include "passes/loss.h"

namespace stair::passes::losses_ {

void cross_entropy(LossRegistry& registry) {
  ir::Bounds share = ir::within(0, 1);
  share.below_high = true;
  registry.add({.name = "cross_entropy",
                .summary = "cross-entropy of softmax",
                .attributes = {{.name = "label_smoothing",
                                .doc = "share of the target that is spread over all classes (Szegedy 2016, section 7)",
                                .fallback = 0.0,
                                .bounds = share}},
                .append = [](const LossContext& c) {
                  return c.emit("cross_entropy", c.labels, {{"label_smoothing", c.options.at("label_smoothing")}});
                }});
}

}  // namespace stair::passes::losses_
