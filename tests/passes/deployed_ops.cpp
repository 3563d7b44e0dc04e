#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "ir/op.h"
#include "passes/pipelines.h"
#include "tests/support/model_builder.h"

using namespace stair;

namespace {

using Axes = std::vector<std::int64_t>;

// Every op that a model may name, between layers that recipes quantize.
ir::Graph every_layer() {
  tests::ModelBuilder model({2, 4, 8, 8});
  const auto behind_conv = [&](const char* op, const ir::Attributes& attributes = {}) {
    return model.op(op, {model.conv(model.input(), {.out = 4})}, attributes);
  };
  std::vector<ir::ValueId> images;
  for (const std::string& name : tests::function_layers()) images.push_back(model.function(name, behind_conv("relu")));
  for (const char* op : {"add", "sub", "mul", "div", "minimum", "maximum"})
    images.push_back(model.op(op, {images[0], behind_conv("relu")}));
  for (const char* op : {"avg_pool", "avg_pool_inside", "max_pool"}) {
    images.push_back(behind_conv(op, {{"kernel", Axes{3, 3}}, {"stride", Axes{1, 1}}, {"padding", Axes{1, 1, 1, 1}}}));
  }
  images.push_back(model.batch_norm(behind_conv("slice", {{"axes", Axes{1}}, {"starts", Axes{1}}, {"ends", Axes{3}}})));
  images.push_back(model.prelu(behind_conv("relu")));
  images.push_back(behind_conv("gather", {{"indices", Axes{3, 1}}}));
  for (const char* op : {"resize_nearest", "resize_bilinear"})
    images.push_back(model.op(op, {behind_conv("relu")}, {{"size", Axes{8, 8}}}));
  const ir::Attributes block{{"block", std::int64_t{2}}};
  images.push_back(model.op("space_to_depth", {behind_conv("depth_to_space", block)}, block));
  images.push_back(behind_conv("transpose", {{"permutation", Axes{0, 1, 3, 2}}}));
  images.push_back(model.dropout(model.conv(model.input(), {.out = 4})));
  images.push_back(model.conv(behind_conv("relu"), {.out = 4, .transposed = true}));
  const ir::ValueId joined = model.op("concat", images);
  const ir::ValueId padded = model.op("pad", {joined}, {{"padding", Axes{0, 0, 1, 1, 0, 0, 1, 1}}});
  const ir::ValueId last = model.conv(padded, {.out = 8, .bias = true});

  std::vector<ir::ValueId> rows;
  for (const char* op : {"reduce_mean", "reduce_sum", "reduce_max"}) rows.push_back(model.op(op, {last}, {{"axes", Axes{2, 3}}}));
  for (const char* op : {"global_avg_pool", "global_max_pool"}) rows.push_back(model.op("flatten", {model.op(op, {last})}));
  rows.push_back(model.op("squeeze", {model.op("unsqueeze", {rows[0]}, {{"axes", Axes{1}}})}, {{"axes", Axes{1}}}));
  const ir::ValueId matrices = model.op("reshape", {last}, {{"shape", Axes{0, 8, 100}}});
  const ir::ValueId products = model.op("matmul", {matrices, matrices}, {{"transpose_b", true}});
  rows.push_back(model.op("flatten", {model.op("softmax", {products})}));
  rows.push_back(model.op("flatten", {model.row_norm("layer_norm", products)}));
  rows.push_back(model.op("flatten", {model.row_norm("group_norm", last, {{"groups", std::int64_t{2}}})}));
  rows.push_back(model.op("flatten", {model.row_norm("instance_norm", last)}));
  std::vector<ir::ValueId> heads;
  rows.push_back(model.embedding(model.op("argmax", {rows[0]}), 8, 3));
  for (const ir::ValueId row : rows) heads.push_back(model.linear(row, 5));
  heads.push_back(model.op("softmax", {heads[0]}));
  heads.push_back(model.op("log_softmax", {heads[1]}));
  return model.finish(model.op("concat", heads));
}

const std::vector<std::string> recipes{
    R"({"base": "int8"})",
    R"({"base": "int8", "requantization": "fixed_point"})",
    R"({"base": "int8", "requantization": "power_of_two"})",
    R"({"base": "int8", "activations": {"symmetric": true}, "bias": "float32", "quantize_output": true})",
    R"({"base": "int8", "overrides": [{"pattern": "*", "skip": true}]})",
    R"({"base": "int8", "activations": {"bits": 0}})",
    R"({"base": "classic"})",
    R"({"base": "jacob2017"})",
    R"({"base": "binaryconnect"})",
    R"({"base": "binaryconnect_stochastic", "weights": {"binary_inference": false}})",
};

}  // namespace

TEST_CASE("what deployment emits is what ops say that it does") {
  std::set<std::string> emitted;
  std::vector<ir::Graph> models{every_layer(), tests::small_lenet(2), tests::small_mixed_net(2)};
  for (std::uint64_t seed = 0; seed < 10; ++seed) models.push_back(tests::random_net(seed, 2));
  for (const ir::Graph& model : models) {
    for (const std::string& json : recipes) {
      const ir::Graph deployed = passes::run(passes::deployment(passes::recipe_from_json(json)), model);
      for (const ir::Node& node : deployed.nodes()) emitted.insert(node.op->name);
    }
  }
  for (const auto& [key, op] : ir::op_registry().all()) {
    const std::string& name = key;
    CAPTURE(name);
    CHECK(emitted.contains(name) == op.deployed);
  }
}
