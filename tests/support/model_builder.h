#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace stair::tests {

/// Builds small model graphs layer by layer, as the frontend would (training form, output "logits").
class ModelBuilder {
 public:
  /// The input "x" of that shape, batch first.
  explicit ModelBuilder(ir::Shape input);

  struct Conv {
    std::int64_t out = 8, kernel = 3, stride = 1, groups = 1, dilation = 1;
    std::vector<std::int64_t> padding = {1, 1, 1, 1};
    bool bias = false;
    bool transposed = false;
  };

  ir::ValueId input() const { return input_; }
  ir::ValueId conv(ir::ValueId x, const Conv& options);
  ir::ValueId batch_norm(ir::ValueId x);
  ir::ValueId linear(ir::ValueId x, std::int64_t features, bool bias = true);
  /// layer_norm, group_norm or instance_norm.
  ir::ValueId row_norm(std::string_view op, ir::ValueId x, ir::Attributes attributes = {});
  /// Rows of a table at the indices, of an input of indices or what argmax yields.
  ir::ValueId embedding(ir::ValueId indices, std::int64_t rows, std::int64_t features);
  ir::ValueId dropout(ir::ValueId x);
  /// The same layer, with the same parameters and attributes, on another input.
  ir::ValueId again(ir::ValueId layer, ir::ValueId x);
  ir::ValueId op(std::string_view name, std::vector<ir::ValueId> operands, ir::Attributes attributes = {});
  ir::ValueId prelu(ir::ValueId x, bool shared = false);
  /// A layer that is a function of each element, between bounds that keep it within its domain.
  ir::ValueId function(const std::string& name, ir::ValueId x);
  /// conv, batch-norm, ReLU.
  ir::ValueId block(ir::ValueId x, const Conv& options);
  const ir::Shape& shape(ir::ValueId x) const { return graph_.type(x).shape; }
  /// An input beside "x", batch first.
  ir::ValueId input(const std::string& name, ir::Shape shape, ir::DType dtype = ir::DType::f32);
  /// An output beside the logits.
  void output(const std::string& name, ir::ValueId value) { graph_.add_output(name, value); }
  ir::Graph finish(ir::ValueId logits);

 private:
  ir::ValueId parameter(const std::string& name, ir::Shape shape, ir::StateRole role, ir::Initializer initializer);

  ir::Graph graph_;
  ir::ValueId input_;
};

/// The layers that are a function of each element: their integer form is a table.
const std::vector<std::string>& function_layers();

/// Convolution, batch-norm, ReLU, max-pool, twice; two linear layers. Input [batch, 1, 12, 12], 10 classes.
ir::Graph small_lenet(std::int64_t batch);
/// A residual addition, a concatenation, a depthwise convolution, global average pooling. Input [batch, 3, 8, 8], 10 classes.
ir::Graph small_mixed_net(std::int64_t batch);
/// A residual network with batch-norm and ReLU in front of its convolutions, and a batch-norm behind the input, behind a clamp and on
/// features: each of those has no layer to fold into (N-AFFINE). Input [batch, 3, 8, 8], 10 classes.
ir::Graph small_preactivation_net(std::int64_t batch);
/// One block of attention over [batch, 6, 8]: products of queries, keys and values with softmax between them, an addition, layer_norm, and
/// two linear layers. 10 classes.
ir::Graph small_attention_net(std::int64_t batch);
/// A random network of products of activations, softmax along any axis of an example, layer_norm, group_norm, instance_norm and layers
/// around them.
ir::Graph random_attention_net(std::uint64_t seed, std::int64_t batch);
/// A random network of those parts and others (groups, dilation, strides, asymmetric padding, tabulated activations, batch-norms that have
/// no layer to fold into), from the seed.
ir::Graph random_net(std::uint64_t seed, std::int64_t batch);
/// A random network whose layers share weights (two branches, a layer on its own result) and read constants, with one input to three, one
/// of them indices of an embedding, and one to four outputs, one of them a class.
ir::Graph random_shared_net(std::uint64_t seed, std::int64_t batch);
/// A random network of moves (reshapes, transposes, flattenings, slices, concatenations, padding), reductions, softmax, products and
/// batch-norms between a few layers. Examples stay apart; where it is `wild` they needn't, and the shapes may hold for the one batch alone.
/// What is drawn doesn't depend on the batch.
ir::Graph random_moving_net(std::uint64_t seed, std::int64_t batch, bool wild = false);

}  // namespace stair::tests
