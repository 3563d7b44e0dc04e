#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/graph.h"
#include "ir/kinds.h"

namespace stair::passes {

/// What an optimizer works with for one parameter: it appends nodes to a training step. Values are of that step's graph.
class ParameterUpdate {
 public:
  ParameterUpdate(ir::Graph& graph, const ir::Attributes& options, ir::ValueId parameter);

  /// The optimizer's members, complete.
  const ir::Attributes& options;
  const ir::ValueId parameter;
  ir::ValueId gradient = ir::absent;       ///< f32 of the parameter's shape
  ir::ValueId learning_rate = ir::absent;  ///< f32[1]
  ir::ValueId step = ir::absent;           ///< steps done before this one, i64[1]
  double weight_decay = 0;                 ///< 0 for parameters that don't decay

  /// A state NAME of the parameter's shape, 0 at first: a momentum, a moment.
  ir::ValueId slot(const char* name);
  /// The results of a node that computes the parameter's next value.
  std::vector<ir::ValueId> emit(std::string_view op, std::vector<ir::ValueId> operands, ir::Attributes attributes);
  /// The slot's value after the step.
  void update(ir::ValueId slot, ir::ValueId value);

 private:
  ir::Graph& graph_;
};

/// How parameters follow their gradients: one file in passes/optimizers. All optimizers have the members `optimizer_members` as well.
struct Optimizer {
  std::string name;
  std::string summary;
  std::vector<ir::AttributeSpec> attributes;
  /// A step is as long as the gradient, so that a factor for the learning rate that makes up for the size of weights counts twice
  /// (Courbariaux 2015, section 2.5).
  bool proportional_to_gradient = false;
  /// The parameter's value after the step.
  std::function<ir::ValueId(ParameterUpdate&)> next;
  /// A setting that has no effect beside the others.
  std::function<ir::IdleSetting(const ir::Attributes& options)> idle = {};
};

using OptimizerRegistry = ir::Registry<Optimizer>;
const OptimizerRegistry& optimizers();

/// The option `optimizer` of append_optimizer, and the key of a stage: what all optimizers have, and their kinds.
const ir::AttributeSpec& optimizer_spec();

}  // namespace stair::passes
