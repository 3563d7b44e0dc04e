#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "frontend/importers/onnx/constant.h"
#include "ir/attributes.h"
#include "ir/json.h"
#include "runtime/tensor.h"

namespace stair::frontend::onnx {

/// A layer of the model that is made.
struct Layer {
  std::string op;  ///< of a model JSON; or one that only patterns know (pattern.h)
  std::string name;
  std::vector<std::string> inputs;  ///< layers above, or the model's inputs
  ir::Attributes attributes;        ///< the layer's and the op's, as the model JSON says them; what isn't there has its default
  std::map<std::string, runtime::Tensor> parameters;  ///< by operand
  ir::Shape shape;                                    ///< of the result, the batch in front
  std::shared_ptr<const Constant> constant;           ///< of a `constant`
  std::string weights_of;                             ///< what the file calls its weights: layers may share them
  std::string bias_of = {};                           ///< likewise its bias, where the node has one
  std::string node;                                   ///< of the file, that it is made of, for errors: "node 'a' (Conv, opset 13)"
};

/// The layers of the model in order, and the values that are its inputs and outputs.
class Layers {
 public:
  struct End {
    std::string name;      ///< of the input or output
    std::string layer;     ///< of an output: the one that yields it
    ir::Shape shape;       ///< of an input, the batch in front
    bool indices = false;  ///< of an input: i32, that an embedding reads
  };
  std::vector<End> outputs;

  const std::vector<End>& inputs() const { return inputs_; }
  const std::vector<Layer>& all() const { return layers_; }
  /// Error where there are more than a model may have.
  Layer& add(Layer layer);
  void add_input(End input);
  /// The input, where the name is one, is of indices.
  void read_as_indices(const std::string& name);
  /// nullptr where it is an input, or nothing.
  Layer* find(const std::string& name);
  const Layer* find(const std::string& name) const;
  bool has(const std::string& name) const { return find(name) != nullptr || is_input(name); }
  bool is_input(const std::string& name) const;
  const ir::Shape& shape(const std::string& name) const;
  /// How many inputs of layers and outputs are the value.
  std::size_t uses(const std::string& name) const;
  /// The layer of the name, if its op is this one and only one input of a layer reads it.
  Layer* single(const std::string& name, const std::string& op);
  /// The name, or with a number behind it where it is taken.
  std::string unused(const std::string& name);
  /// Whoever reads `name` reads `other`.
  void replace_uses(const std::string& name, const std::string& other);
  /// What the layer reads from here on.
  void set_inputs(Layer& layer, std::vector<std::string> read);
  /// What is called by one of the names is called by the other, for all who read it.
  void swap_names(const std::string& a, const std::string& b);
  /// Removes layers and inputs that lead to no output.
  void remove_dead();
  /// What of the layer's value follows from its inputs: infers its shape from its op, attributes, inputs and parameters (whose shapes must
  /// fit). Error as the op says it.
  void infer(Layer& layer) const;

 private:
  std::vector<End> inputs_;
  std::vector<Layer> layers_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::map<std::string, std::size_t, std::less<>> input_places_;
  std::map<std::string, std::size_t, std::less<>> uses_;  // also by layers that lead to nothing, until remove_dead()
  std::map<std::string, int> next_numbers_;               // of unused()
};

/// The model JSON: attributes that differ from their defaults, in their shortest form.
ir::Json to_json(const Layers& layers, const std::string& name);

}  // namespace stair::frontend::onnx
