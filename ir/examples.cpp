#include "ir/examples.h"

#include <vector>

#include "ir/op.h"
#include "ir/rebatch.h"

namespace stair::ir {
namespace {

// Element e of a value belongs to example e / stride % batch; 0: the value has nothing of the examples.
using Stride = std::int64_t;

// "[N,3,8,8]", "[2N,10]"
std::string in_examples(const Shape& shape) {
  std::string text;
  for (const std::int64_t dim : shape) {
    text += text.empty() ? "[" : ",";
    if (dim % telling_batch != 0) {
      text += std::to_string(dim);
    } else {
      text += (dim == telling_batch ? "" : std::to_string(dim / telling_batch)) + "N";
    }
  }
  return text + "]";
}

std::int64_t elements_behind(const Shape& shape, std::size_t dimension) {
  return element_count(Shape(shape.begin() + static_cast<std::ptrdiff_t>(dimension) + 1, shape.end()));
}

// The dimension that the examples lie along, alone or with others; none where they lie across several.
std::optional<std::size_t> dimension_of(Stride stride, const Shape& shape) {
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::int64_t behind = elements_behind(shape, d);
    if (stride % behind == 0 && shape[d] * behind % (stride * telling_batch) == 0) return d;
  }
  return std::nullopt;
}

class Follower {
 public:
  explicit Follower(const Graph& model) : model_(model), types_(types_of_batch(model, telling_batch)), strides_(model.values().size(), 0) {}

  std::optional<Meeting> run() {
    for (const ValueId input : model_.inputs()) {
      if (!shape(input).empty()) stride(input) = elements_behind(shape(input), 0);
    }
    for (std::size_t n = 0; n < model_.nodes().size(); ++n) {
      const auto id = static_cast<NodeId>(n);
      if (id == types_.refuses) return Meeting{id, fixes_batch(model_.node(id))};
      if (std::string why = follow(model_.node(id)); !why.empty()) return Meeting{id, name_of(model_.node(id)) + why};
    }
    for (const Output& output : model_.outputs()) {
      if (stride(output.value) > 0 && stride(output.value) * telling_batch == element_count(shape(output.value))) continue;
      return Meeting{absent, "the output '" + output.name + "' is " + in_examples(shape(output.value)) +
                                 (stride(output.value) == 0 ? " and depends on no input" : "") +
                                 ", expected dimension 0 to count the examples of a batch"};
    }
    return std::nullopt;
  }

 private:
  const Shape& shape(ValueId value) const { return types_.types[static_cast<std::size_t>(value)].shape; }
  Stride& stride(ValueId value) { return strides_[static_cast<std::size_t>(value)]; }
  static std::string name_of(const Node& node) { return node.op->name + " '" + node.name + "'"; }

  std::string fixes_batch(const Node& node) const {
    std::string operands;
    for (const ValueId operand : node.operands) {
      if (operand != absent) operands += (operands.empty() ? "" : " and ") + in_examples(shape(operand));
    }
    return name_of(node) + " fixes the number of examples: with N of them it reads " + operands +
           ", which doesn't fit; expected what holds for any batch" +
           (node.attributes.has("shape") ? " (0 copies a dimension, one -1 takes what is left)" : "");
  }

  // Why the node mixes examples; empty where it doesn't.
  std::string follow(const Node& node) {
    std::vector<const Type*> operands;
    bool reads = false;
    for (const ValueId operand : node.operands) {
      operands.push_back(operand == absent ? nullptr : &types_.types[static_cast<std::size_t>(operand)]);
      reads = reads || (operand != absent && stride(operand) > 0);
    }
    if (!reads) return "";
    operands.resize(std::max(operands.size(), node.op->operands.size()), nullptr);
    Stride of_result = 0;
    if (node.op->in_order) {
      of_result = stride(node.operands.front());
    } else {
      OpSchema::Dimensions dimensions;
      if (node.op->dimensions != nullptr) dimensions = node.op->dimensions({*node.op, node.name, node.attributes, operands});
      dimensions.resize(operands.size());
      for (std::size_t i = 0; i < node.operands.size(); ++i) {
        const ValueId operand = node.operands[i];
        if (operand == absent || stride(operand) == 0) continue;
        const Stride own = followed(node, operand, dimensions[i]);
        if (own == 0) return " mixes the examples of a batch, which lie along " + place(operand);
        if (of_result != 0 && own != of_result) {
          return " mixes the examples of a batch: those of its operands, here along " + place(operand) + ", don't lie beside each other";
        }
        of_result = own;
      }
    }
    for (const ValueId result : node.results) {
      if (shape(result) == shape(node.results.front())) stride(result) = of_result;
    }
    return "";
  }

  // Where in the result the examples of an operand lie; 0: they meet.
  Stride followed(const Node& node, ValueId operand, const std::vector<std::int64_t>& dimensions) {
    const Shape& from = shape(operand);
    const Shape& to = shape(node.results.front());
    bool in_place = dimensions.size() == from.size() && from == to;
    for (std::size_t d = 0; in_place && d < dimensions.size(); ++d) in_place = dimensions[d] == static_cast<std::int64_t>(d);
    if (in_place) return stride(operand);
    const std::optional<std::size_t> along = dimension_of(stride(operand), from);
    if (!along || *along >= dimensions.size() || dimensions[*along] == absent) return 0;
    const auto becomes = static_cast<std::size_t>(dimensions[*along]);
    if (to[becomes] != from[*along]) return 0;
    return stride(operand) / elements_behind(from, *along) * elements_behind(to, becomes);
  }

  std::string place(ValueId operand) {
    const std::optional<std::size_t> along = dimension_of(stride(operand), shape(operand));
    return (along ? "dimension " + std::to_string(*along) : "several dimensions") + " of '" + model_.value(operand).name + "' " +
           in_examples(shape(operand));
  }

  const Graph& model_;
  TypesOfBatch types_;
  std::vector<Stride> strides_;
};

}  // namespace

std::optional<Meeting> where_examples_meet(const Graph& model) {
  return Follower(model).run();
}

}  // namespace stair::ir
