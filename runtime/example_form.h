#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/json.h"

namespace stair::runtime {

/// What the examples of a model's input are like.
struct ExampleForm {
  std::string element = {};  ///< "u8", "f32", or "i32" of indices; "" in files that don't say
  /// Pixels that the shorter side of pictures of other sizes is scaled to (read_scaled_picture()), before the middle of them is cut out;
  /// none: they have the size of the model's input, or the file doesn't say.
  std::optional<std::int64_t> shorter_side = {};
};

/// Its keys in the JSON of checkpoints and artifacts, what they say of it, and the other way round.
const std::vector<ir::AttributeSpec>& example_form_keys();
ExampleForm example_form_of(const ir::Attributes& keys);
ir::Json to_json(const ExampleForm& form);

}  // namespace stair::runtime
