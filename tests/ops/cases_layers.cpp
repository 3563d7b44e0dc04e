#include <initializer_list>

#include "tests/ops/case_lists.h"

namespace stair::tests {
namespace {

// A convolution's geometry.
struct Geometry {
  ir::Shape x, w;
  ir::Shape stride{1, 1}, padding{0, 0, 0, 0}, dilation{1, 1};
  std::int64_t groups = 1;
  ir::Shape output_padding{};  // of a transposed convolution
};

void add_convolution(std::vector<Case>& list, const Geometry& g) {
  const std::string op = g.output_padding.empty() ? "conv2d" : "conv_transpose2d";
  ir::Attributes attributes{{"stride", g.stride}, {"padding", g.padding}, {"dilation", g.dilation}, {"groups", g.groups}};
  if (!g.output_padding.empty()) attributes.set("output_padding", g.output_padding);
  const Case with_bias{op, {f32(g.x), f32(g.w), f32({g.w[0]})}, attributes};
  list.push_back(with_bias);
  list.push_back({op, {f32(g.x), f32(g.w)}, attributes});
  const ir::Graph graph = graph_of(with_bias);
  const ir::Shape y = graph.type(graph.node(0).results[0]).shape;
  ir::Attributes of_input = attributes;
  of_input.set("input_shape", g.x);
  list.push_back({op + "_grad_input", {f32(y), f32(g.w)}, of_input});
  ir::Attributes of_weight = attributes;
  of_weight.set("weight_shape", g.w);
  list.push_back({op + "_grad_weight", {f32(y), f32(g.x)}, of_weight});
}

void add_product(std::vector<Case>& list, const ir::Shape& a, const ir::Shape& b, bool transpose_a = false, bool transpose_b = false) {
  list.push_back({"matmul", {f32(a), f32(b)}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}}});
}

void add_pool(std::vector<Case>& list, const ir::Shape& x, const ir::Attributes& attributes) {
  list.push_back({"max_pool", {f32(x, distinct())}, attributes});
  list.push_back({"max_pool", {u8(x)}, attributes});
  list.push_back({"max_pool", {s8(x, integers(-128, -100))}, attributes});
  const Case average{"avg_pool", {f32(x)}, attributes};
  list.push_back(average);
  const ir::Graph graph = graph_of(average);
  ir::Attributes of_gradient = attributes;
  of_gradient.set("input_shape", x);
  const Operand dy = f32(graph.type(graph.node(0).results[0]).shape);
  list.push_back({"avg_pool_grad", {dy}, of_gradient});
  list.push_back({"avg_pool_inside", {f32(x)}, attributes});
  list.push_back({"avg_pool_inside_grad", {dy}, of_gradient});
  list.push_back({"avg_pool_inside_integer", {u8(x), i32({1}, listed({9}))}, attributes});
  list.push_back({"avg_pool_inside_integer", {s8(x), i32({1}, listed({-3}))}, attributes});
}

void add_normalization(std::vector<Case>& list, const ir::Shape& x) {
  const ir::Shape c{x[1]};
  const Draw positive = uniform(0.5, 2);
  list.push_back({"batch_norm", {f32(x), f32(c, positive), f32(c), f32(c), f32(c, positive)}, {{"momentum", 0.25}, {"eps", 0.01}}});
  // What is left of the old statistics is 1e-7 of them.
  const Operand large = f32(c, listed({1e7}));
  list.push_back({"batch_norm", {f32(x), f32(c, positive), f32(c), large, large}, {{"momentum", 0.9999999}}});
  list.push_back({"batch_norm_grad", {f32(x), f32(x), f32(c, positive), f32(c), f32(c, positive)}});
  list.push_back({"batch_norm_inference", {f32(x), f32(c), f32(c), f32(c), f32(c, positive)}, {{"eps", 0.01}}});
  list.push_back({"batch_norm_inference_grad", {f32(x), f32(x), f32(c), f32(c), f32(c, positive)}});
  for (const std::vector<std::size_t>& results : {std::vector<std::size_t>{0}, {1}, {0, 1}}) {
    list.push_back({"batch_statistics", {f32(x)}, {}, results});
  }
  list.push_back({"batch_statistics_grad", {f32(x), f32(c), f32(c), f32(c)}});
  list.push_back({"batch_statistics_grad", {f32(x), f32(c), std::nullopt, f32(c)}});
  list.push_back({"batch_statistics_grad", {f32(x), f32(c), f32(c)}});
  list.push_back({"channel_affine", {f32(x), f32(c), f32(c)}});
  list.push_back({"channel_affine", {f32(x), f32(c)}});
  list.push_back({"channel_affine", {f32(x), std::nullopt, f32(c)}});
}

// What normalizes each example by its own statistics.
void add_row_norm(std::vector<Case>& list, const std::string& op, const ir::Shape& x, const ir::Shape& parameters,
                  ir::Attributes attributes) {
  attributes.set("eps", 0.01);
  const Draw around_one = uniform(-0.5, 1.5);
  list.push_back({op, {f32(x, uniform(-1, 3)), f32(parameters, around_one), f32(parameters)}, attributes});
  list.push_back({op + "_grad", {f32(x), f32(x, uniform(-1, 3)), f32(parameters, around_one)}, attributes});
}

}  // namespace

void add_layer_cases(std::vector<Case>& list) {
  for (const Geometry& geometry : std::initializer_list<Geometry>{
           {.x = {1, 1, 1, 1}, .w = {1, 1, 1, 1}},
           {.x = {2, 3, 5, 7}, .w = {4, 3, 3, 3}, .padding = {1, 1, 1, 1}},
           {.x = {2, 2, 7, 6}, .w = {3, 2, 3, 2}, .stride = {2, 3}, .padding = {0, 1, 2, 1}},
           {.x = {1, 2, 9, 8}, .w = {2, 2, 3, 2}, .stride = {1, 2}, .padding = {2, 0, 1, 3}, .dilation = {2, 3}},
           {.x = {2, 4, 5, 5}, .w = {6, 2, 3, 3}, .padding = {1, 1, 1, 1}, .groups = 2},
           {.x = {2, 3, 6, 5}, .w = {3, 1, 3, 3}, .stride = {2, 2}, .padding = {1, 1, 0, 0}, .groups = 3},
           {.x = {1, 3, 4, 4}, .w = {6, 1, 2, 2}, .groups = 3},
           {.x = {3, 5, 3, 4}, .w = {2, 5, 1, 1}},
           {.x = {2, 3, 4, 3}, .w = {2, 3, 1, 1}, .stride = {2, 2}, .padding = {1, 0, 0, 1}},
           {.x = {1, 1, 2, 2}, .w = {1, 1, 5, 5}, .padding = {2, 2, 2, 2}},
           {.x = {3, 16, 14, 14}, .w = {24, 16, 3, 3}, .padding = {1, 1, 1, 1}},
           {.x = {2, 32, 9, 9}, .w = {32, 1, 3, 3}, .padding = {1, 1, 1, 1}, .groups = 32},
           {.x = {2, 5, 13, 37}, .w = {5, 1, 3, 3}, .padding = {1, 0, 2, 3}, .groups = 5},
           {.x = {2, 5, 14, 39}, .w = {5, 1, 3, 3}, .stride = {2, 2}, .padding = {0, 1, 1, 1}, .groups = 5},
           {.x = {3, 24, 9, 7}, .w = {70, 24, 3, 3}, .padding = {1, 1, 1, 1}},
           {.x = {1, 48, 8, 11}, .w = {150, 24, 3, 3}, .stride = {2, 1}, .padding = {1, 1, 1, 1}, .groups = 2},
           {.x = {2, 40, 7, 9}, .w = {36, 20, 3, 3}, .padding = {1, 2, 0, 1}, .groups = 2},
           {.x = {1, 200, 11, 11}, .w = {130, 200, 1, 1}},
           {.x = {2, 20, 9, 11}, .w = {9, 20, 1, 1}},
           {.x = {1, 12, 40, 40}, .w = {20, 12, 1, 1}},
           {.x = {1, 1, 1, 1}, .w = {1, 1, 1, 1}, .output_padding = {0, 0}},
           {.x = {2, 3, 4, 5}, .w = {4, 3, 3, 2}, .padding = {1, 0, 0, 1}, .output_padding = {0, 0}},
           {.x = {2, 2, 5, 4}, .w = {3, 2, 3, 4}, .stride = {2, 3}, .padding = {1, 2, 0, 1}, .output_padding = {1, 2}},
           {.x = {2, 4, 3, 4}, .w = {6, 2, 2, 3}, .stride = {3, 1}, .dilation = {1, 2}, .groups = 2, .output_padding = {0, 1}},
           {.x = {1, 3, 4, 4}, .w = {3, 1, 3, 3}, .stride = {2, 2}, .padding = {2, 3, 2, 1}, .groups = 3, .output_padding = {1, 0}},
           {.x = {3, 5, 18, 18}, .w = {4, 5, 4, 4}, .stride = {2, 2}, .padding = {1, 1, 1, 1}, .output_padding = {0, 0}},
       }) {
    add_convolution(list, geometry);
  }

  list.push_back({"linear", {f32({1, 1}), f32({1, 1}), f32({1})}});
  list.push_back({"linear", {f32({5, 7}), f32({3, 7}), f32({3})}});
  list.push_back({"linear", {f32({5, 7}), f32({3, 7})}});
  list.push_back({"linear", {f32({2, 3, 4}), f32({5, 4}), f32({5})}});
  list.push_back({"linear", {f32({6}), f32({4, 6}), f32({4})}});
  list.push_back({"linear", {f32({65, 130}), f32({70, 130}), f32({70})}});
  list.push_back({"linear", {f32({100, 17}), f32({130, 17}), f32({130})}});
  list.push_back({"linear", {f32({66, 140}), f32({520, 140}), f32({520})}});

  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      add_product(list, ta ? ir::Shape{4, 3} : ir::Shape{3, 4}, tb ? ir::Shape{5, 4} : ir::Shape{4, 5}, ta, tb);
      add_product(list, ta ? ir::Shape{2, 4, 3} : ir::Shape{2, 3, 4}, tb ? ir::Shape{5, 4} : ir::Shape{4, 5}, ta, tb);
      add_product(list, ta ? ir::Shape{3, 1, 4, 3} : ir::Shape{3, 1, 3, 4}, tb ? ir::Shape{2, 5, 4} : ir::Shape{2, 4, 5}, ta, tb);
      add_product(list, ta ? ir::Shape{67, 33} : ir::Shape{33, 67}, tb ? ir::Shape{65, 67} : ir::Shape{67, 65}, ta, tb);
      add_product(list, ta ? ir::Shape{130, 66} : ir::Shape{66, 130}, tb ? ir::Shape{520, 130} : ir::Shape{130, 520}, ta, tb);
      add_product(list, ta ? ir::Shape{70, 150} : ir::Shape{150, 70}, tb ? ir::Shape{512, 70} : ir::Shape{70, 512}, ta, tb);
    }
  }
  add_product(list, {1, 1}, {1, 1});

  add_pool(list, {2, 3, 6, 5}, {{"kernel", ir::Shape{2, 2}}});
  add_pool(list, {1, 2, 7, 6}, {{"kernel", ir::Shape{3, 2}}, {"stride", ir::Shape{2, 1}}, {"padding", ir::Shape{1, 0, 2, 1}}});
  add_pool(list, {1, 1, 3, 3}, {{"kernel", ir::Shape{3, 3}}, {"stride", ir::Shape{1, 1}}, {"padding", ir::Shape{2, 2, 2, 2}}});
  add_pool(list, {2, 2, 4, 9}, {{"kernel", ir::Shape{1, 3}}, {"stride", ir::Shape{3, 4}}});
  add_pool(list, {1, 1, 17, 17}, {{"kernel", ir::Shape{16, 16}}, {"stride", ir::Shape{1, 1}}});
  add_pool(list, {3, 8, 15, 15}, {{"kernel", ir::Shape{3, 3}}, {"stride", ir::Shape{2, 2}}, {"padding", ir::Shape{1, 1, 1, 1}}});
  list.push_back({"max_pool_grad",
                  {f32({2, 3, 3, 2}), u8({2, 3, 3, 2}, integers(0, 3))},
                  {{"kernel", ir::Shape{2, 2}}, {"input_shape", ir::Shape{2, 3, 6, 5}}}});
  list.push_back({"max_pool_grad",  // overlapping windows; position 3 never lies in the padding
                  {f32({1, 2, 3, 3}), u8({1, 2, 3, 3}, listed({3}))},
                  {{"kernel", ir::Shape{2, 2}},
                   {"stride", ir::Shape{1, 1}},
                   {"padding", ir::Shape{1, 1, 0, 0}},
                   {"input_shape", ir::Shape{1, 2, 3, 3}}}});
  add_pool(list, {2, 3, 5, 7}, {{"kernel", ir::Shape{5, 7}}});
  list.push_back({"global_avg_pool", {f32({2, 3, 5, 7})}});
  list.push_back({"global_avg_pool", {f32({1, 1, 1, 1})}});
  list.push_back({"global_max_pool", {f32({2, 3, 5, 7}, distinct())}});
  list.push_back({"global_max_pool", {u8({2, 3, 2, 2})}});
  list.push_back({"global_max_pool", {s8({1, 2, 3, 1}, integers(-128, -100))}});

  add_normalization(list, {6, 3});
  add_normalization(list, {2, 3, 5, 3});
  add_normalization(list, {3, 7, 29, 31});
  add_row_norm(list, "layer_norm", {4, 7}, {7}, {});
  add_row_norm(list, "layer_norm", {2, 3, 5}, {3, 5}, {{"axis", integer(1)}});
  add_row_norm(list, "layer_norm", {2, 1, 3, 4}, {3, 4}, {{"axis", integer(-2)}});
  add_row_norm(list, "layer_norm", {3}, {3}, {});
  add_row_norm(list, "layer_norm", {37, 512}, {512}, {});
  add_row_norm(list, "group_norm", {2, 6}, {6}, {{"groups", integer(2)}});
  add_row_norm(list, "group_norm", {2, 6, 3, 4}, {6}, {{"groups", integer(3)}});
  add_row_norm(list, "group_norm", {3, 8, 29, 31}, {8}, {{"groups", integer(4)}});
  add_row_norm(list, "instance_norm", {2, 3, 7}, {3}, {});
  add_row_norm(list, "instance_norm", {2, 3, 4, 5}, {3}, {});
  add_row_norm(list, "instance_norm", {3, 7, 29, 31}, {7}, {});
  list.push_back({"exponential_moving_average", {f32({5}), f32({5})}, {{"momentum", 0.25}, {"correction", 1.5}}});
  list.push_back({"exponential_moving_average", {f32({5}, listed({1e7})), f32({5})}, {{"momentum", 0.9999999}, {"correction", 1.0}}});
  list.push_back({"standard_deviation", {f32({7}, uniform(0.1, 3))}, {{"eps", 0.01}}});
}

}  // namespace stair::tests
