#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/json.h"
#include "ir/numerics.h"

namespace stair::passes {

/// How a model is quantized (docs/recipes.md): a value. Its keys are attributes over `recipe_spec`, so that one reader takes them from
/// JSON, and a pass as its option; every checkpoint holds them as JSON.
class Recipe {
 public:
  /// The built-in "int8".
  Recipe();
  /// Completes the keys by those of their base. Error "WHERE/POINTER: …" for keys that don't go together.
  explicit Recipe(ir::Attributes keys, const std::string& where = "recipe ");

  const ir::Attributes& keys() const { return keys_; }
  /// Another value for a key, or for a member of the object `object`.
  void set(const std::string& key, ir::Attribute value);
  void set(const std::string& object, const std::string& member, ir::Attribute value);

  const std::string& name() const { return keys_.text("name"); }
  const ir::Attributes& weights() const { return keys_.object("weights"); }
  const ir::Attributes& activations() const { return keys_.object("activations"); }
  bool quantizes_activations() const { return activations().integer("bits") > 0; }
  bool integer_norms() const { return keys_.object("batch_norm").text("alone") == "integer"; }
  bool integer_rows() const { return keys_.text("normalization") == "integer"; }
  bool quantizes_output() const { return keys_.boolean("quantize_output"); }
  bool powers_of_two() const { return keys_.text("requantization") == "power_of_two"; }
  /// "scale" (N-BN-SCALE) or "weight" (N-BN-WEIGHT).
  const std::string& fold() const { return keys_.object("batch_norm").text("fold"); }

  // The schedule of a qat stage. Epochs may be fractions; negative: never.
  std::int64_t activation_delay_steps() const { return keys_.object("schedule").integer("activation_delay_steps"); }
  double freeze_observers_epoch() const { return keys_.object("schedule").number("freeze_observers_epoch"); }
  double freeze_batch_norm_epoch() const { return keys_.object("schedule").number("freeze_batch_norm_epoch"); }

  /// Of layers whose name matches an override's pattern; of several that set the same, the last one wins. 0: the weights' method has no
  /// such number.
  int weight_bits_of(std::string_view layer) const;
  /// Of a quantizer that layers share: the last override that matches any of them wins. The graph's inputs are matched by their names.
  int activation_bits_of(const std::vector<std::string>& layers) const;
  /// The layer computes in float, on dequantized operands.
  bool skips(std::string_view layer) const;
  /// [lo, hi] of an activation of so many bits (N-PARAM).
  ir::Range activation_range(int bits) const;

 private:
  ir::Attributes keys_;
};

/// [lo, hi] of weights of so many bits (N-PARAM).
ir::Range weight_range(int bits, bool narrow);

/// The keys of a recipe: the experiment's key, and the option of insert_fake_quantize. Its kinds are the built-in recipes, which are told
/// by the key "base".
const ir::AttributeSpec& recipe_spec();

/// Whether the name matches a pattern with '*' (any number of characters) and '?' (one).
bool matches_pattern(std::string_view pattern, std::string_view name);

/// From JSON: a name of a built-in recipe, or an object. Error "SOURCE POINTER/…: …" with what was found and expected; `pointer` is the
/// place of the recipe. Keys of a method or observer that isn't chosen are checked and passed over, since older versions wrote all of them;
/// `idle` takes a message for each.
Recipe read_recipe(const ir::Json& json, const std::string& source, const std::string& pointer, std::vector<std::string>* idle = nullptr);
/// From JSON text, as it is stored: errors begin with "recipe".
Recipe recipe_from_json(std::string_view text);
/// Whether stored JSON is of a time when recipes had `normalization`: before, softmax ran in float under all of them.
bool states_normalization(std::string_view text);
/// Complete JSON: recipe_from_json(to_json(r)) is r.
std::string to_json(const Recipe& recipe);

}  // namespace stair::passes
