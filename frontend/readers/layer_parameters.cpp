#include "frontend/readers/layer_parameters.h"

#include <fmt/format.h>

#include <string_view>

#include "ir/error.h"

namespace stair::readers {
namespace {

constexpr double most_elements = 2'147'483'647;

ir::Type type_of(const ir::Graph& graph, const Parameter& parameter, const NewLayer& layer) {
  const auto& [op, name, attributes, input] = layer;
  const ir::Shape& shape = graph.type(input).shape;
  const bool images = attributes.has("kernel");
  if (shape.size() < 2 || (images && shape.size() != 4)) {
    throw Error(fmt::format("{} '{}' reads '{}' {}, expected {}", op.name, name, graph.value(input).name, ir::to_string(shape),
                            images ? "[N,C,H,W]" : "at least [N, C]"));
  }
  for (const char* pair : {"kernel", "stride", "dilation"}) {
    if (attributes.has(pair) && attributes.integers(pair).size() != 2 &&
        !(attributes.integers(pair).empty() && std::string_view(pair) == "stride")) {
      throw Error(fmt::format("{} '{}': {} is {}, expected two numbers [height, width]", op.name, name, pair,
                              ir::to_string(attributes.integers(pair))));
    }
  }
  if (attributes.has("groups") && (attributes.integer("groups") < 1 || shape[1] % attributes.integer("groups") != 0)) {
    throw Error(fmt::format("{} '{}': {} groups don't divide {} input channels", op.name, name, attributes.integer("groups"), shape[1]));
  }
  return of_countable_size(op.name + " '" + name + "': " + parameter.operand, parameter.type(attributes, shape));
}

}  // namespace

ir::Type of_countable_size(const std::string& what, ir::Type type) {
  double elements = 1;
  for (const std::int64_t dim : type.shape) elements *= static_cast<double>(dim);
  if (elements > most_elements) {
    throw Error(fmt::format("{} has the shape {}, expected at most {:.0f} elements", what, ir::to_string(type.shape), most_elements));
  }
  return type;
}

const Parameter* parameter_of(const ir::OpSchema& op, const std::string& operand) {
  for (const Parameter& parameter : op.layer->parameters) {
    if (parameter.operand == operand) return &parameter;
  }
  return nullptr;
}

ir::ValueId own_parameter(ir::Graph& graph, const Parameter& parameter, const NewLayer& layer) {
  const ir::Type type = type_of(graph, parameter, layer);
  ir::State state;
  state.role = parameter.role;
  state.initializer = parameter.initializer(layer.attributes, graph.type(layer.input).shape);
  return graph.add_state(graph.derived(layer.name, parameter.operand), type, state);
}

ir::ValueId shared_parameter(const ir::Graph& graph, const Parameter& parameter, const NewLayer& layer, const ir::Node& owner,
                             std::size_t operand) {
  const ir::Type type = type_of(graph, parameter, layer);
  const ir::ValueId state = owner.operand(operand);
  if (state == ir::absent) {
    throw Error(fmt::format("{} '{}' has a {}, but the layer whose weights it takes, '{}', has none", layer.op.name, layer.name,
                            parameter.operand, owner.name));
  }
  if (graph.type(state) != type) {
    throw Error(fmt::format("{} '{}' takes the weights of '{}', whose {} is {}, but needs {}", layer.op.name, layer.name, owner.name,
                            parameter.operand, to_string(graph.type(state)), to_string(type)));
  }
  return state;
}

}  // namespace stair::readers
