#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/numerics.h"

namespace stair::passes {

/// How a model is quantized: a value, JSON in (docs/recipes.md), JSON out, stored in every checkpoint.
struct Recipe {
  enum class Granularity : std::uint8_t { per_tensor, per_channel };
  enum class WeightMethod : std::uint8_t { uniform, binary };
  enum class ObserverKind : std::uint8_t { min_max, moving_average };
  enum class Estimator : std::uint8_t { plain, clipped };    ///< straight-through: identity, or zero outside the range
  enum class Backward : std::uint8_t { quantized, latent };  ///< which weights the backward pass multiplies by
  enum class BiasKind : std::uint8_t { int32, float32 };     ///< N-BIAS
  enum class Requantization : std::uint8_t { floating, fixed_point, power_of_two };  ///< N-REQ
  enum class Fold : std::uint8_t { scale, weight };                                  ///< N-BN-SCALE, N-BN-WEIGHT

  struct Weights {
    WeightMethod method = WeightMethod::uniform;
    int bits = 8;  ///< 2 to 8
    Granularity granularity = Granularity::per_channel;
    bool narrow_range = true;
    bool stochastic = false;       ///< binary: ±1 by probability hard_sigmoid(w) instead of sign (Courbariaux 2015, equation 2)
    bool binary_inference = true;  ///< binary: evaluate and deploy with ±1; false keeps the latent weights (Courbariaux 2015, section 2.6)
    double clip = 0;               ///< latent weights are clipped to [-clip, clip] after each update; 0: not
    bool glorot_lr_scale = false;  ///< learning rate times the inverse Glorot coefficient, for sgd times its square (Courbariaux 2015, 2.5)
  };
  struct Activations {
    int bits = 8;            ///< 2 to 8; 0: activations stay float
    bool symmetric = false;  ///< signed with zero point 0 instead of unsigned affine
    ObserverKind observer = ObserverKind::moving_average;
    double momentum = 0.01;  ///< moving average: share of the new batch
  };
  /// Overrides for the layers whose name matches a pattern with '*' and '?'; of several that set the same, the last one wins. The graph's
  /// inputs are matched by their names.
  struct Override {
    std::string pattern;
    std::optional<int> weight_bits;
    std::optional<int> activation_bits;  ///< of the layer's output
    std::optional<bool> skip;            ///< the layer computes in float, on dequantized operands
  };

  std::string name = "int8";
  Weights weights;
  Activations activations;
  BiasKind bias = BiasKind::int32;
  Requantization requantization = Requantization::floating;
  Estimator estimator = Estimator::clipped;
  Backward backward = Backward::quantized;
  Fold fold = Fold::scale;
  bool integer_norms = true;     ///< batch-norm with nothing to fold into runs on integers (N-AFFINE); false: in float
  bool quantize_output = false;  ///< quantize the graph's outputs too instead of yielding floats (N-LOGITS)
  std::vector<Override> overrides;
  // The schedule of a qat stage. Epochs may be fractions; negative: never.
  std::int64_t activation_delay_steps = 0;  ///< steps that quantize weights only, while observers watch
  double freeze_observers_epoch = -1;       ///< ranges stay as they are from this epoch on
  double freeze_batch_norm_epoch = -1;      ///< running statistics instead of batch statistics from this epoch on

  int weight_bits_of(std::string_view layer) const;
  /// Of a quantizer that layers share: the last override that matches any of them wins.
  int activation_bits_of(const std::vector<std::string>& layers) const;
  bool skips(std::string_view layer) const;
  /// [lo, hi] of a weight or activation of so many bits under this recipe (N-PARAM).
  ir::Range weight_range(int bits) const;
  ir::Range activation_range(int bits) const;
};

/// Whether the name matches a pattern with '*' (any number of characters) and '?' (one).
bool matches_pattern(std::string_view pattern, std::string_view name);

/// Throws Error for values that are out of range or don't go together, naming the JSON pointer within the recipe, what was found and
/// expected.
void validate(const Recipe& recipe);

/// From JSON text: a name of a built-in recipe as a JSON string ("\"jacob2017\""), or an object; an object may name a built-in as "base"
/// and change parts of it. Unknown keys and values are Errors with JSON pointer and nearest name. The result is validated.
Recipe recipe_from_json(std::string_view json);
/// Complete JSON: recipe_from_json(to_json(r)) is r.
std::string to_json(const Recipe& recipe);

/// "int8" (default), "classic", "jacob2017", "binaryconnect", "binaryconnect_stochastic".
std::vector<std::string> recipe_names();

}  // namespace stair::passes
