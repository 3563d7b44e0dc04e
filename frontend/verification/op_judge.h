#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frontend/verification/float_bounds.h"
#include "ir/error.h"
#include "ir/kinds.h"
#include "ir/op.h"
#include "passes/pass.h"

namespace stair::verification {

struct Constants;
struct JudgeSite;
struct JudgeWeights;
struct Interval;
class SiteCheck;

/// The integer that an element of a value has to be.
using Expected = std::function<Interval(std::int64_t i)>;

/// A range that a quantizer may have, each end to within `error`.
struct JudgedRange {
  double low, high, error = 0;
};
/// For each scale those that it may be of: more than one where rounding decides between them.
using JudgedRanges = std::vector<std::vector<JudgedRange>>;

/// What `verify` knows of an op (docs/numerics.md, N-CHECK): formulas of its own, which share nothing with what they judge. Each file of
/// frontend/verification/judges adds those of some ops; an op without the one that is asked for is an Error. What holds of all ops of a
/// sort (moves, sums, clamps) follows from their integer form instead.
struct OpJudge {
  std::string name;  ///< the op's

  /// An op of floats: what float32 may be off (float_bounds.h); absent where nothing is rounded.
  std::function<ir::ValueId(BoundedNode&)> bound = {};
  /// A normalization by itself: factor and shift of a channel, appended to the graph in double precision. The operands are the node's.
  std::function<std::pair<Bounded, Bounded>(ir::Graph&, const ir::Node&, const std::vector<Bounded>&)> affine = {};

  /// What makes a range of states or weights: the range.
  std::function<JudgedRanges(const Constants&, const ir::Node&)> ranges = {};
  /// What makes scale and zero point of a quantizer: judges them, under the quantized value's name.
  std::function<void(Constants&, const ir::Node&, const std::string& name, const passes::Integers&)> scales = {};
  /// A quantizer: judges the weights' integers, scale and zero point.
  std::function<void(Constants&, const JudgeWeights&)> weights = {};
  bool exact = false;  ///< a quantizer: float32 holds the numbers that its integers stand for

  /// An op that yields integers of activations.
  struct Activations {
    /// What they are made of: floats; a sum that a layer or an average has; the integers of one operand (and its parameters), or of two.
    enum class Reads : std::uint8_t { floats, sum, integers, pair };
    Reads reads = Reads::floats;
    std::function<Expected(const SiteCheck&)> expected = {};
    /// Judges the constants that it reads beside scales and zero points, and those that they are made of.
    std::function<void(Constants&, const JudgeSite&)> constants = {};
  };
  std::optional<Activations> activations = {};
};

using OpJudgeRegistry = ir::Registry<OpJudge>;
const OpJudgeRegistry& op_judges();

/// What the judge of the node's op says; Error where there is none that does.
template <class Member>
const Member& judged_by(const ir::Node& node, Member OpJudge::*member) {
  const OpJudge* judge = op_judges().find(node.op->name);
  if (judge == nullptr || !(judge->*member)) throw Error("verify has no judge of the op '" + node.op->name + "' ('" + node.name + "')");
  return judge->*member;
}

/// The operand of that name, by the op's schema; absent where it is left out, or the op has none.
ir::ValueId operand_named(const ir::Node& node, std::string_view name);

}  // namespace stair::verification
