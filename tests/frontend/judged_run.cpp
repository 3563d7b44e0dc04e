#include "tests/frontend/judged_run.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "ir/op.h"
#include "passes/outputs.h"

namespace stair::tests {

using ir::Node;
using ir::ValueId;

JudgedRun::JudgedRun(ir::Graph model, const std::string& recipe, std::uint64_t seed)
    : run(quantized_run(std::move(model), recipe, 2, seed)) {
  simulated = passes::run(passes::simulated_evaluation(run.recipe), run.model);
  for (const passes::Step& step : passes::quantized_evaluation(run.recipe)) {
    if (step.pass == "realize_integers") realized = passes::run(step, simulated);
  }
  images = random_images(run.model.type(run.model.inputs().front()), seed + 99);
  std::vector<ValueId> computed;
  for (const Node& node : realized.graph.nodes()) computed.insert(computed.end(), node.results.begin(), node.results.end());
  const ir::Graph all = passes::with_outputs(realized.graph, computed);
  runtime::Executor executor = frontend::executor_for(all, run.states, {});
  const ir::TensorView view = images.view();
  executor.run({&view, 1});
  for (const ir::Output& output : all.outputs()) {
    runtime::Tensor copy(all.type(output.value));
    std::copy_n(executor.output(output.name).as<char>(), copy.bytes(), copy.as<char>());
    values.emplace(realized.graph.find(output.name), std::move(copy));
  }
  for (const ir::State& state : realized.graph.states()) {
    values.emplace(state.value, run.states.find(realized.graph.value(state.value).name)->second.clone());
  }
  values.emplace(realized.graph.inputs().front(), images.clone());
}

verification::Judge::Values JudgedRun::source() {
  return [this](ValueId value) { return values.at(value).view(); };
}

std::vector<verification::Judgement> JudgedRun::judge_constants() {
  if (!of_constants_) of_constants_.emplace(simulated, realized, run.states, 1);
  std::vector<verification::Judgement> found;
  of_constants_->judge_constants(source(), found);
  return found;
}

std::vector<verification::Judgement> JudgedRun::judge_images() {
  if (!of_images_) of_images_.emplace(simulated, realized, run.states, 1);
  std::vector<verification::Judgement> found;
  of_images_->judge(std::vector{images.view()}, source(), 0, images.type().shape.front(), found);
  return found;
}

std::int64_t wrong(const std::vector<verification::Judgement>& judgements, const std::string& what) {
  std::int64_t count = 0;
  for (const verification::Judgement& j : judgements) count += what.empty() || j.what == what ? j.wrong : 0;
  return count;
}

std::string describe(const std::vector<verification::Judgement>& judgements) {
  std::string text;
  for (const verification::Judgement& j : judgements) {
    if (j.wrong == 0) continue;
    text += j.node + ": " + j.what + ": " + std::to_string(j.wrong) + " of " + std::to_string(j.elements);
    if (j.first) {
      text += ", first " + std::to_string(j.first->index) + ": expected " + std::to_string(j.first->expected) + ", found " +
              std::to_string(j.first->found);
    }
    text += "\n";
  }
  return text;
}

namespace {

double number_at(const runtime::Tensor& tensor, std::int64_t i) {
  switch (tensor.type().dtype) {
    case ir::DType::u8:
      return tensor.as<std::uint8_t>()[i];
    case ir::DType::s8:
      return tensor.as<std::int8_t>()[i];
    case ir::DType::i32:
      return tensor.as<std::int32_t>()[i];
    default:
      return static_cast<double>(tensor.as<float>()[i]);
  }
}

double activation_of(const std::string& name, double x, double a, double b) {
  const double hard = std::min(std::max(x + 3, 0.0), 6.0);
  if (name == "identity") return x;
  if (name == "relu") return std::max(x, 0.0);
  if (name == "relu6") return std::min(std::max(x, 0.0), 6.0);
  if (name == "leaky_relu") return x < 0 ? a * x : x;
  if (name == "clip" || name == "hard_tanh") return std::max(std::min(x, b), a);
  if (name == "elu") return x < 0 ? a * (std::exp(x) - 1) : x;
  if (name == "silu") return x * (0.5 + std::tanh(x / 2) / 2);
  if (name == "softplus") return x < 0 ? std::log1p(std::exp(x)) : x + std::log1p(std::exp(-x));
  if (name == "mish") return x * (1 - 2 / (std::pow(1 + std::exp(x), 2) + 1));
  if (name == "negate") return -x;
  if (name == "abs") return x < 0 ? -x : x;
  if (name == "square") return x * x;
  if (name == "sqrt") return std::pow(x, 0.5);
  if (name == "exp") return std::exp(x);
  if (name == "log") return std::log2(x) * std::log(2.0);
  if (name == "sigmoid") return 0.5 + std::tanh(x / 2) / 2;
  if (name == "tanh") return 1 - 2 / (std::exp(2 * x) + 1);
  if (name == "hard_sigmoid") return hard / 6;
  if (name == "hard_swish") return x * hard / 6;
  if (name == "gelu") return x * (1 + std::erf(x / std::sqrt(2.0))) / 2;
  throw std::logic_error("no function " + name);
}

// The operands of a node, by number.
struct Operands {
  const JudgedRun& run;
  const Node& node;

  bool has(std::size_t n) const { return n < node.operands.size() && node.operands[n] != ir::absent; }
  const runtime::Tensor& tensor(std::size_t n) const { return run.values.at(node.operands[n]); }
  double first(std::size_t n) const { return number_at(tensor(n), 0); }
  double element(std::size_t n, std::int64_t i) const { return number_at(tensor(n), i); }
  // Of the channel that element i of operand 0 belongs to.
  double channel(std::size_t n, std::int64_t i) const {
    if (tensor(n).count() == 1) return first(n);
    const ir::Shape& shape = tensor(0).type().shape;
    std::int64_t axis = node.attributes.integer("axis");
    if (axis < 0) axis += static_cast<std::int64_t>(shape.size());
    std::int64_t inner = 1;
    for (std::size_t d = static_cast<std::size_t>(axis) + 1; d < shape.size(); ++d) inner *= shape[d];
    return element(n, i / inner % tensor(n).count());
  }
  // Limited to the range of the result, or what a clamp narrows it to.
  double limited(double t, std::size_t range) const {
    const bool narrowed = has(range);
    const double low = narrowed ? element(range, 0) : static_cast<double>(node.attributes.integer("lo"));
    const double high = narrowed ? element(range, 1) : static_cast<double>(node.attributes.integer("hi"));
    return std::min(std::max(t, low), high);
  }
};

// m * 2^(31 - shift), with the shift that leaves it in [2^30, 2^31).
double mantissa_of(double m) {
  int exponent = 0;
  const double fraction = std::frexp(m, &exponent);
  return exponent < -31 ? 0 : exponent > 30 ? 2147483647.0 : fraction * 2147483648.0;
}

}  // namespace

std::optional<double> unrounded(const JudgedRun& run, ValueId value, std::int64_t i) {
  const ir::Graph& graph = run.realized.graph;
  const Node* node = graph.producer(value);
  while (node != nullptr && node->op->name == "reshape") node = graph.producer(node->operands[0]);
  if (node == nullptr) return std::nullopt;
  const Operands its{run, *node};
  const std::string& op = node->op->name;
  const int result = graph.value(value).result;
  const std::size_t none = node->operands.size();
  if (op == "quantize") return its.limited(its.first(2) + its.element(0, i) / its.channel(1, i), none);
  if (op == "requantize") {
    const bool float_bias = its.has(3) && its.tensor(3).type().dtype == ir::DType::f32;
    const double total = its.element(0, i) + (its.has(3) && !float_bias ? its.channel(3, i) : 0);
    return its.limited(its.first(2) + total * its.channel(1, i) + (float_bias ? its.channel(3, i) : 0), 4);
  }
  if (op == "point_binary") {
    if (its.tensor(0).count() != its.tensor(1).count()) throw std::logic_error("point_binary that broadcasts");
    const double a = (its.element(0, i) - its.first(3)) * its.first(2);
    const double b = (its.element(1, i) - its.first(5)) * its.first(4);
    const std::string& function = node->attributes.text("function");
    return its.limited(its.first(7) + (function == "mul" ? a * b : function == "sub" ? a - b : a + b) / its.first(6), 8);
  }
  if (op == "affine_parameters" && result == 1 && !node->attributes.boolean("symmetric")) {
    const double least = std::min(its.first(0), 0.0);
    const double scale = number_at(run.values.at(node->results[0]), 0);
    return its.limited(static_cast<double>(node->attributes.integer("lo")) - least / scale, none);
  }
  if (op == "fit_channels" && result == 3 && its.has(4)) return its.element(4, i) / number_at(run.values.at(node->results[2]), i);
  if (op == "fixed_multiplier" && result == 0) return mantissa_of(its.element(0, i));
  if (op == "add_fixed_multipliers" && result == 0) {
    const double twice = 2 * std::max(its.first(0), its.first(1));
    return mantissa_of(i == 0 ? its.first(0) / twice : i == 1 ? its.first(1) / twice : twice / (1048576.0 * its.first(2)));
  }
  if (op == "clamp_range") {
    const std::vector<double>& clamp = node->attributes.numbers("clamp");
    if (i >= static_cast<std::int64_t>(clamp.size())) return std::nullopt;
    return its.limited(its.first(1) + clamp[static_cast<std::size_t>(i)] / its.first(0), none);
  }
  if (op == "tabulate") {
    const double q = static_cast<double>(i) - (node->attributes.integer("x_lo") < 0 ? 128 : 0);
    const std::vector<double>& parameters = node->attributes.numbers("parameters");
    const double y = activation_of(node->attributes.text("function"), (q - its.first(1)) * its.first(0),
                                   parameters.empty() ? 0 : parameters[0], parameters.size() < 2 ? 0 : parameters[1]);
    return its.limited(its.first(3) + y / its.first(2), none);
  }
  return std::nullopt;
}

}  // namespace stair::tests
