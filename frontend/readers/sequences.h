#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/op.h"

namespace stair::readers {

/// Sequences [N,C,L] of a model under construction, which its layers compute as images [N,C,1,L]: so a convolution, its batch-norm and its
/// activation stand one behind the other as they do on images, for all passes and kernels. A value is squeezed where a layer reads it that
/// knows no images.
class Sequences {
 public:
  explicit Sequences(ir::Graph& graph) : graph_(graph) {}

  /// The value is an image that stands for a sequence.
  void add(ir::ValueId image) { images_.insert(image); }
  bool contains(ir::ValueId value) const { return images_.contains(value); }
  /// Whether the value is a sequence [N,C,L].
  bool is_sequence(ir::ValueId value) const { return contains(value) || graph_.type(value).shape.size() == 3; }
  /// A sequence as an image, and any value as what it is; once each.
  ir::ValueId image(ir::ValueId value);
  ir::ValueId plain(ir::ValueId value);
  /// Whether the layer may read these inputs, images that stand for sequences, as it would read those: element by element.
  bool reads_images(const ir::OpSchema& op, const std::vector<ir::ValueId>& inputs) const;
  /// Attributes of one side as those of an image's two (layer_keys on_sequences); Error for another number of numbers.
  static void widen(const ir::OpSchema& op, ir::Attributes& attributes);

 private:
  ir::Graph& graph_;
  std::set<ir::ValueId> images_;
  std::map<ir::ValueId, ir::ValueId> squeezed_, unsqueezed_;
};

}  // namespace stair::readers
