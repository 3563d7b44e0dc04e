#include <utility>

#include "ir/error.h"
#include "passes/loss.h"

namespace stair::passes::losses_ {
namespace {

// Of labels that are shares of two classes.
ir::ValueId append_mixed(const LossContext& c) {
  const ir::Type& type = c.graph.type(c.output);
  const std::int64_t classes = type.shape.size() == 2 ? type.shape[1] : 0;
  if (classes == 0 || !c.options.numbers("class_weights").empty())
    throw Error("'mixup' mixes labels, expected outputs [N, classes] and no 'class_weights'");
  const ir::Type labels = c.graph.type(c.expected);
  const auto name = [&](const char* of) { return c.graph.unique_name(c.graph.derived("", of)); };
  const auto emit = [&](const char* op, std::vector<ir::ValueId> of, ir::Attributes attributes = {}) {
    return c.graph.emit(op, std::move(of), std::move(attributes), name("mixed"));
  };
  const ir::ValueId partners = c.graph.add_input(name("partners"), labels);
  const ir::ValueId share = c.graph.add_input(name("shares"), {ir::DType::f32, {labels.shape[0], 1}});
  const ir::Attributes columns{{"classes", classes}};
  const ir::ValueId own = emit("one_hot", {c.expected}, columns);
  const ir::ValueId other = emit("one_hot", {partners}, columns);
  ir::ValueId target = emit("add", {other, emit("mul", {emit("sub", {own, other}), share})});
  if (const double smoothing = c.options.number("label_smoothing"); smoothing > 0) {
    const auto number = [&](double value) { return emit("constant", {}, {{"value", value}}); };
    target = emit("add", {emit("mul", {target, number(1 - smoothing)}), number(smoothing / static_cast<double>(classes))});
  }
  const ir::ValueId each =
      emit("reduce_sum", {emit("mul", {target, emit("negate", {emit("log_softmax", {c.output})})})}, {{"axes", ir::Shape{1}}});
  const ir::ValueId mean = emit("reduce_mean", {each}, {{"axes", ir::Shape{0}}});
  return c.graph.emit("weighted_sum", {mean}, {{"weights", std::vector<double>{1}}}, c.graph.derived("", "loss"));
}

}  // namespace

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
       .append =
           [](const LossContext& c) {
             if (c.mixed) return append_mixed(c);
             return c.emit("cross_entropy", c.expected,
                           {{"label_smoothing", c.options.at("label_smoothing")}, {"class_weights", c.options.at("class_weights")}});
           },
       .of_mixtures = true});
}

}  // namespace stair::passes::losses_
