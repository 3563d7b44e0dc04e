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
