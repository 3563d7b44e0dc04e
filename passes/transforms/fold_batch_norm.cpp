#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "passes/analysis.h"
#include "passes/pass.h"

// conv(x, w, b) -> batch_norm_inference(gamma, beta, mean, var), with k = gamma / sqrt(var + eps) and shift = beta - (mean - b) * k:
//   fold=scale (N-BN-SCALE):   channel_affine(conv(x, w), k, shift); realize_integers takes k and shift into the requantization
//   fold=weight (N-BN-WEIGHT): channel_affine(conv(x, w * k), _, shift)
// conv(x, w, b) -> batch_norm, in training with batch statistics m, v:
//   fold=scale:  stays; the convolution is realized up to the accumulator and batch-norm runs in float
//   fold=weight: channel_affine(conv(x, w * k), sqrt(var + eps) / sqrt(v + eps), beta - (m - b) * gamma / sqrt(v + eps)), with m, v of the
//   float
//                convolution: the correction of Krishnamoorthi 2018 (section 3.2.2), which keeps the jitter of batch statistics out of the
//                weights

namespace stair::passes {
namespace {

using ir::Attributes;
using ir::Graph;
using ir::Node;
using ir::ValueId;

// Operands of batch_norm and batch_norm_inference.
enum Operand : std::size_t { x, gamma, beta, mean, variance };

class Folder {
 public:
  Folder(const Graph& graph, bool into_weights) : rewriter_(graph), uses_(graph), into_weights_(into_weights) {}

  Result run() {
    for (const Node& node : rewriter_.source().nodes()) {
      if (const Node* norm = norm_after(node)) {
        fold(node, *norm);
      } else if (!rewriter_.mapped(node.results.front())) {
        rewriter_.copy(node);
      }
    }
    return {rewriter_.finish(), std::move(changes_)};
  }

 private:
  // The batch-norm that this pass takes into the layer, or nullptr.
  const Node* norm_after(const Node& layer) const {
    if (!takes_batch_norm(layer) || !uses_.single(layer.results.front())) return nullptr;
    const Node& reader = rewriter_.source().node(uses_.nodes[static_cast<std::size_t>(layer.results.front())].front());
    const bool folds = reader.op->name == "batch_norm_inference" || (into_weights_ && reader.op->name == "batch_norm");
    return folds && reader.operands[Operand::x] == layer.results.front() ? &reader : nullptr;
  }

  ValueId emit(const char* op, std::vector<ValueId> operands, const std::string& name, Attributes attributes = {}) {
    return rewriter_.graph().emit(op, std::move(operands), std::move(attributes), name);
  }

  // weight[c, ...] * factor[c]
  ValueId scaled_weight(ValueId weight, ValueId factor, const std::string& name) {
    ir::Shape shape(rewriter_.graph().type(weight).shape.size(), 1);
    shape.front() = rewriter_.graph().type(weight).shape.front();
    return emit("mul", {weight, emit("reshape", {factor}, name + ".factor", {{"shape", shape}})}, name + ".folded");
  }

  // beta - (mean - bias) * factor
  ValueId shift(const Node& norm, ValueId centre, ValueId bias, ValueId factor) {
    if (bias != ir::absent) centre = emit("sub", {centre, bias}, norm.name + ".centre");
    return emit("sub", {rewriter_(norm.operands[Operand::beta]), emit("mul", {centre, factor}, norm.name + ".moved")},
                norm.name + ".shift");
  }

  void fold(const Node& node, const Node& norm) {
    const std::string& name = norm.name;
    const Attributes eps{{"eps", norm.attributes.at("eps")}};
    const ValueId bias = node.operands.size() > 2 ? rewriter_(node.operands[2]) : ir::absent;
    const ValueId running_deviation = emit("standard_deviation", {rewriter_(norm.operands[Operand::variance])}, name + ".std", eps);
    const ValueId factor = emit("div", {rewriter_(norm.operands[Operand::gamma]), running_deviation}, name + ".factor");
    ValueId scale = into_weights_ ? ir::absent : factor;
    ValueId centre = rewriter_(norm.operands[Operand::mean]);
    ValueId shift_factor = factor;
    if (norm.op->name == "batch_norm") {
      const std::vector<ValueId> statistics = batch_statistics(node, norm, bias);
      const ValueId batch_deviation = emit("standard_deviation", {statistics[1]}, name + ".batch_std", eps);
      scale = emit("div", {running_deviation, batch_deviation}, name + ".correction");
      centre = statistics[0];
      shift_factor = emit("div", {rewriter_(norm.operands[Operand::gamma]), batch_deviation}, name + ".batch_factor");
    }
    const ValueId moved = shift(norm, centre, bias, shift_factor);
    const ValueId weight = rewriter_(node.operands[1]);
    const ValueId y = emit(node.op->name.c_str(),
                           {rewriter_(node.operands[0]), into_weights_ ? scaled_weight(weight, factor, node.name + ".weight") : weight},
                           node.name, node.attributes);
    rewriter_.map(node.results.front(), y);
    rewriter_.map(norm.results.front(), emit("channel_affine", {y, scale, moved}, name));
    changes_.push_back("folded '" + name + "' into the " + (into_weights_ ? "weights" : "scale") + " of '" + node.name + "'");
  }

  // Mean and variance of the float layer over this batch; the running statistics follow them.
  std::vector<ValueId> batch_statistics(const Node& node, const Node& norm, ValueId bias) {
    Graph& graph = rewriter_.graph();
    Attributes unquantized = node.attributes;
    unquantized.set("quantize", false);
    const ValueId plain =
        emit(node.op->name.c_str(), {rewriter_(node.operands[0]), rewriter_(node.operands[1]), bias}, norm.name + ".unfolded", unquantized);
    const std::vector<ValueId> statistics = graph.add("batch_statistics", {plain}, {}, norm.name + ".statistics").results;
    const ir::Shape& shape = graph.type(plain).shape;
    const auto n = static_cast<double>(ir::element_count(shape) / shape[1]);
    const ir::Attribute& momentum = norm.attributes.at("momentum");
    rewriter_.map(norm.results[1], emit("exponential_moving_average", {rewriter_(norm.operands[Operand::mean]), statistics[0]},
                                        norm.name + ".new_mean", {{"momentum", momentum}}));
    rewriter_.map(norm.results[2], emit("exponential_moving_average", {rewriter_(norm.operands[Operand::variance]), statistics[1]},
                                        norm.name + ".new_var", {{"momentum", momentum}, {"correction", n > 1 ? n / (n - 1) : 1.0}}));
    return statistics;
  }

  ir::Rewriter rewriter_;
  ir::Uses uses_;
  bool into_weights_;
  std::vector<std::string> changes_;
};

}  // namespace

void fold_batch_norm(PassRegistry& registry) {
  registry.add(
      {.name = "fold_batch_norm",
       .summary =
           "Folds batch-norm into the convolution or linear layer before it: into the requantization's scale (N-BN-SCALE) or into the "
           "weights (N-BN-WEIGHT; in training with the batch-statistics correction). Runs before insert_fake_quantize.",
       .options = {{"fold", "'scale' or 'weight'", std::string("scale")}},
       .run = [](const Graph& graph, const Attributes& options) {
         const std::string& fold = options.text("fold");
         if (fold != "scale" && fold != "weight") {
           throw Error("pass 'fold_batch_norm': fold is '" + fold + "', expected 'scale' or 'weight'");
         }
         return Folder(graph, fold == "weight").run();
       }});
}

}  // namespace stair::passes
