#include "passes/plan_memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "ir/op.h"
#include "ir/text.h"
#include "tests/support/pipeline_graphs.h"

using namespace stair;

namespace {

using ir::Graph;
using ir::NodeId;
using ir::ValueId;
using Placement = ir::MemoryPlan::Placement;

// The rules of a plan, from the graph alone.
class Checker {
 public:
  Checker(const Graph& graph, const ir::MemoryPlan& plan) : graph_(graph), plan_(plan), uses_(graph) {}

  void run() const {
    REQUIRE(plan_.placements.size() == graph_.values().size());
    std::vector<ValueId> arena;
    for (ValueId id = 0; id < static_cast<ValueId>(graph_.values().size()); ++id) {
      if (place(id).kind == Placement::Kind::arena) arena.push_back(id);
      if (place(id).kind == Placement::Kind::state) check_state(id);
      CHECK((place(id).kind == Placement::Kind::input) == graph_.is_input(id));
    }
    std::size_t sum = 0;
    for (const ValueId id : arena) {
      CHECK(place(id).offset % 64 == 0);
      CHECK(end_of(id) <= plan_.arena_bytes);
      sum += (bytes(id) + 63) / 64 * 64;
    }
    CHECK(plan_.arena_bytes <= sum);
    CHECK(plan_.arena_bytes >= largest_live_set(arena));
    check_overlaps(arena);
  }

 private:
  const Placement& place(ValueId id) const { return plan_.placements[static_cast<std::size_t>(id)]; }
  std::size_t bytes(ValueId id) const { return ir::byte_count(graph_.type(id)); }
  std::size_t end_of(ValueId id) const { return place(id).offset + bytes(id); }
  NodeId first(ValueId id) const { return graph_.value(id).producer; }
  bool leaves(ValueId id) const { return uses_.leaves[static_cast<std::size_t>(id)]; }
  NodeId last(ValueId id) const {
    if (leaves(id)) return static_cast<NodeId>(graph_.nodes().size());
    const std::vector<NodeId>& readers = uses_.nodes[static_cast<std::size_t>(id)];
    return readers.empty() ? first(id) : readers.back();
  }
  // `later` may be written over `earlier`, which dies where `later` is made.
  bool in_place(ValueId earlier, ValueId later) const {
    const ir::Node& node = graph_.node(first(later));
    const auto result = static_cast<std::size_t>(std::find(node.results.begin(), node.results.end(), later) - node.results.begin());
    return result < node.op->in_place.size() && node.operands[node.op->in_place[result]] == earlier &&
           std::count(node.operands.begin(), node.operands.end(), earlier) == 1 && last(earlier) == first(later);
  }

  void check_state(ValueId id) const {
    const ValueId state = place(id).state;
    REQUIRE(graph_.state(state) != nullptr);
    if (id == state) return;
    CAPTURE(graph_.value(id).name);
    const auto updates = [&](const ir::Update& update) { return update.state == state && update.value == id; };
    CHECK(std::any_of(graph_.updates().begin(), graph_.updates().end(), updates));
    CHECK_FALSE(leaves(state));
    const bool read_later = last(state) > first(id);
    CHECK_FALSE(read_later);
    if (last(state) == first(id)) CHECK(in_place(state, id));
  }

  void check_overlaps(const std::vector<ValueId>& arena) const {
    for (std::size_t i = 0; i < arena.size(); ++i) {
      for (std::size_t j = i + 1; j < arena.size(); ++j) {
        const ValueId a = arena[i];
        const ValueId b = arena[j];  // values are numbered in the order in which they are made
        if (last(a) < first(b) || end_of(a) <= place(b).offset || end_of(b) <= place(a).offset) continue;
        INFO("'", graph_.value(a).name, "' and '", graph_.value(b).name, "'");
        CHECK(in_place(a, b));
        CHECK(place(a).offset == place(b).offset);
      }
    }
  }

  std::size_t largest_live_set(const std::vector<ValueId>& arena) const {
    std::size_t largest = 0;
    for (NodeId n = 0; n < static_cast<NodeId>(graph_.nodes().size()); ++n) {
      std::size_t live = 0;
      for (const ValueId id : arena) {
        if (first(id) > n || last(id) < n) continue;
        const auto writes_over = [&](ValueId result) {
          return result != id && place(result).kind == Placement::Kind::arena && in_place(id, result);
        };
        const std::vector<ValueId>& results = graph_.node(n).results;
        if (std::none_of(results.begin(), results.end(), writes_over)) live += bytes(id);
      }
      largest = std::max(largest, live);
    }
    return largest;
  }

  const Graph& graph_;
  const ir::MemoryPlan& plan_;
  ir::Uses uses_;
};

ir::MemoryPlan checked_plan(const Graph& graph) {
  ir::MemoryPlan plan = passes::plan_memory(graph);
  Checker(graph, plan).run();
  return plan;
}

Graph parsed(const std::string& body) {
  return ir::parse("sir 1\ngraph \"g\"\n" + body, "test");
}

}  // namespace

TEST_CASE("a plan as text: a result takes its operand's place, values that don't meet share bytes, an output stays to the end") {
  const Graph graph = parsed(
      "%x = input : f32[2,3]\n"
      "%w = state parameter uniform(0.5) : f32[3]\n"
      "%a = relu(%x)\n"
      "%b = tanh(%a)\n"
      "%c = add(%b, %w)\n"
      "%d = relu(%c)\n"
      "%e = add(%d, %x)\n"
      "output e = %e\n");
  CHECK(passes::describe(graph, ir::one_by_one(graph), checked_plan(graph)) ==
        "     bytes     offset   from     to  value\n"
        "        24          0      0      1  a\n"
        "        24          0      1      2  b\n"
        "        24         64      2      3  c\n"
        "        24         64      3      4  d\n"
        "        24          0      4    end  e\n"
        "arena: 128 bytes\n"
        "peak: 48 bytes at step 2, 'c', held by\n"
        "        24  b\n"
        "        24  c\n");
}

TEST_CASE("an operand that is read later or twice isn't written over") {
  const Graph later = parsed("%x = input : f32[16]\n%a = tanh(%x)\n%b = relu(%a)\n%c = add(%a, %b)\noutput c = %c\n");
  CHECK(checked_plan(later).arena_bytes == 192);
  const Graph twice = parsed("%x = input : f32[16]\n%a = tanh(%x)\n%b = relu_grad(%a, %a)\noutput b = %b\n");
  CHECK(checked_plan(twice).arena_bytes == 128);
  const Graph output = parsed("%x = input : f32[16]\n%a = tanh(%x)\n%b = relu(%a)\noutput a = %a\noutput b = %b\n");
  CHECK(checked_plan(output).arena_bytes == 128);
}

TEST_CASE("an update is written into its state where nobody reads the old value later") {
  const std::string states = "%g = input : f32[3]\n%lr = input : f32[1]\n%w = state parameter uniform(0.5) : f32[3]\n";
  const auto kind_of_next = [&](const std::string& body) {
    const Graph graph = parsed(states + body);
    return checked_plan(graph).placements[static_cast<std::size_t>(graph.find("next"))].kind;
  };
  CHECK(kind_of_next("%next = sgd(%w, %g, %lr)\nupdate %w = %next\n") == Placement::Kind::state);
  // Somebody reads the old weights after the step, the step reads them twice, an output or another state wants them at the end.
  CHECK(kind_of_next("%next = sgd(%w, %g, %lr)\n%y = relu(%w)\noutput y = %y\nupdate %w = %next\n") == Placement::Kind::arena);
  CHECK(kind_of_next("%next = sgd(%w, %w, %lr)\nupdate %w = %next\n") == Placement::Kind::arena);
  CHECK(kind_of_next("%next = sgd(%w, %g, %lr)\noutput old = %w\nupdate %w = %next\n") == Placement::Kind::arena);
  CHECK(kind_of_next("%v = state slot constant(0.0) : f32[3]\n%next = sgd(%w, %g, %lr)\nupdate %w = %next\nupdate %v = %w\n") ==
        Placement::Kind::arena);
  // No in-place operation: it may not write over what it reads, but over what was read before.
  CHECK(kind_of_next("%next = add(%w, %g)\nupdate %w = %next\n") == Placement::Kind::arena);
  CHECK(kind_of_next("%r = relu(%w)\n%next = add(%r, %g)\nupdate %w = %next\n") == Placement::Kind::state);
}

TEST_CASE("a group runs where its last node stands: its own values lie nowhere, its operands live until then, nothing in it is in place") {
  const Graph graph = parsed(
      "%x = input : f32[16]\n%a = tanh(%x)\n%b = relu(%a)\n%c = tanh(%x)\n%d = relu(%b)\n%e = relu(%c)\noutput d = %d\noutput e = %e\n");
  const ir::MemoryPlan plan = passes::plan_memory(graph, {{0}, {2}, {1, 3}, {4}});
  const auto place = [&](const char* name) { return plan.placements[static_cast<std::size_t>(graph.find(name))]; };
  CHECK(place("b").kind == Placement::Kind::internal);
  std::vector<std::size_t> offsets{place("a").offset, place("c").offset, place("d").offset};
  std::sort(offsets.begin(), offsets.end());
  CHECK(offsets == std::vector<std::size_t>{0, 64, 128});  // a lives on beside c, and d isn't written over a
  CHECK(place("e").offset == place("c").offset);
  CHECK(plan.arena_bytes == 192);
}

TEST_CASE("what others read of a group lies in the arena, whichever of its nodes yields it") {
  const Graph graph =
      parsed("%x = input : f32[16]\n%a = tanh(%x)\n%b = relu(%a)\n%c = tanh(%b)\n%d = relu(%b)\n%e = add(%c, %d)\noutput e = %e\n");
  const ir::MemoryPlan plan = passes::plan_memory(graph, {{0, 1, 2}, {3}, {4}});
  const auto place = [&](const char* name) { return plan.placements[static_cast<std::size_t>(graph.find(name))]; };
  CHECK(place("a").kind == Placement::Kind::internal);
  CHECK(place("b").kind == Placement::Kind::arena);  // by the group's last node and by the step behind it
  CHECK(place("c").kind == Placement::Kind::arena);
  CHECK(place("b").offset != place("c").offset);
  const std::string text = passes::describe(graph, {{0, 1, 2}, {3}, {4}}, plan);
  CHECK(text.ends_with("peak: 192 bytes at step 2, 'e', held by\n        64  c\n        64  d\n        64  e\n"));
}

TEST_CASE("one value that updates two states stands in one of them") {
  const Graph graph = parsed(
      "%g = input : f32[3]\n%v = state slot constant(0.0) : f32[3]\n%w = state slot constant(0.0) : f32[3]\n"
      "%next = relu(%g)\nupdate %v = %next\nupdate %w = %next\n");
  CHECK(checked_plan(graph).placements[static_cast<std::size_t>(graph.find("next"))].state == graph.find("v"));
}

TEST_CASE("plans of all pipelines over random networks keep to the rules, and are the same each time") {
  tests::for_each_pipeline_graph(20, [](const Graph& graph, const std::string& what) {
    CAPTURE(what);
    const ir::MemoryPlan plan = checked_plan(graph);
    const ir::Schedule steps = ir::one_by_one(graph);
    CHECK(passes::describe(graph, steps, passes::plan_memory(graph)) == passes::describe(graph, steps, plan));
  });
}
