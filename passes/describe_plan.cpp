#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "passes/plan_memory.h"

namespace stair::passes {
namespace {

// A value in the arena, from the step that makes it to the last that reads it.
struct Held {
  ir::ValueId value;
  std::size_t bytes, offset;
  std::size_t first, last;
};

// Bytes of the arena that hold a value at that step; one that is written over another counts once.
std::size_t bytes_at(const std::vector<Held>& values, std::size_t step) {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (const Held& held : values) {
    if (held.first <= step && step <= held.last) ranges.emplace_back(held.offset, held.offset + held.bytes);
  }
  std::sort(ranges.begin(), ranges.end());
  std::size_t bytes = 0;
  std::size_t end = 0;
  for (const auto& [from, to] : ranges) {
    bytes += std::max(to, end) - std::max(from, end);
    end = std::max(to, end);
  }
  return bytes;
}

}  // namespace

std::string describe(const ir::Graph& graph, const ir::Schedule& schedule, const ir::MemoryPlan& plan) {
  const ir::Uses uses(graph);
  std::vector<std::size_t> step_of(graph.nodes().size());
  for (std::size_t step = 0; step < schedule.size(); ++step) {
    for (const ir::NodeId node : schedule[step]) step_of[static_cast<std::size_t>(node)] = step;
  }
  std::vector<Held> values;
  std::string text = fmt::format("{:>10} {:>10} {:>6} {:>6}  value\n", "bytes", "offset", "from", "to");
  for (std::size_t i = 0; i < graph.values().size(); ++i) {
    const ir::Value& value = graph.values()[i];
    const ir::MemoryPlan::Placement& place = plan.placements[i];
    if (place.kind != ir::MemoryPlan::Placement::Kind::arena) continue;
    const std::size_t first = step_of[static_cast<std::size_t>(value.producer)];
    std::size_t last = uses.leaves[i] ? schedule.size() : first;
    for (const ir::NodeId reader : uses.nodes[i]) last = std::max(last, step_of[static_cast<std::size_t>(reader)]);
    values.push_back({static_cast<ir::ValueId>(i), ir::byte_count(value.type), place.offset, first, last});
    const std::string end = last == schedule.size() ? "end" : fmt::format("{}", last);
    text += fmt::format("{:>10} {:>10} {:>6} {:>6}  {}\n", values.back().bytes, place.offset, first, end, value.name);
  }
  text += fmt::format("arena: {} bytes\n", plan.arena_bytes);
  if (values.empty()) return text;

  std::size_t peak = 0;
  for (std::size_t step = 1; step < schedule.size(); ++step) {
    if (bytes_at(values, step) > bytes_at(values, peak)) peak = step;
  }
  const ir::Node& node = graph.node(schedule[peak].back());
  text += fmt::format("peak: {} bytes at step {}, '{}', held by\n", bytes_at(values, peak), peak, node.name);
  std::erase_if(values, [&](const Held& held) { return peak < held.first || held.last < peak; });
  std::stable_sort(values.begin(), values.end(), [](const Held& a, const Held& b) { return a.bytes > b.bytes; });
  for (const Held& held : values) text += fmt::format("{:>10}  {}\n", held.bytes, graph.value(held.value).name);
  return text;
}

}  // namespace stair::passes
