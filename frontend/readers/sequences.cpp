#include "frontend/readers/sequences.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/readers/model_keys.h"
#include "ir/error.h"

namespace stair::readers {
namespace {

using ir::ValueId;

const ir::Attributes height{{"axes", std::vector<std::int64_t>{2}}};

}  // namespace

ValueId Sequences::image(ValueId value) {
  if (contains(value)) return value;
  const auto [it, first] = unsqueezed_.emplace(value, ir::absent);
  if (first) it->second = graph_.emit("unsqueeze", {value}, height, graph_.derived(graph_.value(value).name, "image"));
  return it->second;
}

ValueId Sequences::plain(ValueId value) {
  if (!contains(value)) return value;
  const auto [it, first] = squeezed_.emplace(value, ir::absent);
  if (first) it->second = graph_.emit("squeeze", {value}, height, graph_.derived(graph_.value(value).name, "sequence"));
  return it->second;
}

bool Sequences::reads_images(const ir::OpSchema& op, const std::vector<ValueId>& inputs) const {
  if (!std::all_of(inputs.begin(), inputs.end(), [&](ValueId input) { return contains(input); })) return false;
  // Of others attributes may name axes.
  const bool training_only = op.inference && op.inference->op.empty();
  if (!op.attributes.empty() && op.integer.kind != ir::IntegerForm::Kind::unary && !training_only) return false;
  if (!op.dimensions) return false;
  std::vector<const ir::Type*> types;
  for (const ValueId input : inputs) types.push_back(&graph_.type(input));
  types.resize(std::max(types.size(), op.operands.size()), nullptr);
  const ir::OpSchema::Dimensions dimensions = op.dimensions({op, "", {}, types});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (std::size_t d = 0; d < dimensions[i].size(); ++d) {
      if (dimensions[i][d] != static_cast<std::int64_t>(d)) return false;
    }
  }
  return true;
}

void Sequences::widen(const ir::OpSchema& op, ir::Attributes& attributes) {
  for (const char* name : {"kernel", "stride", "dilation", "output_padding", "padding"}) {
    const std::size_t sides = times_repeated(op, name) / 2;
    if (sides == 0 || !attributes.has(name)) continue;
    std::vector<std::int64_t> list = attributes.integers(name);
    if (list.empty() && std::string_view(name) == "stride") continue;
    if (list.size() != sides) {
      throw Error(
          fmt::format("{} is {}, expected {}", name, ir::to_string(list), sides == 1 ? "one number" : "one number or two [begin, end]"));
    }
    // Of an image of height 1: a window of height 1, without padding above and below.
    const std::int64_t of_height = std::string_view(name).ends_with("padding") ? 0 : 1;
    if (sides == 1) {
      list = {of_height, list[0]};
    } else {
      list = {0, list[0], 0, list[1]};
    }
    attributes.set(name, std::move(list));
  }
}

}  // namespace stair::readers
