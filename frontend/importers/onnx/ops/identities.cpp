#include <fmt/format.h>

#include "frontend/importers/onnx/broadcasting.h"

namespace stair::frontend::onnx::ops {
namespace {

void yield_as_it_is(NodeContext& c) {
  c.yield(c.input(0));
}

// In inference.
void import_dropout(NodeContext& c) {
  c.ignore({"ratio", "seed", "is_test"});
  const bool trains = c.has(2) && c.constant(2, "training_mode").number(0) != 0;
  c.expect(!trains, "its training_mode is true, expected a model for inference");
  c.yield(c.input(0));
}

ElementType type_asked_for(NodeContext& c) {
  c.ignore({"saturate"});
  return static_cast<ElementType>(c.integer("to", 0));
}

void import_cast(NodeContext& c) {
  const ElementType to = type_asked_for(c);
  // All is computed in float: of the shorter type there is no rounding, and of the longer one no more digits.
  const bool is_float = to == ElementType::f32 || to == ElementType::f16 || to == ElementType::f64;
  Value value = c.input(0);
  const bool indices = !is_real(value.type) && (to == ElementType::i32 || to == ElementType::i64);
  c.expect(is_float || indices, fmt::format("makes {} of what follows from the model's input, expected float", to_string(to)));
  value.type = indices ? to : ElementType::f32;
  c.yield(std::move(value));
}

void fold_cast(NodeContext& c) {
  const ElementType to = type_asked_for(c);
  const Constant& from = c.constant(0, "input");
  c.expect(to_string(to).find("type ") == std::string::npos && to != ElementType::text, fmt::format("makes {}", to_string(to)));
  Constant made = zeros(to, from.shape);
  for (std::int64_t i = 0; i < made.count(); ++i) {
    if (made.is_real() || from.is_real()) {
      made.set(i, to == ElementType::boolean ? static_cast<double>(from.number(i) != 0) : from.number(i));
    } else {
      const std::int64_t value = from.integers[static_cast<std::size_t>(i)];
      made.integers[static_cast<std::size_t>(i)] = to == ElementType::boolean ? static_cast<std::int64_t>(value != 0) : value;
    }
  }
  c.yield(std::move(made));
}

}  // namespace

void identities(OperatorRegistry& registry) {
  registry.add({"Identity", "nothing", yield_as_it_is});
  registry.add({"Dropout", "nothing", import_dropout});
  registry.add({"Cast", "nothing; to float, float16 or double, which are computed as float, and of integers to int32 or int64", import_cast,
                fold_cast});
}

}  // namespace stair::frontend::onnx::ops
