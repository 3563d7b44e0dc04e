#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "passes/analysis.h"
#include "passes/pass.h"

// conv(x, w, b) -> batch_norm_inference(gamma, beta, mean, var), with k = gamma / sqrt(var + eps) and shift = beta - (mean - b) * k:
//   fold=scale (N-BN-SCALE):   channel_affine(conv(x, w), k, shift); realize_integers takes k and shift into the requantization
//   fold=weight (N-BN-WEIGHT): channel_affine(conv(x, w * k), _, shift)
// conv(x, w, b) -> batch_norm, in training with batch statistics m, v:
//   fold=scale:  stays; the convolution is realized up to the accumulator and batch-norm runs in float
//   fold=weight: channel_affine(conv(x, w * k), sqrt(var + eps) / sqrt(v + eps), beta - (m - b) * gamma / sqrt(v + eps)), with m, v of the
//   float convolution
// What factor, correction and shift are is what the normalization says (IntegerForm::affine).

namespace stair::passes {
namespace {

using ir::Attributes;
using ir::Graph;
using ir::Node;
using ir::ValueId;

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
    if (!takes_batch_norm(rewriter_.source(), layer) || !uses_.single(layer.results.front())) return nullptr;
    const Node& reader = rewriter_.source().node(uses_.nodes[static_cast<std::size_t>(layer.results.front())].front());
    // What has another form in inference depends on the batch, of which weights know the running statistics.
    const bool folds = reader.op->integer.kind == ir::IntegerForm::Kind::normalize && (into_weights_ || !reader.op->inference);
    return folds && reader.operands.front() == layer.results.front() ? &reader : nullptr;
  }

  // weight[c, ...] * factor[c], for the weight of that name
  static ValueId scaled_weight(Graph& graph, ValueId weight, ValueId factor, const std::string& name) {
    ir::Shape shape(graph.type(weight).shape.size(), 1);
    shape.front() = graph.type(weight).shape.front();
    factor = graph.emit("reshape", {factor}, {{"shape", shape}}, graph.derived(name, "factor"));
    return graph.emit("mul", {weight, factor}, {}, graph.derived(name, "folded"));
  }

  void fold(const Node& node, const Node& norm) {
    Graph& graph = rewriter_.graph();
    const ir::IntegerForm& form = node.op->integer;
    const ValueId bias = form.bias ? rewriter_(node.operand(*form.bias)) : ir::absent;
    ir::RewriteContext context{graph, norm, {ir::absent}};
    for (std::size_t i = 1; i < norm.operands.size(); ++i) context.operands.push_back(rewriter_(norm.operands[i]));
    const ir::ChannelAffine affine = norm.op->integer.affine(context, bias, [&] {
      Attributes unquantized = node.attributes;
      unquantized.set("quantize", false);
      return graph.add(*node.op, rewriter_(node.operands), unquantized, graph.derived(norm.name, "unfolded")).results.front();
    });
    for (std::size_t i = 0; i < affine.results.size(); ++i) rewriter_.map(norm.results[i + 1], affine.results[i]);
    std::vector<ValueId> operands = rewriter_(node.operands);
    ValueId& weight = operands[form.weight];
    if (into_weights_) weight = scaled_weight(graph, weight, affine.factor, graph.derived(node.name, "weight"));
    if (form.bias && *form.bias < operands.size()) operands[*form.bias] = ir::absent;
    const ValueId y = graph.add(*node.op, std::move(operands), node.attributes, node.name).results.front();
    rewriter_.map(node.results.front(), y);
    const ValueId scale = into_weights_ ? affine.correction : affine.factor;
    rewriter_.map(norm.results.front(), graph.emit("channel_affine", {y, scale, affine.shift}, {}, norm.name));
    changes_.push_back("folded '" + norm.name + "' into the " + (into_weights_ ? "weights" : "scale") + " of '" + node.name + "'");
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
       .options = {ir::choice("fold", "what the factor goes into", {"scale", "weight"})},
       .run = [](const Graph& graph, const Attributes& options) { return Folder(graph, options.text("fold") == "weight").run(); }});
}

}  // namespace stair::passes
