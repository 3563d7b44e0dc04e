#pragma once

#include <string>
#include <string_view>

#include "ir/graph.h"

namespace stair::ir {

/// The text form of a graph (.sir, docs/format-sir.md), complete: parse(print(g)) is g, and print(parse(print(g))) == print(g).
///
///   sir 1
///   graph "lenet"
///   %x = input : f32[64,1,28,28]
///   %conv1.weight = state parameter uniform(0.2) : f32[32,1,5,5]
///   %conv1 = conv2d(%x, %conv1.weight, _) {padding=[2,2,2,2], stride=[1,1]} : f32[64,32,28,28]
///   %pool1, %pool1.index = max_pool(%conv1) {kernel=[2,2]} : f32[64,32,14,14], u8[64,32,14,14]
///   output logits = %fc2
///   update %conv1.weight = %sgd
///
/// Attributes at their defaults are left out. Numbers are printed with the fewest digits that read back to the same value and always
/// carry a point or an exponent; '#' starts a comment; `_` is an absent operand.
std::string print(const Graph& graph);

/// Reads the text form. `source` names the text in errors: "SOURCE:LINE:COLUMN: what was found, what was expected (nearest name)".
/// Throws Error for a newer version too. The types written in the text must equal the inferred ones.
Graph parse(std::string_view text, std::string_view source);

}  // namespace stair::ir
