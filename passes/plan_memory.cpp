#include "passes/plan_memory.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "ir/op.h"

namespace stair::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::ValueId;
using Placement = ir::MemoryPlan::Placement;

constexpr std::size_t alignment = 64;

// Bytes that one value, or several that are written over one another in turn, hold from the step `first` to the step `last`.
struct Block {
  std::size_t bytes = 0;
  std::int64_t first = 0, last = 0;
  std::size_t offset = 0;
};

class Planner {
 public:
  Planner(const Graph& graph, const ir::Schedule& schedule)
      : graph_(graph), schedule_(schedule), uses_(graph), step_of_(graph.nodes().size()), block_of_(graph.values().size(), none) {
    for (std::size_t step = 0; step < schedule.size(); ++step) {
      for (const NodeId node : schedule[step]) step_of_[static_cast<std::size_t>(node)] = static_cast<std::int64_t>(step);
    }
  }

  ir::MemoryPlan run() {
    plan_.placements.resize(graph_.values().size());
    for (const ValueId input : graph_.inputs()) place(input).kind = Placement::Kind::input;
    for (const ir::State& state : graph_.states()) place(state.value) = {Placement::Kind::state, 0, state.value};
    for (const std::vector<NodeId>& group : schedule_) place_internal(group);
    for (const ir::Update& update : graph_.updates()) place_update(update);
    make_blocks();
    lay_out();
    for (std::size_t i = 0; i < block_of_.size(); ++i) {
      if (block_of_[i] != none) plan_.placements[i].offset = blocks_[block_of_[i]].offset;
    }
    return std::move(plan_);
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  Placement& place(ValueId value) { return plan_.placements[static_cast<std::size_t>(value)]; }
  std::int64_t step(NodeId node) const { return step_of_[static_cast<std::size_t>(node)]; }
  std::int64_t made_at(ValueId value) const { return step(graph_.value(value).producer); }
  std::int64_t last_use(ValueId value) const {
    const auto i = static_cast<std::size_t>(value);
    if (uses_.leaves[i]) return static_cast<std::int64_t>(schedule_.size());
    std::int64_t last = graph_.value(value).producer == ir::absent ? -1 : made_at(value);
    for (const NodeId reader : uses_.nodes[i]) last = std::max(last, step(reader));
    return last;
  }
  // The operand that the node may write the result over, or absent.
  ValueId overwritten(const Node& node, ValueId result) const {
    const auto index = static_cast<std::size_t>(std::find(node.results.begin(), node.results.end(), result) - node.results.begin());
    const bool alone = schedule_[static_cast<std::size_t>(made_at(result))].size() == 1;
    return alone && index < node.op->in_place.size() ? node.operands[node.op->in_place[index]] : ir::absent;
  }

  void place_internal(const std::vector<NodeId>& group) {
    for (const NodeId node : group) {
      for (const ValueId result : graph_.node(node).results) {
        if (uses_.within(result, group)) place(result).kind = Placement::Kind::internal;
      }
    }
  }

  // Straight into the state, if nobody reads the state's old value from the producer on (but the producer itself, in place).
  void place_update(const ir::Update& update) {
    const Node* producer = graph_.producer(update.value);
    if (producer == nullptr || place(update.value).kind == Placement::Kind::state) return;
    if (uses_.leaves[static_cast<std::size_t>(update.state)]) return;
    const std::int64_t made = made_at(update.value);
    const std::int64_t old_dies = last_use(update.state);
    const bool in_place = old_dies == made && overwritten(*producer, update.value) == update.state &&
                          std::count(producer->operands.begin(), producer->operands.end(), update.state) == 1;
    if (old_dies < made || in_place) place(update.value) = {Placement::Kind::state, 0, update.state};
  }

  void make_blocks() {
    for (std::size_t step = 0; step < schedule_.size(); ++step) {
      for (const NodeId node : schedule_[step]) {
        for (const ValueId result : graph_.node(node).results) {
          if (place(result).kind == Placement::Kind::arena) make_block(graph_.node(node), result, static_cast<std::int64_t>(step));
        }
      }
    }
  }

  void make_block(const Node& node, ValueId result, std::int64_t id) {
    const ValueId over = overwritten(node, result);
    std::size_t& block = block_of_[static_cast<std::size_t>(result)];
    if (over != ir::absent && dies_at(over, node, id) && ir::byte_count(graph_.type(over)) == ir::byte_count(graph_.type(result))) {
      block = block_of_[static_cast<std::size_t>(over)];
    } else {
      block = blocks_.size();
      const std::size_t bytes = (ir::byte_count(graph_.type(result)) + alignment - 1) / alignment * alignment;
      blocks_.push_back({bytes, id, id, 0});
    }
    blocks_[block].last = std::max(blocks_[block].last, last_use(result));
  }

  // The value lives in the arena and the node, which reads it once in that step, is the last that does.
  bool dies_at(ValueId value, const Node& node, std::int64_t id) const {
    return block_of_[static_cast<std::size_t>(value)] != none && last_use(value) == id &&
           std::count(node.operands.begin(), node.operands.end(), value) == 1;
  }

  // Largest first, each at the lowest offset that is free throughout its life.
  void lay_out() {
    std::vector<std::size_t> order(blocks_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return blocks_[a].bytes > blocks_[b].bytes; });
    std::vector<std::size_t> placed;
    for (const std::size_t i : order) {
      Block& block = blocks_[i];
      std::vector<std::pair<std::size_t, std::size_t>> taken;
      for (const std::size_t other : placed) {
        const Block& o = blocks_[other];
        if (o.first <= block.last && block.first <= o.last) taken.emplace_back(o.offset, o.offset + o.bytes);
      }
      std::sort(taken.begin(), taken.end());
      for (const auto& [begin, end] : taken) {
        if (block.offset + block.bytes <= begin) break;
        block.offset = std::max(block.offset, end);
      }
      placed.push_back(i);
      plan_.arena_bytes = std::max(plan_.arena_bytes, block.offset + block.bytes);
    }
  }

  const Graph& graph_;
  const ir::Schedule& schedule_;
  ir::Uses uses_;
  ir::MemoryPlan plan_;
  std::vector<std::int64_t> step_of_;  // by node
  std::vector<std::size_t> block_of_;  // by value
  std::vector<Block> blocks_;
};

}  // namespace

ir::MemoryPlan plan_memory(const Graph& graph, const ir::Schedule& schedule) {
  return Planner(graph, schedule).run();
}

ir::MemoryPlan plan_memory(const Graph& graph) {
  return plan_memory(graph, ir::one_by_one(graph));
}

}  // namespace stair::passes
