#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/graph.h"
#include "ir/kinds.h"

namespace stair::passes {

/// What a loss works with: it appends nodes to a training step.
struct LossContext {
  ir::Graph& graph;
  const ir::Attributes& options;  ///< the loss's members, complete
  ir::ValueId logits;             ///< f32 [N, classes]
  ir::ValueId labels;             ///< i32 [N], a class an image

  /// A node "loss", with its one result: the mean over the batch, f32[1].
  ir::ValueId emit(const char* op, ir::ValueId target, ir::Attributes attributes = {}) const;
};

/// What training makes small: one file in passes/losses.
struct Loss {
  std::string name;
  std::string summary;
  std::vector<ir::AttributeSpec> attributes;
  std::function<ir::ValueId(const LossContext&)> append;
};

using LossRegistry = ir::Registry<Loss>;
const LossRegistry& losses();

/// The option `loss` of append_loss, and the key of an experiment.
const ir::AttributeSpec& loss_spec();

}  // namespace stair::passes
