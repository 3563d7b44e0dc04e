#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/graph.h"
#include "ir/kinds.h"

namespace stair::passes {

/// What a loss holds an output against.
///   classes: integers, for outputs [N, classes, ...] one of each example, or of each position of it: i32 [N, ...]
///   values:  floats of the output's shape
///   input:   the model's own input (an autoencoder), which has the output's shape
enum class Target : std::uint8_t { classes, values, input };
/// The member `target` of losses that may be held against several: the first is the default.
ir::AttributeSpec target_spec(std::vector<std::string> choices);
/// That of a loss with these members, complete; classes where it has no such member.
Target target_of(const ir::Attributes& loss);
/// The members of a loss that may be held against values, with `mean` and `std`, by which output and values are standardized before.
std::vector<ir::AttributeSpec> standardizing(std::vector<ir::AttributeSpec> members);
/// What they say, one number or one for each element of dimension 1.
struct Standardization {
  std::vector<double> mean, std;
  bool says() const { return !mean.empty() || !std.empty(); }
};
/// Error where the numbers don't fit the output, or the target isn't values.
Standardization standardization_of(const ir::Attributes& loss, const ir::Type& output);
/// x · std + mean, or (x − mean) / std; the nodes are named after `name`.
ir::ValueId in_original_units(ir::Graph& graph, ir::ValueId x, const Standardization& by, const std::string& name);
ir::ValueId standardized(ir::Graph& graph, ir::ValueId x, const Standardization& by, const std::string& name);
/// The type of what outputs are held against.
ir::Type type_of(Target target, const ir::Type& output);

/// What a loss works with: it appends nodes to a training step.
struct LossContext {
  ir::Graph& graph;
  const ir::Attributes& options;  ///< the loss's members, complete
  ir::ValueId output;             ///< f32
  ir::ValueId expected;           ///< what it is held against, as the target says
  Target target;
  bool mixed = false;  ///< examples are mixtures of two: the loss appends an input for the other's labels and one for the own share

  /// A node "loss" over the output and `against`, with its one result: a mean over the batch, f32[1].
  ir::ValueId emit(const char* op, ir::ValueId against, ir::Attributes attributes = {}) const;
};

/// What training makes small: one file in passes/losses.
struct Loss {
  std::string name;
  std::string summary;
  std::vector<ir::AttributeSpec> attributes;
  std::function<ir::ValueId(const LossContext&)> append;
  ir::Bounds targets = {};   ///< of the floats that it may be held against
  bool of_mixtures = false;  ///< it may be of mixtures
};

using LossRegistry = ir::Registry<Loss>;
const LossRegistry& losses();

/// The option `loss` of append_loss, of the first output, and the key of an experiment.
const ir::AttributeSpec& loss_spec();
/// In its place: `losses`, a list of such, each with the name of its `output` and its `weight` in the sum.
const ir::AttributeSpec& losses_spec();

/// What the outputs of a training step are called that say a loss's mean and, of classes, how many labels are met: "loss" and "correct", of
/// several losses behind a colon whose output they are of ("loss:angle"; "loss" is their sum).
std::string loss_output(const std::string& of);
std::string correct_output(const std::string& of);

}  // namespace stair::passes
