#include "passes/loss.h"

#include <array>
#include <cmath>
#include <utility>

#include "ir/enum_names.h"
#include "ir/error.h"

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

std::vector<ir::AttributeSpec> standardizing(std::vector<ir::AttributeSpec> members) {
  members.push_back({.name = "mean",
                     .doc = "of values, by which they and the output are standardized for the loss, one number or one for each; what the "
                            "model yields is in their own units",
                     .fallback = std::vector<double>()});
  members.push_back({.name = "std", .doc = "likewise their standard deviation", .fallback = std::vector<double>(), .bounds = ir::above(0)});
  return members;
}

Standardization standardization_of(const ir::Attributes& loss, const ir::Type& output) {
  if (!loss.has("mean")) return {};
  Standardization made{loss.numbers("mean"), loss.numbers("std")};
  if (made.says() && target_of(loss) != Target::values) throw Error("'mean' and 'std' are of values, expected the target 'values'");
  for (const auto& [key, numbers] : {std::pair{"mean", &made.mean}, std::pair{"std", &made.std}}) {
    const std::int64_t width = output.shape.size() < 2 ? 1 : output.shape[1];
    if (numbers->size() > 1 && static_cast<std::int64_t>(numbers->size()) != width)
      throw Error("'" + std::string(key) + "' has " + std::to_string(numbers->size()) + " numbers, expected 1 or " + std::to_string(width));
    for (const double number : *numbers) {
      const auto single = static_cast<float>(number);
      if (!std::isfinite(single) || (numbers == &made.std && !(single > 0)))
        throw Error("'" + std::string(key) + "' holds " + std::to_string(number) + ", expected what binary32 holds");
    }
  }
  return made;
}

namespace {

// Broadcasts over what the numbers are of.
ir::ValueId numbers_of(ir::Graph& graph, const std::vector<double>& numbers, std::size_t rank, const std::string& name) {
  ir::Shape shape(rank, 1);
  if (rank > 1) shape[1] = static_cast<std::int64_t>(numbers.size());
  return graph.emit("constant", {}, {{"values", numbers}, {"shape", shape}}, name);
}

}  // namespace

ir::ValueId in_original_units(ir::Graph& graph, ir::ValueId x, const Standardization& by, const std::string& name) {
  const std::size_t rank = graph.type(x).shape.size();
  const auto derived = [&](const char* suffix) { return graph.derived(name, suffix); };
  if (!by.std.empty()) x = graph.emit("mul", {x, numbers_of(graph, by.std, rank, derived("std"))}, {}, derived("times_std"));
  if (!by.mean.empty()) x = graph.emit("add", {x, numbers_of(graph, by.mean, rank, derived("mean"))}, {}, derived("plus_mean"));
  return x;
}

ir::ValueId standardized(ir::Graph& graph, ir::ValueId x, const Standardization& by, const std::string& name) {
  const std::size_t rank = graph.type(x).shape.size();
  const auto derived = [&](const char* suffix) { return graph.unique_name(graph.derived(name, suffix)); };
  if (!by.mean.empty()) x = graph.emit("sub", {x, numbers_of(graph, by.mean, rank, derived("mean"))}, {}, derived("less_mean"));
  if (!by.std.empty()) x = graph.emit("div", {x, numbers_of(graph, by.std, rank, derived("std"))}, {}, derived("by_std"));
  return x;
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
