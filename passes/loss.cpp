#include "passes/loss.h"

#include <array>
#include <utility>

#include "ir/enum_names.h"

namespace stair::passes {
namespace {

constexpr std::array<std::pair<Target, std::string_view>, 3> targets{
    {{Target::classes, "classes"}, {Target::values, "values"}, {Target::input, "input"}}};

}  // namespace

const ir::AttributeSpec& loss_spec() {
  static const ir::AttributeSpec spec{.name = "loss",
                                      .doc = "what training makes small: the mean over a batch",
                                      .fallback = ir::Object({{"kind", std::string("cross_entropy")}}),
                                      .kinds = [] { return ir::kinds_of(losses()); }};
  return spec;
}

const ir::AttributeSpec& losses_spec() {
  static const ir::AttributeSpec spec{
      .name = "losses",
      .doc = "in place of loss: one for each output that is trained; their sum, weighted, is what training makes small",
      .fallback = std::vector<ir::Object>(),
      .members = {{.name = "output", .doc = "of the model", .fallback = std::string(), .required = true},
                  {.name = "weight", .doc = "in the sum", .fallback = 1.0, .bounds = ir::above(0)}},
      .kinds = [] { return ir::kinds_of(losses()); }};
  return spec;
}

std::string loss_output(const std::string& of) {
  return of.empty() ? "loss" : "loss:" + of;
}

std::string correct_output(const std::string& of) {
  return of.empty() ? "correct" : "correct:" + of;
}

ir::AttributeSpec target_spec(std::vector<std::string> choices) {
  return ir::choice("target", "what the output is held against: classes, float values of its shape, or the model's input",
                    std::move(choices));
}

Target target_of(const ir::Attributes& loss) {
  return loss.has("target") ? ir::named_in(targets, loss.text("target"), "target") : Target::classes;
}

ir::Type type_of(Target target, const ir::Type& output) {
  if (target != Target::classes) return output;
  ir::Shape labels = output.shape;
  labels.erase(labels.begin() + 1);
  return {ir::DType::i32, labels};
}

ir::ValueId LossContext::emit(const char* op, ir::ValueId against, ir::Attributes attributes) const {
  return graph.emit(op, {output, against}, std::move(attributes), graph.derived("", "loss"));
}

}  // namespace stair::passes
