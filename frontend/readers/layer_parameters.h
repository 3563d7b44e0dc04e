#pragma once

#include <cstddef>
#include <string>

#include "ir/attribute_spec.h"
#include "ir/graph.h"
#include "ir/op.h"

namespace stair::readers {

using Parameter = ir::OpSchema::Layer::Parameter;

/// The type, whose sizes stay where their products, times a batch, can be counted in 64 bits. Error "WHAT has the shape …" for a larger
/// one.
ir::Type of_countable_size(const std::string& what, ir::Type type);

/// The parameter of a layer that is this operand of its op; nullptr: the layer reads it.
const Parameter* parameter_of(const ir::OpSchema& op, const std::string& operand);

/// A layer under construction.
struct NewLayer {
  const ir::OpSchema& op;
  const std::string& name;
  const ir::Attributes& attributes;  ///< complete
  ir::ValueId input;                 ///< what it reads first
};

/// A state that the layer has for itself. Error for an input that it can't read, and for sizes that don't fit.
ir::ValueId own_parameter(ir::Graph& graph, const Parameter& parameter, const NewLayer& layer);

/// The state that is the operand of that number of `owner`, a layer of the same op. Error where it has none or one of another type, and as
/// own_parameter() throws.
ir::ValueId shared_parameter(const ir::Graph& graph, const Parameter& parameter, const NewLayer& layer, const ir::Node& owner,
                             std::size_t operand);

}  // namespace stair::readers
