#pragma once

namespace stair::ir {

/// The version of the arithmetic that this program trains and exports in; checkpoints and artifacts carry theirs (docs/numerics.md,
/// "Versions").
inline constexpr int arithmetic_version = 2;

}  // namespace stair::ir
