#include "passes/loss.h"

namespace stair::passes::losses_ {

void cross_entropy(LossRegistry& registry) {
  ir::Bounds share = ir::within(0, 1);
  share.below_high = true;
  registry.add(
      {.name = "cross_entropy",
       .summary = "cross-entropy of softmax",
       .attributes = {{.name = "label_smoothing",
                       .doc = "share of the target that is spread over all classes (Szegedy 2016, section 7)",
                       .fallback = 0.0,
                       .bounds = share},
                      {.name = "class_weights",
                       .doc =
                           "how much the examples of each class count, one number a class; the sum is divided by the number of labels, so "
                           "that shards add up; none: 1",
                       .fallback = std::vector<double>(),
                       .bounds = ir::at_least(0)}},
       .append = [](const LossContext& c) {
         return c.emit("cross_entropy", c.expected,
                       {{"label_smoothing", c.options.at("label_smoothing")}, {"class_weights", c.options.at("class_weights")}});
       }});
}

}  // namespace stair::passes::losses_
