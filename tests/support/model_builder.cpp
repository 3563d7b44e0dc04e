#include "tests/support/model_builder.h"

#include <cmath>
#include <utility>

#include "ir/op.h"
#include "ir/random.h"

namespace stair::tests {

using ir::Graph;
using ir::Initializer;
using ir::Node;
using ir::Shape;
using ir::StateRole;
using ir::ValueId;

namespace {

Initializer kaiming(std::int64_t fan_in) {
  return {Initializer::Kind::uniform, std::sqrt(3.0 / static_cast<double>(fan_in))};
}

}  // namespace

ModelBuilder::ModelBuilder(Shape input) {
  input_ = graph_.add_input("x", {ir::DType::f32, std::move(input)});
}

ValueId ModelBuilder::input(const std::string& name, Shape shape, ir::DType dtype) {
  return graph_.add_input(name, {dtype, std::move(shape)});
}

ValueId ModelBuilder::parameter(const std::string& name, Shape shape, StateRole role, Initializer initializer) {
  ir::State state;
  state.role = role;
  state.initializer = initializer;
  return graph_.add_state(name, {ir::DType::f32, std::move(shape)}, state);
}

ValueId ModelBuilder::conv(ValueId x, const Conv& options) {
  const std::string name = graph_.unique_name("conv");
  const std::int64_t in = shape(x)[1] / options.groups;
  const ValueId weight = parameter(name + ".weight", {options.out, in, options.kernel, options.kernel}, StateRole::parameter,
                                   kaiming(in * options.kernel * options.kernel));
  const ValueId bias =
      options.bias ? parameter(name + ".bias", {options.out}, StateRole::parameter, {Initializer::Kind::uniform, 0.3}) : ir::absent;
  return graph_.emit(options.transposed ? "conv_transpose2d" : "conv2d", {x, weight, bias},
                     {{"stride", std::vector<std::int64_t>{options.stride, options.stride}},
                      {"padding", options.padding},
                      {"dilation", std::vector<std::int64_t>{options.dilation, options.dilation}},
                      {"groups", options.groups}},
                     name);
}

ValueId ModelBuilder::batch_norm(ValueId x) {
  const std::string name = graph_.unique_name("bn");
  const std::int64_t channels = shape(x)[1];
  // Gamma around zero: some channels have a negative factor, which folding must negate.
  const ValueId gamma = parameter(name + ".gamma", {channels}, StateRole::parameter, {Initializer::Kind::uniform, 1.5});
  const ValueId beta = parameter(name + ".beta", {channels}, StateRole::parameter, {Initializer::Kind::uniform, 0.5});
  const ValueId mean = parameter(name + ".mean", {channels}, StateRole::statistic, {Initializer::Kind::uniform, 0.2});
  const ValueId var = parameter(name + ".var", {channels}, StateRole::statistic, {Initializer::Kind::constant, 0.7});
  const std::vector<ValueId> results = graph_.add("batch_norm", {x, gamma, beta, mean, var}, {}, name).results;
  graph_.add_update(mean, results[1]);
  graph_.add_update(var, results[2]);
  return results[0];
}

ValueId ModelBuilder::row_norm(std::string_view op, ValueId x, ir::Attributes attributes) {
  const std::string name = graph_.unique_name("norm");
  Shape parameters{shape(x)[1]};
  if (op == "layer_norm") {
    const std::int64_t axis = attributes.has("axis") ? attributes.integer("axis") : -1;
    parameters = Shape(shape(x).begin() + (axis < 0 ? axis + static_cast<std::ptrdiff_t>(shape(x).size()) : axis), shape(x).end());
  }
  const ValueId gamma = parameter(name + ".gamma", parameters, StateRole::parameter, {Initializer::Kind::uniform, 1.5});
  const ValueId beta = parameter(name + ".beta", parameters, StateRole::parameter, {Initializer::Kind::uniform, 0.5});
  return graph_.emit(op, {x, gamma, beta}, std::move(attributes), name);
}

ValueId ModelBuilder::linear(ValueId x, std::int64_t features, bool bias) {
  const std::string name = graph_.unique_name("fc");
  const std::int64_t in = shape(x).back();
  const ValueId weight = parameter(name + ".weight", {features, in}, StateRole::parameter, kaiming(in));
  const ValueId b = bias ? parameter(name + ".bias", {features}, StateRole::parameter, {Initializer::Kind::uniform, 0.3}) : ir::absent;
  return graph_.emit("linear", {x, weight, b}, {}, name);
}

ValueId ModelBuilder::embedding(ValueId indices, std::int64_t rows, std::int64_t features) {
  const std::string name = graph_.unique_name("embedding");
  const ValueId weight = parameter(name + ".weight", {rows, features}, StateRole::parameter, {Initializer::Kind::uniform, 1});
  return graph_.emit("embedding", {weight, indices}, {}, name);
}

ValueId ModelBuilder::dropout(ValueId x) {
  ir::State counter;
  counter.role = ir::StateRole::counter;
  const ValueId draws = graph_.add_state(graph_.unique_name("dropout.counter"), {ir::DType::i64, {1}}, counter);
  return graph_.emit("dropout", {x, draws});
}

ValueId ModelBuilder::prelu(ValueId x, bool shared) {
  const std::string name = graph_.unique_name("prelu");
  const ValueId slope = parameter(name + ".slope", {shared ? 1 : shape(x)[1]}, StateRole::parameter, {Initializer::Kind::uniform, 0.5});
  return graph_.emit("prelu", {x, slope}, {}, name);
}

ValueId ModelBuilder::again(ValueId layer, ValueId x) {
  const Node node = *graph_.producer(layer);
  std::vector<ValueId> operands = node.operands;
  operands.front() = x;
  return graph_.emit(node.op->name, std::move(operands), node.attributes, node.name);
}

ValueId ModelBuilder::op(std::string_view name, std::vector<ValueId> operands, ir::Attributes attributes) {
  return graph_.emit(name, std::move(operands), std::move(attributes));
}

ValueId ModelBuilder::function(const std::string& name, ValueId x) {
  const auto clipped = [&](double low, double high) { return op("clip", {x}, {{"low", low}, {"high", high}}); };
  if (name == "clip") return clipped(-0.4, 1.3);
  if (name == "exp") return op(name, {clipped(-3, 2)});
  if (name == "log" || name == "sqrt") return op(name, {clipped(2.5, 4)});  // of 2 bits, too, no integer stands for 0 there
  return op(name, {x});
}

const std::vector<std::string>& function_layers() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, op] : ir::op_registry().all()) {
      if (op.layer && op.integer.kind == ir::IntegerForm::Kind::unary) all.push_back(name);
    }
    return all;
  }();
  return names;
}

ValueId ModelBuilder::block(ValueId x, const Conv& options) {
  return op("relu", {batch_norm(conv(x, options))});
}

Graph ModelBuilder::finish(ValueId logits) {
  graph_.add_output("logits", logits);
  return std::move(graph_);
}

Graph small_lenet(std::int64_t batch) {
  ModelBuilder m({batch, 1, 12, 12});
  const ir::Attributes pool{{"kernel", std::vector<std::int64_t>{2, 2}}};
  ValueId x = m.op("max_pool", {m.block(m.input(), {.out = 6, .kernel = 5, .padding = {2, 2, 2, 2}})}, pool);
  x = m.op("max_pool", {m.block(x, {.out = 9})}, pool);
  x = m.op("relu", {m.linear(m.op("flatten", {x}), 20)});
  return m.finish(m.linear(x, 10));
}

Graph small_mixed_net(std::int64_t batch) {
  ModelBuilder m({batch, 3, 8, 8});
  const ValueId stem = m.block(m.input(), {.out = 8});
  const ValueId branch = m.batch_norm(m.conv(m.block(stem, {.out = 8}), {.out = 8}));
  const ValueId residual = m.op("relu", {m.op("add", {branch, stem})});
  const ValueId depthwise = m.op("relu6", {m.batch_norm(m.conv(residual, {.out = 8, .groups = 8}))});
  const ValueId pointwise = m.block(residual, {.out = 5, .kernel = 1, .padding = {0, 0, 0, 0}});
  const ValueId joined = m.op("concat", {depthwise, pointwise});
  const ValueId mixed = m.block(joined, {.out = 12, .stride = 2, .padding = {0, 1, 1, 0}});
  return m.finish(m.linear(m.op("flatten", {m.op("global_avg_pool", {mixed})}), 10));
}

Graph small_preactivation_net(std::int64_t batch) {
  ModelBuilder m({batch, 3, 8, 8});
  ValueId x = m.conv(m.batch_norm(m.input()), {.out = 6, .bias = true});
  for (int block = 0; block < 2; ++block) {
    const ValueId first = m.conv(m.op("relu", {m.batch_norm(x)}), {.out = 6});
    x = m.op("add", {m.conv(m.op("relu6", {m.batch_norm(first)}), {.out = 6}), x});
  }
  x = m.op("global_avg_pool", {m.batch_norm(m.op("relu", {m.batch_norm(x)}))});
  x = m.op("relu", {m.linear(m.op("flatten", {x}), 12)});
  return m.finish(m.linear(m.batch_norm(x), 10));
}

namespace {

// Images of another size or other channels.
template <class Pick>
ValueId resized(ModelBuilder& m, ValueId x, Pick& pick) {
  const Shape shape = m.shape(x);
  switch (pick(5)) {
    case 0:
      return m.op("resize_nearest", {x}, {{"size", Shape{2 + pick(9), 2 + pick(9)}}});
    case 1:
      return m.op("resize_bilinear", {x}, {{"size", Shape{2 + pick(9), 2 + pick(9)}}});
    case 2: {
      const ir::Attributes block{{"block", std::int64_t{2}}, {"order", std::string(pick(2) == 0 ? "dcr" : "crd")}};
      if (shape[1] % 4 == 0) return m.op("depth_to_space", {x}, block);
      if (shape[2] % 2 == 0 && shape[3] % 2 == 0) return m.op("space_to_depth", {x}, block);
      return x;
    }
    case 3:
      return m.op("avg_pool_inside", {x},
                  {{"kernel", Shape{2, 2}}, {"stride", Shape{1 + pick(2), 1}}, {"padding", Shape{pick(2), 1, 1, pick(2)}}});
    default: {
      Shape indices;
      for (std::int64_t i = 1 + pick(5); i > 0; --i) indices.push_back(pick(shape[1]));
      return m.op("gather", {x}, {{"indices", indices}});
    }
  }
}

}  // namespace

Graph random_net(std::uint64_t seed, std::int64_t batch) {
  std::uint64_t draws = 0;
  const auto pick = [&](std::int64_t n) {
    return static_cast<std::int64_t>(ir::random_bits(seed, 7, 0, draws++) % static_cast<std::uint64_t>(n));
  };
  ModelBuilder m({batch, 1 + pick(4), 6 + pick(5), 6 + pick(5)});
  const auto activated = [&](ValueId at) {
    const std::vector<std::string>& names = function_layers();
    return m.function(names[static_cast<std::size_t>(pick(static_cast<std::int64_t>(names.size())))], at);
  };
  // A batch-norm that has no layer to fold into, or whose layer others read, too; by draws of its own.
  std::uint64_t norms = 0;
  const auto norm_alone = [&](ValueId at) {
    switch (ir::random_bits(seed, 10, 0, norms++) % 8) {
      case 0:
        return m.batch_norm(at);
      case 1:
        return m.op("relu", {m.batch_norm(at)});
      case 2:
        return m.op("add", {m.batch_norm(at), at});
      default:
        return at;
    }
  };
  ValueId x = norm_alone(m.input());
  for (std::int64_t layers = 2 + pick(4); layers > 0; --layers) {
    const Shape shape = m.shape(x);
    switch (pick(8)) {
      case 6: {
        const ValueId y = m.batch_norm(m.conv(x, {.out = shape[1]}));
        const std::int64_t kind = pick(5);
        // Of 2 bits, too, no integer of the divisor stands for 0.
        if (kind == 4) x = m.op("div", {y, m.op("clip", {x}, {{"low", 2.5}, {"high", 4.0}})});
        if (kind == 3) x = m.prelu(y, pick(2) == 0);
        if (kind < 3) x = m.op(kind == 0 ? "minimum" : "maximum", {y, x});
        break;
      }
      case 7:
        x = resized(m, x, pick);
        break;
      case 0: {  // a residual addition or product
        const ValueId y = m.batch_norm(m.conv(x, {.out = shape[1]}));
        x = m.op(pick(3) == 0 ? "mul" : (pick(3) == 0 ? "sub" : "add"), {y, x});
        if (pick(2) == 0) x = activated(x);
        break;
      }
      case 1:
        x = m.op("concat", {m.block(x, {.out = 1 + pick(5)}), activated(m.conv(x, {.out = 2, .bias = true}))});
        break;
      case 2:
        x = m.op("relu6", {m.batch_norm(m.conv(x, {.out = shape[1], .groups = shape[1], .bias = pick(2) == 0}))});
        break;
      case 3:
        if (shape[2] >= 4 && shape[3] >= 4) {
          x = m.op(pick(2) == 0 ? "max_pool" : "avg_pool", {x}, {{"kernel", std::vector<std::int64_t>{2, 2}}});
        }
        break;
      case 4:
        x = m.conv(x, {.out = 2 + pick(7), .dilation = 1 + pick(2), .padding = {pick(3) + 1, pick(2) + 1, 1 + pick(2), 2}, .bias = true});
        x = activated(x);
        break;
      default:
        x = m.block(x, {.out = 2 + pick(7), .stride = 1 + pick(2)});
        break;
    }
    x = norm_alone(x);
  }
  const std::int64_t last = pick(3);
  x = last < 2 ? m.op(last == 0 ? "global_avg_pool" : "global_max_pool", {x})
               : m.op("pad", {x}, {{"padding", std::vector<std::int64_t>{0, 0, 1, 0, 0, 0, 0, 2}}});
  x = m.op("flatten", {x});
  if (pick(2) == 0) x = m.op("relu", {m.batch_norm(m.linear(x, 5 + pick(20), pick(2) == 0))});
  x = norm_alone(x);
  return m.finish(m.linear(x, 10));
}

namespace {

// softmax(queries keys^T) values, of x [N, T, K].
ValueId attended(ModelBuilder& m, ValueId x, std::int64_t features) {
  const ValueId scores = m.op("matmul", {m.linear(x, features), m.linear(x, features)}, {{"transpose_b", true}});
  return m.op("matmul", {m.op("softmax", {scores}), m.linear(x, m.shape(x)[2])});
}

}  // namespace

Graph small_attention_net(std::int64_t batch) {
  ModelBuilder m({batch, 6, 8});
  ValueId x = m.linear(m.input(), 8);
  x = m.row_norm("layer_norm", m.op("add", {attended(m, x, 5), x}));
  x = m.row_norm("layer_norm", m.op("add", {m.linear(m.op("gelu", {m.linear(x, 12)}), 8), x}), {{"axis", std::int64_t{1}}});
  return m.finish(m.linear(m.op("reduce_mean", {x}, {{"axes", Shape{1}}}), 10));
}

Graph random_attention_net(std::uint64_t seed, std::int64_t batch) {
  std::uint64_t draws = 0;
  const auto pick = [&](std::int64_t n) {
    return static_cast<std::int64_t>(ir::random_bits(seed, 12, 0, draws++) % static_cast<std::uint64_t>(n));
  };
  const char* const activations[] = {"relu", "gelu", "tanh", "sigmoid"};
  ModelBuilder m({batch, 1 + pick(7), 2 + pick(9)});
  ValueId x = m.input();
  for (std::int64_t steps = 2 + pick(5); steps > 0; --steps) {
    const Shape shape = m.shape(x);
    switch (pick(8)) {
      case 0:
        x = m.op("add", {attended(m, x, 1 + pick(6)), x});
        break;
      case 1:
        x = m.op("softmax", {x}, {{"axis", pick(2) == 0 ? std::int64_t{1} : std::int64_t{-1}}});
        break;
      case 2:
        x = m.row_norm("layer_norm", x, {{"axis", 1 + pick(2)}});
        break;
      case 3: {
        const std::int64_t groups = shape[1] % 2 == 0 && pick(2) == 0 ? 2 : 1;
        x = m.row_norm("group_norm", x, {{"groups", groups}});
        break;
      }
      case 4:
        x = m.row_norm("instance_norm", x);
        break;
      case 5:  // as an image, behind a convolution
        x = m.conv(m.op("reshape", {x}, {{"shape", Shape{0, shape[1], shape[2], 1}}}), {.out = 2 + 2 * pick(3), .bias = true});
        x = m.row_norm(pick(2) == 0 ? "instance_norm" : "layer_norm", x, {});
        x = m.op("reshape", {m.op("relu", {x})}, {{"shape", Shape{0, m.shape(x)[1], m.shape(x)[2]}}});
        break;
      default:
        x = m.op(activations[pick(4)], {m.linear(x, 2 + pick(9))});
        break;
    }
  }
  return m.finish(m.linear(m.op("flatten", {x}), 10));
}

Graph random_shared_net(std::uint64_t seed, std::int64_t batch) {
  std::uint64_t draws = 0;
  const auto pick = [&](std::int64_t n) {
    return static_cast<std::int64_t>(ir::random_bits(seed, 14, 0, draws++) % static_cast<std::uint64_t>(n));
  };
  ModelBuilder m({batch, 1 + pick(3), 4 + pick(4), 4 + pick(4)});
  const auto constant = [&](Shape shape) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < ir::element_count(shape); ++i) values.push_back(static_cast<double>(pick(41) - 20) / 16);
    return m.op("constant", {}, {{"shape", shape}, {"values", values}});
  };
  const auto activated = [&](ValueId x) {
    const char* const names[] = {"relu", "tanh", "relu6", "hard_swish"};
    return pick(3) == 0 ? x : m.op(names[pick(4)], {x});
  };
  // Behind each use its own batch-norm, or none.
  const auto used = [&](ValueId x) { return activated(pick(2) == 0 ? m.batch_norm(x) : x); };
  ValueId left = m.input();
  const bool is_pair = ir::random_bits(seed, 15, 0, 0) % 2 == 0;
  ValueId right = is_pair ? m.input("y", m.shape(m.input())) : m.input();
  right = m.op(pick(2) == 0 ? "tanh" : "relu", {right});
  for (std::int64_t layers = 1 + pick(3); layers > 0; --layers) {
    const ValueId layer = m.conv(left, {.out = 1 + pick(5), .stride = 1 + pick(2), .bias = pick(2) == 0});
    right = used(m.again(layer, right));
    left = used(layer);
    if (pick(2) == 0) right = m.op(pick(2) == 0 ? "add" : "mul", {right, constant({1, m.shape(right)[1], 1, 1})});
  }
  ValueId x = m.op(pick(2) == 0 ? "sub" : "concat", {left, right});
  if (pick(2) == 0) {  // on its own result
    const ValueId layer = m.conv(x, {.out = m.shape(x)[1], .bias = pick(2) == 0});
    x = m.again(layer, used(layer));
  }
  if (pick(2) == 0) m.output("map", pick(2) == 0 ? x : right);
  // By draws of its own: channels of constants, and rows of a table.
  std::uint64_t more = 0;
  const auto draw = [&](std::int64_t n) {
    return static_cast<std::int64_t>(ir::random_bits(seed, 16, 0, more++) % static_cast<std::uint64_t>(n));
  };
  if (draw(2) == 0) {
    const Shape& shape = m.shape(x);
    const ValueId constants = constant({1, 1 + draw(3), shape[2], shape[3]});
    x = m.op("concat", draw(2) == 0 ? std::vector{x, constants} : std::vector{constants, x});
  }
  x = m.op("flatten", {x});
  if (draw(2) == 0) {
    ValueId indices = draw(3) == 0 ? m.op("argmax", {m.op("reshape", {x}, {{"shape", Shape{0, 1, -1}}})})
                                   : m.input("indices", {batch, 1 + draw(4)}, ir::DType::i32);
    if (draw(2) == 0) indices = m.op("unsqueeze", {indices}, {{"axes", Shape{1}}});
    ValueId rows = m.embedding(indices, 1 + draw(12), 1 + draw(6));
    if (draw(2) == 0) rows = activated(rows);
    x = m.op("concat", {m.op("flatten", {rows}), x});
  }
  if (draw(2) == 0) m.output("class", m.op("argmax", {x}));
  const std::int64_t features = m.shape(x)[1];
  const ValueId linear = m.linear(x, features, pick(2) == 0);
  x = pick(2) == 0 ? m.again(linear, used(linear)) : linear;
  if (pick(3) == 0) x = m.op("add", {constant({features}), x});
  if (pick(2) == 0) m.output("features", x);
  return m.finish(m.linear(x, 10));
}

namespace {

class MovingNet {
 public:
  MovingNet(std::uint64_t seed, std::int64_t batch, bool wild)
      : seed_(seed), wild_(wild), m_({batch, 2 + pick(3), 2 + pick(4), 2 + pick(4)}), x_(m_.input()) {}

  Graph finish() {
    for (std::int64_t steps = 3 + pick(6); steps > 0; --steps) {
      step();
      const bool norm = (rank() == 2 || rank() == 4) && ir::random_bits(seed_, 10, 0, static_cast<std::uint64_t>(steps)) % 6 == 0;
      if (norm) x_ = m_.batch_norm(x_);
    }
    x_ = m_.op("flatten", {x_});
    return m_.finish(m_.linear(x_, 10));
  }

 private:
  std::int64_t pick(std::int64_t n) {
    return static_cast<std::int64_t>(ir::random_bits(seed_, 9, 0, draws_++) % static_cast<std::uint64_t>(n));
  }
  const Shape& shape() const { return m_.shape(x_); }
  std::int64_t rank() const { return static_cast<std::int64_t>(shape().size()); }
  std::int64_t dim(std::int64_t axis) const { return shape()[static_cast<std::size_t>(axis)]; }
  // A dimension; that of the batch where that is wild.
  std::int64_t axis() { return wild_ && pick(6) == 0 ? 0 : 1 + pick(rank() - 1); }
  // Of an example.
  std::int64_t elements() const { return ir::element_count(Shape(shape().begin() + 1, shape().end())); }
  std::int64_t divisor() {
    std::vector<std::int64_t> all;
    for (std::int64_t d = 1; d <= elements(); ++d) {
      if (elements() % d == 0) all.push_back(d);
    }
    return all[static_cast<std::size_t>(pick(static_cast<std::int64_t>(all.size())))];
  }
  void reshape(const Shape& to) { x_ = m_.op("reshape", {x_}, {{"shape", to}}); }
  void activate() { x_ = m_.op(pick(2) == 0 ? "relu" : "tanh", {x_}); }
  void transpose(const Shape& permutation) { x_ = m_.op("transpose", {x_}, {{"permutation", permutation}}); }

  // Another shape, in one step or two.
  void change_shape() {
    const std::int64_t d = divisor();
    switch (pick(wild_ ? 8 : 7)) {
      case 0:
        return reshape({0, d, -1});
      case 1:
        return reshape({0, -1, d});
      case 2:
        return reshape({-1, d, elements() / d});
      case 3:
        reshape({0, -1});
        return reshape({0, d, -1, 1});
      case 4:
        x_ = m_.op("flatten", {x_});
        return reshape({0, elements() / d, d});
      case 5: {  // to where it is
        Shape same = shape();
        same[0] = pick(2) == 0 ? 0 : -1;
        return reshape(same);
      }
      case 6: {  // examples beside other things in one dimension
        const std::int64_t all = elements();
        reshape({-1, d});
        activate();
        return reshape({-1, all});
      }
      default:
        return reshape(pick(2) == 0 ? Shape{1, -1} : shape());
    }
  }

  // The dimensions of an example in another order, or the batch behind them and back.
  void turn() {
    Shape permutation;
    for (std::int64_t i = 1; i < rank(); ++i) permutation.insert(permutation.begin() + pick(i), i);
    if (pick(3) > 0) {
      permutation.insert(permutation.begin(), 0);
      return transpose(permutation);
    }
    permutation.push_back(0);
    transpose(permutation);
    if (wild_ && pick(2) == 0) {
      x_ = m_.op("softmax", {x_}, {{"axis", pick(2) == 0 ? std::int64_t{-1} : std::int64_t{0}}});
    } else {
      activate();
    }
    if (wild_ && pick(4) == 0) return;
    Shape back{rank() - 1};
    for (std::int64_t i = 0; i + 1 < rank(); ++i) back.push_back(i);
    transpose(back);
  }

  void reduce() {
    const char* const ops[] = {"reduce_mean", "reduce_max", "reduce_sum"};
    const bool keep = rank() < 3 || pick(2) == 0;
    std::int64_t over = axis();
    if (pick(2) == 0) over -= rank();
    x_ = m_.op(ops[pick(3)], {x_}, {{"axes", Shape{over}}, {"keep", keep}});
  }

  // A dimension of 1 more, or one less.
  void change_rank() {
    Shape ones;
    for (std::int64_t d = 1; d < rank(); ++d) {
      if (dim(d) == 1) ones.push_back(d);
    }
    if (rank() > 2 && !ones.empty() && pick(2) == 0) {
      x_ = m_.op("squeeze", {x_}, {{"axes", Shape{ones[static_cast<std::size_t>(pick(static_cast<std::int64_t>(ones.size())))]}}});
    } else if (rank() < 6) {
      x_ = m_.op("unsqueeze", {x_}, {{"axes", Shape{1 + pick(rank())}}});
    }
  }

  void gather() {
    const std::int64_t at = axis();
    Shape indices;
    for (std::int64_t i = 1 + pick(4); i > 0; --i) indices.push_back(at == 0 ? 0 : pick(dim(at)));
    x_ = m_.op("gather", {x_}, {{"axis", at}, {"indices", indices}});
  }

  void step() {
    switch (pick(14)) {
      case 11:
        return change_rank();
      case 12:
        return gather();
      case 13:
        x_ = m_.op(pick(2) == 0 ? "minimum" : "maximum", {x_, m_.op("tanh", {x_})});
        return;
      case 0:
        return turn();
      case 1:
        return reduce();
      case 2:
        x_ = m_.op("concat", {x_, m_.op("tanh", {x_})}, {{"axis", axis()}});
        return;
      case 3: {
        const std::int64_t at = axis();
        const std::int64_t end = 1 + pick(std::max<std::int64_t>(at == 0 ? 1 : dim(at), 1));
        x_ = m_.op("slice", {x_}, {{"axes", Shape{at}}, {"starts", Shape{pick(end)}}, {"ends", Shape{end}}});
        return;
      }
      case 4: {
        Shape padding(static_cast<std::size_t>(2 * rank()), 0);
        padding[static_cast<std::size_t>(axis() + (pick(2) == 0 ? 0 : rank()))] = pick(3);
        x_ = m_.op("pad", {x_}, {{"padding", padding}});
        return;
      }
      case 5:
        x_ = m_.op(pick(2) == 0 ? "softmax" : "log_softmax", {x_}, {{"axis", axis()}});
        return;
      case 6:
        if (rank() == 2 && !wild_) return;
        x_ = m_.op("matmul", {x_, m_.op("tanh", {x_})}, {{"transpose_b", true}});
        return;
      case 7:
        x_ = m_.op("relu", {m_.linear(x_, 2 + pick(6))});
        return;
      case 8:
        if (rank() != 4) return activate();
        x_ = m_.block(x_, {.out = 2 + pick(4)});
        return;
      default:
        return change_shape();
    }
  }

  std::uint64_t seed_, draws_ = 0;
  bool wild_;
  ModelBuilder m_;
  ValueId x_;
};

}  // namespace

Graph random_moving_net(std::uint64_t seed, std::int64_t batch, bool wild) {
  return MovingNet(seed, batch, wild).finish();
}

}  // namespace stair::tests
