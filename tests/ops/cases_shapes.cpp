#include "tests/ops/case_lists.h"

namespace stair::tests {
namespace {

// Data movement takes every element type.
void add_move(std::vector<Case>& list, const std::string& op, const std::vector<ir::Shape>& shapes, const ir::Attributes& attributes,
              bool integers_too = true) {
  Case floats{op, {}, attributes};
  Case bytes{op, {}, attributes};
  Case words{op, {}, attributes};
  for (const ir::Shape& shape : shapes) {
    floats.operands.emplace_back(f32(shape));
    bytes.operands.emplace_back(u8(shape));
    words.operands.emplace_back(i32(shape, integers(-1e9, 1e9)));
  }
  list.push_back(floats);
  if (!integers_too) return;
  list.push_back(bytes);
  list.push_back(words);
}

void add_reduction(std::vector<Case>& list, const ir::Shape& x, const ir::Shape& axes, bool keep) {
  const ir::Attributes attributes{{"axes", axes}, {"keep", keep}};
  list.push_back({"reduce_sum", {f32(x)}, attributes});
  list.push_back({"reduce_mean", {f32(x)}, attributes});
  const Case largest{"reduce_max", {f32(x, distinct())}, attributes};
  list.push_back(largest);
  list.push_back({"reduce_max", {u8(x)}, attributes});
  list.push_back({"reduce_max", {s8(x, integers(-128, -120))}, attributes});
  const ir::Graph graph = graph_of(largest);
  list.push_back({"reduce_max_grad", {f32(graph.type(graph.node(0).results[0]).shape), f32(x, distinct())}, attributes});
}

}  // namespace

void add_shape_cases(std::vector<Case>& list) {
  add_move(list, "reshape", {{2, 3, 4}}, {{"shape", ir::Shape{0, -1}}});
  add_move(list, "reshape", {{6}}, {{"shape", ir::Shape{3, 1, 2}}});
  add_move(list, "flatten", {{2, 3, 5}}, {});
  add_move(list, "flatten", {{2, 3, 5}}, {{"axis", integer(2)}});
  add_move(list, "transpose", {{2, 3, 5}}, {{"permutation", ir::Shape{2, 0, 1}}});
  add_move(list, "transpose", {{3, 4}}, {{"permutation", ir::Shape{1, 0}}});
  add_move(list, "transpose", {{2, 3, 4, 5}}, {{"permutation", ir::Shape{0, 2, 3, 1}}});
  add_move(list, "concat", {{2, 3, 4}, {2, 1, 4}, {2, 5, 4}}, {});
  add_move(list, "concat", {{2, 3}, {2, 4}}, {{"axis", integer(-1)}});
  add_move(list, "concat", {{1, 3}, {4, 3}}, {{"axis", integer(0)}});
  add_move(list, "concat", {{3, 2}}, {});
  add_move(list, "squeeze", {{2, 1, 3, 1}}, {{"axes", ir::Shape{1, -1}}});
  add_move(list, "squeeze", {{1}}, {{"axes", ir::Shape{0}}});
  add_move(list, "unsqueeze", {{2, 3}}, {{"axes", ir::Shape{-1, 1}}});
  add_move(list, "gather", {{2, 5, 3}}, {{"indices", ir::Shape{4, 0, 0, 2}}});
  add_move(list, "gather", {{4, 3}}, {{"axis", integer(-1)}, {"indices", ir::Shape{1}}});
  add_move(list, "gather", {{2, 3, 4, 5}}, {{"axis", integer(2)}, {"indices", ir::Shape{3, 3, 1}}});
  list.push_back(
      {"gather_grad", {f32({2, 4, 3})}, {{"axis", integer(1)}, {"indices", ir::Shape{4, 0, 0, 2}}, {"input_shape", ir::Shape{2, 5, 3}}}});
  add_move(list, "concat", {{4, 2, 3}, {1, 5, 3}}, {});
  add_move(list, "concat", {{1, 2}, {3, 2}, {3, 1}}, {{"axis", integer(-1)}});
  for (const Operand& table : {f32({5, 3}), u8({5, 3}), s8({5, 3})}) {
    list.push_back({"embedding", {table, i32({2, 4}, integers(0, 4))}});
    list.push_back({"embedding", {table, i32({7}, integers(-9, 9))}});
  }
  list.push_back({"embedding", {f32({40, 96}), i32({3, 300}, integers(0, 39))}});
  list.push_back({"embedding_grad", {f32({2, 4, 3}), i32({2, 4}, integers(-1, 5))}, {{"rows", integer(5)}}});
  list.push_back({"embedding_grad", {f32({3, 300, 96}), i32({3, 300}, integers(0, 39))}, {{"rows", integer(40)}}});
  list.push_back({"argmax", {f32({4, 7})}});
  list.push_back({"argmax", {u8({2, 5, 3}, integers(0, 3))}, {{"axis", integer(1)}}});
  list.push_back({"argmax", {s8({3, 4, 2}, integers(-128, -127))}, {{"axis", integer(0)}}});
  list.push_back({"argmax", {f32({16, 10, 9, 30}, integers(0, 5))}, {{"axis", integer(1)}}});
  for (const char* order : {"dcr", "crd"}) {
    add_move(list, "depth_to_space", {{2, 8, 3, 2}}, {{"block", integer(2)}, {"order", text(order)}});
    add_move(list, "space_to_depth", {{2, 2, 6, 9}}, {{"block", integer(3)}, {"order", text(order)}});
  }
  add_move(list, "resize_nearest", {{2, 3, 4, 5}}, {{"size", ir::Shape{8, 7}}});
  add_move(list, "resize_nearest", {{1, 2, 9, 4}}, {{"size", ir::Shape{3, 4}}});
  list.push_back({"resize_nearest_grad", {f32({2, 3, 8, 7})}, {{"size", ir::Shape{8, 7}}, {"input_shape", ir::Shape{2, 3, 4, 5}}}});
  for (const auto& [x, size] : {std::pair{ir::Shape{2, 3, 4, 5}, ir::Shape{8, 10}}, std::pair{ir::Shape{1, 2, 9, 4}, ir::Shape{3, 7}},
                                std::pair{ir::Shape{1, 1, 1, 1}, ir::Shape{3, 2}}, std::pair{ir::Shape{3, 8, 16, 16}, ir::Shape{24, 31}}}) {
    const ir::Attributes attributes{{"size", size}};
    list.push_back({"resize_bilinear", {f32(x)}, attributes});
    list.push_back({"resize_bilinear_grad", {f32({x[0], x[1], size[0], size[1]})}, {{"size", size}, {"input_shape", x}}});
    list.push_back({"resize_bilinear_integer", {u8(x), i32({1}, listed({7}))}, attributes});
    list.push_back({"resize_bilinear_integer", {s8(x), i32({1}, listed({-5}))}, attributes});
  }
  add_move(list, "slice", {{4, 5, 6}}, {{"axes", ir::Shape{0, -1}}, {"starts", ir::Shape{1, 2}}, {"ends", ir::Shape{3, 5}}});
  add_move(list, "slice", {{7}}, {{"axes", ir::Shape{0}}, {"starts", ir::Shape{6}}, {"ends", ir::Shape{7}}});
  add_move(list, "pad", {{2, 3}}, {{"padding", ir::Shape{1, 0, 2, 3}}, {"value", 0.5}}, false);
  add_move(list, "pad", {{1, 2, 3, 2}}, {{"padding", ir::Shape{0, 0, 1, 2, 0, 0, 2, 1}}}, false);

  add_reduction(list, {3, 4, 5}, {1}, false);
  add_reduction(list, {3, 4, 5}, {0, 2}, true);
  add_reduction(list, {3, 4, 5}, {-1, -3}, false);
  add_reduction(list, {2, 3, 7, 5}, {2, 3}, false);
  add_reduction(list, {6, 3}, {0, 1}, false);
  add_reduction(list, {9, 1025}, {0}, true);

  list.push_back({"broadcast", {f32({3, 1})}, {{"shape", ir::Shape{2, 3, 4}}}});
  list.push_back({"broadcast", {f32({})}, {{"shape", ir::Shape{2, 3}}}});
  list.push_back({"broadcast", {f32({1, 3, 1, 5})}, {{"shape", ir::Shape{2, 3, 4, 5}}}});

  for (const char* op : {"softmax", "log_softmax"}) {
    list.push_back({op, {f32({5, 7}, uniform(-4, 4))}});
    list.push_back({op, {f32({2, 3, 4}, uniform(-4, 4))}, {{"axis", integer(1)}}});
    list.push_back({op, {f32({2, 3, 4}, uniform(80, 120))}, {{"axis", integer(0)}}});
    const std::string gradient = std::string(op) + "_grad";
    list.push_back({gradient, {f32({5, 7}), f32({5, 7}, uniform(-1, 0))}});
    list.push_back({gradient, {f32({2, 3, 4}), f32({2, 3, 4}, uniform(-1, 0))}, {{"axis", integer(1)}}});
  }

  list.push_back({"constant", {}, {{"value", 2.5}, {"shape", ir::Shape{2, 3}}}});
  list.push_back({"constant", {}, {{"value", -3.0}, {"shape", ir::Shape{}}, {"dtype", text("s8")}}});
  list.push_back({"constant", {}, {{"value", 1e6}, {"shape", ir::Shape{4}}, {"dtype", text("i32")}}});
  list.push_back({"constant", {}, {{"value", 1e12}, {"dtype", text("i64")}}});
  list.push_back({"constant", {}, {{"value", 200.0}, {"dtype", text("u8")}}});
  list.push_back({"constant", {}, {{"values", std::vector<double>{1, -0.25, 1e-3, 7}}, {"shape", ir::Shape{2, 2}}}});
  list.push_back({"constant", {}, {{"values", std::vector<double>{-128, 127}}, {"shape", ir::Shape{2}}, {"dtype", text("s8")}}});
  list.push_back({"one_hot", {i32({6}, integers(0, 4))}, {{"classes", integer(5)}}});
}

}  // namespace stair::tests
