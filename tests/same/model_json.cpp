#include "tests/same/model_json.h"

#include <algorithm>
#include <string>
#include <variant>

#include "ir/op.h"

namespace stair::tests {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const ir::Attribute& attribute) {
  return std::visit([](const auto& value) { return Json(value); }, attribute);
}

// One number for a list of equal ones, now and then.
Json window(const std::vector<std::int64_t>& list, Draws& draws) {
  const bool equal = !list.empty() && std::all_of(list.begin(), list.end(), [&](std::int64_t item) { return item == list.front(); });
  return equal && draws.one_in(2) ? Json(list.front()) : Json(list);
}

bool is_window(const std::string& attribute) {
  const char* const names[] = {"kernel", "stride", "padding", "dilation"};
  return std::any_of(std::begin(names), std::end(names), [&](const char* name) { return attribute == name; });
}

// What a layer says and its node doesn't: it follows from the shape of the weights.
void add_layer_attributes(Json& layer, const ir::Graph& model, const ir::Node& node, Draws& draws) {
  const bool convolves = node.op->name == "conv2d";
  if (!convolves && node.op->name != "linear") return;
  const ir::Shape& weight = model.type(node.operands[1]).shape;
  layer[convolves ? "out_channels" : "features"] = weight[0];
  if (convolves) layer["kernel"] = window({weight[2], weight[3]}, draws);
  if (node.operands[2] == ir::absent) layer["bias"] = false;
}

}  // namespace

Json model_json(const ir::Graph& model, Draws& draws) {
  Json json;
  const ir::Value& input = model.value(model.inputs().front());
  json["input"] = {{"name", input.name}, {"shape", std::vector<std::int64_t>(input.type.shape.begin() + 1, input.type.shape.end())}};
  std::string before = input.name;
  for (const ir::Node& node : model.nodes()) {
    Json layer{{"op", node.op->name}, {"name", node.name}};
    Json inputs = Json::array();
    for (const ir::ValueId operand : node.operands) {
      if (operand != ir::absent && model.state(operand) == nullptr) inputs.push_back(model.value(operand).name);
    }
    if (inputs != Json::array({before}) || draws.one_in(3)) layer["inputs"] = inputs;
    add_layer_attributes(layer, model, node, draws);
    for (const ir::AttributeSpec& spec : node.op->attributes) {
      const ir::Attribute& value = node.attributes.at(spec.name);
      if (!spec.required && value == spec.fallback) continue;
      const auto* list = std::get_if<std::vector<std::int64_t>>(&value);
      const bool short_form = list != nullptr && node.op->name != "pad" && is_window(spec.name);
      layer[spec.name] = short_form ? window(*list, draws) : to_json(value);
    }
    json["layers"].push_back(std::move(layer));
    before = node.name;
  }
  return json;
}

}  // namespace stair::tests
