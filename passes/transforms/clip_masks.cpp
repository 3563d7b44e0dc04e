#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "passes/pass.h"

// %q = quantize(%x, …); …; %f = clipped_gradient(%dy, %x, …); %dx = relu_grad(%f, %x)
//   ->  %q = quantize(%x, …); %m = range_mask(%x, …) {clamp=[0]}; …; %dx = apply_mask(%dy, %m)
//
// Of a float that was quantized, the straight-through estimator (and the clamp before it) asks only on which side of its bounds it lies:
// a bit is kept until then, and not the float.

namespace stair::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::ValueId;

// A gradient that asks x for a bit: of a quantizer, and of the clamp that x is the result of, if that comes next.
struct Question {
  const Node* quantizer = nullptr;
  const Node* activation = nullptr;
  const Node& last() const { return activation != nullptr ? *activation : *quantizer; }
};

class Masks {
 public:
  explicit Masks(const Graph& graph) : graph_(graph), uses_(graph), rewriter_(graph) {}

  Result run() {
    for (std::size_t value = 0; value < graph_.values().size(); ++value) find(static_cast<ValueId>(value));
    for (const Node& node : graph_.nodes()) {
      const auto question = ends_.find(&node);
      if (question != ends_.end()) {
        answer(question->second);
      } else if (!dropped_.contains(&node)) {
        rewriter_.copy(node);
      }
      const auto waiting = asked_after_.find(&node);
      if (waiting == asked_after_.end()) continue;
      for (const Question& asked : waiting->second) ask(asked);
    }
    return {rewriter_.finish(), std::move(changes_)};
  }

 private:
  NodeId id(const Node& node) const { return graph_.value(node.results.front()).producer; }

  // The clamp's gradient, if it is all that reads the quantizer's and x is the clamp's result.
  const Node* clamp_behind(const Node& quantizer, ValueId x) const {
    const Node* producer = graph_.producer(x);
    if (producer == nullptr || !producer->op->clamp || !uses_.single(quantizer.results.front())) return nullptr;
    const Node& reader = graph_.node(uses_.nodes[static_cast<std::size_t>(quantizer.results.front())].front());
    const bool fits = is(reader, producer->op->clamp->gradient) && reader.operands[0] == quantizer.results.front();
    return fits && reader.operands[1] == x ? &reader : nullptr;
  }

  // All that reads x behind its last other reader must ask for bits.
  void find(ValueId x) {
    const auto at = static_cast<std::size_t>(x);
    if (graph_.producer(x) == nullptr || uses_.leaves[at]) return;
    std::vector<Question> questions;
    for (const NodeId reader : uses_.nodes[at]) {
      const Node& node = graph_.node(reader);
      const bool one_scale = is(node, "clipped_gradient") && ir::element_count(graph_.type(node.operands[2]).shape) == 1;
      if (one_scale && node.operands[1] == x && node.operands[0] != x) {
        questions.push_back({&node, clamp_behind(node, x)});
      }
    }
    if (questions.empty()) return;
    NodeId ready = graph_.value(x).producer;
    for (const NodeId reader : uses_.nodes[at]) {
      const auto asks = [&](const Question& q) {
        return reader == id(*q.quantizer) || (q.activation != nullptr && reader == id(*q.activation));
      };
      if (std::none_of(questions.begin(), questions.end(), asks)) ready = std::max(ready, reader);
    }
    for (const Question& q : questions) {
      for (const std::size_t parameter : {std::size_t{2}, std::size_t{3}}) {
        const ValueId value = q.quantizer->operands[parameter];
        if (graph_.producer(value) != nullptr) ready = std::max(ready, graph_.value(value).producer);
      }
    }
    const auto early = [&](const Question& q) { return id(*q.quantizer) < ready; };
    if (std::any_of(questions.begin(), questions.end(), early)) return;
    for (const Question& q : questions) {
      ends_.emplace(&q.last(), q);
      if (q.activation != nullptr) dropped_.insert(q.quantizer);
      asked_after_[&graph_.node(ready)].push_back(q);
    }
  }

  void ask(const Question& q) {
    const Node& node = *q.quantizer;
    ir::Attributes attributes{{"lo", node.attributes.at("lo")}, {"hi", node.attributes.at("hi")}, {"axis", node.attributes.at("axis")}};
    if (q.activation != nullptr) {
      attributes.set("clamp", bounds_of(*clamp_by(*graph_.producer(node.operands[1]))));
    }
    const std::string& name = graph_.value(node.operands[1]).name;
    masks_[&node] =
        rewriter_.graph().emit("range_mask", {rewriter_(node.operands[1]), rewriter_(node.operands[2]), rewriter_(node.operands[3])},
                               attributes, rewriter_.graph().derived(name, "mask"));
  }

  void answer(const Question& q) {
    const Node& last = q.last();
    rewriter_.map(last.results.front(),
                  rewriter_.graph().emit("apply_mask", {rewriter_(q.quantizer->operands[0]), masks_.at(q.quantizer)}, {}, last.name));
    changes_.push_back("'" + last.name + "' reads bits of '" + graph_.value(q.quantizer->operands[1]).name + "'");
  }

  const Graph& graph_;
  ir::Uses uses_;
  ir::Rewriter rewriter_;
  std::map<const Node*, Question> ends_;                      // by the last node of the question
  std::set<const Node*> dropped_;                             // nodes that another answers for
  std::map<const Node*, std::vector<Question>> asked_after_;  // by the node behind which the bits are made
  std::map<const Node*, ValueId> masks_;                      // by the quantizer's gradient
  std::vector<std::string> changes_;
};

}  // namespace

void clip_masks(PassRegistry& registry) {
  registry.add({.name = "clip_masks",
                .summary =
                    "Keeps a bit for each element of a quantized float, instead of the float, where only the gradients of the quantizer "
                    "(and of the clamp before it) read it any more.",
                .run = [](const Graph& graph, const ir::Attributes&) { return Masks(graph).run(); }});
}

}  // namespace stair::passes
