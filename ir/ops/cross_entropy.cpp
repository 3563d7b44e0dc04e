#include <fmt/format.h>

#include <algorithm>

#include "ir/ops/loss.h"

namespace stair::ir::ops {
namespace {

void check_class_weights(const InferContext& c, const Shape& logits) {
  const std::vector<double>& weights = c.attributes.numbers("class_weights");
  c.expect(weights.empty() || weights.size() == static_cast<std::size_t>(logits[1]),
           fmt::format("class_weights has {} numbers, expected one for each of {} classes", weights.size(), logits[1]));
  const bool counts = std::any_of(weights.begin(), weights.end(), [](double weight) { return weight > 0; });
  c.expect(weights.empty() || counts, "class_weights are all 0, expected one above: nothing would be trained");
}

}  // namespace

void cross_entropy(OpRegistry& registry) {
  add_loss(registry,
           {.name = "cross_entropy",
            .summary = "mean over the labels of -w[label] * sum over c of t[c] * log_softmax(x)[c]",
            .operands = logits_and_labels(),
            .attributes = {{"label_smoothing", "share of the target spread over all classes (Szegedy 2016, section 7)", 0.0, false,
                            within(0, 1)},
                           {"class_weights", "w, one a class; none: 1", std::vector<double>(), false, at_least(0)}},
            .infer =
                [](const InferContext& c) {
                  std::vector<Type> types = infer_classes(c);
                  check_class_weights(c, c.shape(0));
                  return types;
                }},
           "w[label] * (softmax(x) - t) * dloss / labels", [](const InferContext& c) {
             std::vector<Type> types = infer_classes_gradient(c);
             check_class_weights(c, c.shape(1));
             return types;
           });
}

}  // namespace stair::ir::ops
