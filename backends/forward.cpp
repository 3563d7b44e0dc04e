#include "backends/forward.h"

#include <algorithm>

#include "backends/multiversion.h"
#include "ir/op.h"

namespace stair::backends {

Activation clamp_of(const ir::Node& node) {
  if (node.op->name == "relu") return relu_of;
  return node.op->name == "relu6" ? relu6_of : nullptr;
}

STAIR_MULTIVERSION void sum_rows(const float* a, const float* b, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = a[i] + b[i];
}
STAIR_MULTIVERSION void relu_of(const float* x, float, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] > 0 ? x[i] : 0.0F;
}
STAIR_MULTIVERSION void relu6_of(const float* x, float, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const float raised = x[i] > 0 ? x[i] : 0.0F;
    y[i] = raised < 6 ? raised : 6.0F;
  }
}

const ir::NodeId* sum_behind(const ir::Graph& graph, const ir::Uses& uses, std::span<const ir::NodeId> nodes,
                             const std::function<bool(ir::NodeId)>& free) {
  const ir::NodeId* reader = only_reader(uses, graph.node(nodes.back()).results[0], free);
  if (reader == nullptr) return nullptr;
  const ir::Node& node = graph.node(*reader);
  return node.op->name == "add" && graph.type(node.operands[0]) == graph.type(node.operands[1]) ? reader : nullptr;
}

void add_followers(const ir::Graph& graph, const ir::Uses& uses, const std::function<bool(ir::NodeId)>& free,
                   std::vector<ir::NodeId>& nodes) {
  const auto add = [&](ir::NodeId node) {
    nodes.push_back(node);
    if (!readers_follow(graph, uses, nodes)) nodes.pop_back();
  };
  if (clamp_of(graph.node(nodes.back())) == nullptr) {
    const ir::NodeId* reader = only_reader(uses, graph.node(nodes.back()).results[0], free);
    if (reader != nullptr && clamp_of(graph.node(*reader)) != nullptr) add(*reader);
  }
  const auto observed = static_cast<std::size_t>(graph.node(nodes.back()).results[0]);
  const std::vector<ir::NodeId>& readers = uses.nodes[observed];
  const auto observes = [&](ir::NodeId id) { return free(id) && observer_of(graph.node(id)) != nullptr; };
  const auto observer = std::find_if(readers.begin(), readers.end(), observes);
  if (observer != readers.end() && (readers.size() > 1 || uses.leaves[observed])) add(*observer);
}

Outgoing::Outgoing(const ir::Graph& graph, std::span<const ir::NodeId> nodes) {
  std::size_t operand = 0;
  ir::ValueId value = graph.node(nodes.front()).operands[0];
  for (const ir::NodeId id : nodes) {
    const ir::Node& node = graph.node(id);
    if (node.op->name == "add") {
      adds_ = true;
      const std::size_t other = node.operands[0] == value ? 1 : 0;
      const ir::NodeId producer = graph.value(node.operands[other]).producer;
      if (std::find(nodes.begin(), nodes.end(), producer) == nodes.end()) summand_ = operand + other;
    } else if (clamp_of(node) != nullptr) {
      clamp_ = clamp_of(node);
    } else if (observer_of(node) != nullptr) {
      observer_ = &node;
      before_ = operand + 1;
    }
    operand += node.operands.size();
    value = node.results[0];
  }
}

void Outgoing::row(const float* x, const float* summand, float* y, std::int64_t count, MinMax& seen) const {
  if (adds_) {
    sum_rows(x, summand, y, count);
    x = y;
  }
  if (clamp_ != nullptr) {
    clamp_(x, 0.0F, y, count);
    x = y;
  }
  if (observer_ != nullptr) seen.see(x, count);
}

void Outgoing::observe(const Arguments& a, const MinMax& seen) const {
  if (observer_ == nullptr) return;
  const Seen before = Seen::load(a.operands.subspan(before_, observer_->operands.size() - 1));
  observer_of (*observer_)(*observer_, seen, before).store(a.results.last(observer_->results.size()));
}

}  // namespace stair::backends
