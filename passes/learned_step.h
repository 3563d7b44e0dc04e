#pragma once

#include <cstdint>

#include "ir/numerics.h"
#include "passes/quantizer.h"

namespace stair::passes {

/// Simulates integers in the range, of zero point 0, whose steps are trained with the weights (N-LSQ): the state NAME.step, f32[steps],
/// along the value's first axis where there are several. A step's first value follows from what it quantizes (Esser 2020, section 2.1);
/// its gradient is equation 3 times 1 / sqrt(sharing * range.hi), where `sharing` values of an example share it (section 2.2).
/// `attributes` are of the op that simulates. A step of weights follows them (State, `follows`).
ir::ValueId learned_step(const QuantizerContext& context, bool of_weights, std::int64_t steps, ir::Range range, std::int64_t sharing,
                         ir::Attributes attributes);

}  // namespace stair::passes
