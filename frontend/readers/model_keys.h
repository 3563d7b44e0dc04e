#pragma once

#include <cstddef>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/json.h"
#include "ir/op.h"

namespace stair::readers {

/// The keys of a model JSON (docs/format-model-json.md), of a block in it, and of a layer that stands for a block.
const std::vector<ir::AttributeSpec>& model_keys();
const std::vector<ir::AttributeSpec>& block_keys();
const std::vector<ir::AttributeSpec>& block_layer_keys();
/// Of an output of several that has another name than its layer.
const std::vector<ir::AttributeSpec>& output_keys();

/// The keys of every layer that is an op: "op", "name", "inputs"; and with the op's attributes, those of the layer alone, and "weights_of"
/// where it has parameters.
const std::vector<ir::AttributeSpec>& common_layer_keys();
/// On sequences (OpSchema::Layer::on_sequences) lists of an image's sides are of one side: `kernel` of one number, `padding` of two.
std::vector<ir::AttributeSpec> layer_keys(const ir::OpSchema& op, bool on_sequences = false);

/// Whether the layer, an object of the model JSON, is the use of a block. One that names an op may have an attribute `block`.
bool uses_block(const ir::Json& layer);

/// How many numbers a single one stands for in such a list ("kernel": 5) of an image; 0: it is no such list.
std::size_t times_repeated(const ir::OpSchema& op, const std::string& attribute);

/// A layer of a model by the name that its `op` says: the op, and whether it is on sequences alone. No op: there is none.
struct NamedLayer {
  const ir::OpSchema* op = nullptr;
  bool on_sequences = false;
};
NamedLayer layer_named(const std::string& name);
/// All such names.
std::vector<std::string> layer_names();

}  // namespace stair::readers
