#include "runtime/executor.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <utility>

#include "ir/check_data.h"
#include "ir/error.h"
#include "ir/op.h"
#include "runtime/finite.h"
#include "runtime/memory.h"

namespace stair::runtime {

struct Executor::Impl {
  struct Step {
    std::unique_ptr<backends::Kernel> kernel;
    std::vector<ir::TensorView> operands, results;
    std::vector<ir::ValueId> values;   // by result
    std::vector<std::size_t> watched;  // results that become states
    bool updates = false;              // writes one of them straight into its state
  };
  struct Slot {  // an operand or result whose memory is the caller's batch, set anew at each run
    std::size_t step, index;
    std::size_t input;
  };
  struct Copy {
    ir::TensorView from, to;
  };

  ir::Graph graph;
  Options options;
  ir::Schedule schedule;
  std::vector<const backends::Backend*> chosen;  // by step
  ir::MemoryPlan plan;
  Buffer arena, scratch;
  std::vector<ir::TensorView> views;  // by ValueId
  std::vector<Step> steps;
  std::vector<Slot> fed;
  std::vector<std::pair<std::size_t, std::size_t>> fed_copies;  // a copy, and the input that is its source
  std::vector<Copy> kept;                                       // old values of states that are read when the updates take place, or later
  std::vector<Copy> copies;                                     // updates
  std::vector<Buffer> old_values;
  std::vector<Assignment> assignments;
  std::vector<std::size_t> watched_inputs;  // that become states
  Hook hook;

  ir::TensorView view_of(ir::ValueId id, Tensors& states) const {
    const ir::Value& value = graph.value(id);
    const ir::MemoryPlan::Placement& place = plan.placements[static_cast<std::size_t>(id)];
    switch (place.kind) {
      case ir::MemoryPlan::Placement::Kind::arena:
        return {value.type, arena.data() + place.offset};
      case ir::MemoryPlan::Placement::Kind::state:
        return {value.type, states.find(graph.value(place.state).name)->second.view().data};
      case ir::MemoryPlan::Placement::Kind::input:
      case ir::MemoryPlan::Placement::Kind::internal:
        return {value.type, nullptr};
    }
    throw InternalError("a placement of no kind");
  }

  // All updates take effect together: where another update or an output is the old value of a state that is written at the end, it is
  // kept aside. (The plan writes no such state earlier.)
  void keep_old_values() {
    for (const ir::State& state : graph.states()) {
      ir::TensorView& view = views[static_cast<std::size_t>(state.value)];
      const auto is_state = [&](const ir::Output& output) { return output.value == state.value; };
      const auto reads = [&](const Copy& copy) { return copy.from.data == view.data; };
      const auto writes = [&](const Copy& copy) { return copy.to.data == view.data; };
      const bool output = std::any_of(graph.outputs().begin(), graph.outputs().end(), is_state);
      if (std::none_of(copies.begin(), copies.end(), writes)) continue;
      if (!output && std::none_of(copies.begin(), copies.end(), reads)) continue;
      old_values.emplace_back(ir::byte_count(view.type));
      const ir::TensorView aside{view.type, old_values.back().data()};
      kept.push_back({view, aside});
      for (Copy& copy : copies) {
        if (reads(copy)) copy.from = aside;
      }
      if (output) view = aside;
    }
  }

  // Groups of nodes that a backend runs as one stand where their last node does.
  void make_schedule() {
    const ir::Uses uses(graph);
    std::vector<bool> taken(graph.nodes().size(), false);
    std::vector<Choice> choices(graph.nodes().size());  // by last node
    for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
      if (taken[n]) continue;
      const auto free = [&](ir::NodeId node) { return !taken[static_cast<std::size_t>(node)]; };
      Choice choice = choose(static_cast<ir::NodeId>(n));
      choice.nodes = choice.backend->group(graph, uses, static_cast<ir::NodeId>(n), free);
      for (const ir::NodeId node : choice.nodes) taken[static_cast<std::size_t>(node)] = true;
      if (!backends::readers_follow(graph, uses, choice.nodes)) {
        throw InternalError("backend " + std::string(choice.backend->name()) + " runs '" + graph.node(choice.nodes.front()).name +
                            "' in a group, behind what reads its results");
      }
      const auto last = static_cast<std::size_t>(choice.nodes.back());
      choices[last] = std::move(choice);
    }
    for (Choice& choice : choices) {
      if (choice.nodes.empty()) continue;
      schedule.push_back(choice.nodes);
      assignments.push_back(std::move(choice.assignment));
      chosen.push_back(choice.backend);
    }
  }

  struct Choice {
    std::vector<ir::NodeId> nodes;
    const backends::Backend* backend = nullptr;
    Assignment assignment;
  };

  Choice choose(ir::NodeId id) const {
    const ir::Node& node = graph.node(id);
    std::vector<const backends::Backend*> candidates = options.backends;
    candidates.push_back(&backends::named("reference"));
    Choice choice;
    for (const backends::Backend* backend : candidates) {
      const backends::Answer answer = backend->supports(graph, node);
      if (answer.yes) {
        choice.backend = backend;
        return choice;
      }
      choice.assignment.declined.push_back(std::string(backend->name()) + ": " + answer.reason);
    }
    throw InternalError("no backend runs the op '" + node.op->name + "'");
  }

  void prepare(const Tensors& states) {
    std::vector<ir::TensorView> constants(graph.values().size());
    for (const ir::State& state : graph.states()) {
      if (state.role != ir::StateRole::constant) continue;
      constants[static_cast<std::size_t>(state.value)] = states.find(graph.value(state.value).name)->second.view();
    }
    ir::check_data(graph, [&](const ir::State& state) { return constants[static_cast<std::size_t>(state.value)]; });
    const ir::Uses uses(graph);
    std::size_t scratch_bytes = 0;
    for (std::size_t s = 0; s < schedule.size(); ++s) {
      steps.push_back({chosen[s]->prepare(graph, schedule[s], constants), {}, {}, {}, {}, false});
      Step& step = steps.back();
      scratch_bytes = std::max(scratch_bytes, step.kernel->scratch_bytes(options.threads));
      Assignment& assignment = assignments[s];
      assignment.nodes = schedule[s];
      assignment.node = graph.node(schedule[s].back()).name;
      assignment.backend = chosen[s]->name();
      assignment.kernel = step.kernel->description();
      assignment.isa = step.kernel->isa();
      assignment.packed_bytes = step.kernel->packed_bytes();
      for (const ir::NodeId node : schedule[s]) {
        assignment.op += (assignment.op.empty() ? "" : " + ") + graph.node(node).op->name;
        for (const ir::ValueId operand : graph.node(node).operands) add_operand(operand);
        for (const ir::ValueId result : graph.node(node).results) {
          if (!uses.within(result, schedule[s])) add_result(result);
        }
      }
    }
    check_memory(graph, scratch_bytes > ~plan.arena_bytes ? ~std::size_t{0} : plan.arena_bytes + scratch_bytes);
    scratch = Buffer(scratch_bytes);
  }

  std::size_t input_index(ir::ValueId input) const {
    const auto& inputs = graph.inputs();
    return static_cast<std::size_t>(std::find(inputs.begin(), inputs.end(), input) - inputs.begin());
  }

  // What a state becomes, and what that has been written over: a clip makes numbers of NaN.
  void watch_updates() {
    std::vector<bool> watched(graph.values().size(), false);
    for (const ir::Update& update : graph.updates()) {
      for (ir::ValueId value = update.value; value != ir::absent;) {
        watched[static_cast<std::size_t>(value)] = ir::is_float(graph.type(value).dtype);
        const ir::Node* node = graph.producer(value);
        const auto result = static_cast<std::size_t>(graph.value(value).result);
        value = node != nullptr && result < node->op->in_place.size() ? node->operands[node->op->in_place[result]] : ir::absent;
        if (graph.state(value) != nullptr) value = ir::absent;
      }
    }
    for (Step& step : steps) {
      for (std::size_t i = 0; i < step.values.size(); ++i) {
        const auto value = static_cast<std::size_t>(step.values[i]);
        if (!watched[value]) continue;
        step.watched.push_back(i);
        step.updates = step.updates || plan.placements[value].kind == ir::MemoryPlan::Placement::Kind::state;
      }
    }
    for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
      if (watched[static_cast<std::size_t>(graph.inputs()[i])]) watched_inputs.push_back(i);
    }
  }

  // What is to be said of the value; "" where it is finite.
  std::string fault(ir::ValueId value, const ir::TensorView& tensor) const {
    const std::optional<std::int64_t> element = first_not_finite(tensor, options.threads);
    if (!element) return "";
    const ir::Node* node = graph.producer(value);
    return "'" + graph.value(value).name + "'" + (node == nullptr ? "" : " (" + node->op->name + " '" + node->name + "')") +
           " isn't finite: " + describe_not_finite(tensor, *element);
  }

  void add_operand(ir::ValueId operand) {
    Step& step = steps.back();
    if (operand != ir::absent && graph.is_input(operand)) fed.push_back({steps.size() - 1, step.operands.size(), input_index(operand)});
    step.operands.push_back(operand == ir::absent ? ir::TensorView{} : views[static_cast<std::size_t>(operand)]);
  }

  void add_result(ir::ValueId result) {
    steps.back().values.push_back(result);
    steps.back().results.push_back(views[static_cast<std::size_t>(result)]);
  }
};

Executor::Executor(ir::Graph graph, const Planner& planner, Tensors& states, Options options) : impl_(std::make_unique<Impl>()) {
  Impl& impl = *impl_;
  impl.graph = std::move(graph);
  impl.options = std::move(options);
  for (const ir::State& state : impl.graph.states()) {
    const ir::Value& value = impl.graph.value(state.value);
    const auto it = states.find(value.name);
    if (it == states.end()) throw InternalError("the executor was given no state '" + value.name + "'");
    check_type(it->second, value);
  }
  impl.make_schedule();
  impl.plan = planner(impl.graph, impl.schedule);
  check_memory(impl.graph, impl.plan.arena_bytes);
  impl.arena = Buffer(impl.plan.arena_bytes);
  for (std::size_t id = 0; id < impl.graph.values().size(); ++id) impl.views.push_back(impl.view_of(static_cast<ir::ValueId>(id), states));
  impl.prepare(states);
  for (const ir::Update& update : impl.graph.updates()) {
    const ir::TensorView from = impl.views[static_cast<std::size_t>(update.value)];
    const ir::TensorView to = impl.views[static_cast<std::size_t>(update.state)];
    if (impl.graph.is_input(update.value)) impl.fed_copies.emplace_back(impl.copies.size(), impl.input_index(update.value));
    if (from.data != to.data) impl.copies.push_back({from, to});
  }
  impl.keep_old_values();
  impl.watch_updates();
}

Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;

const ir::Graph& Executor::graph() const {
  return impl_->graph;
}
const std::vector<Executor::Assignment>& Executor::assignments() const {
  return impl_->assignments;
}

const ir::MemoryPlan& Executor::plan() const {
  return impl_->plan;
}

std::size_t Executor::arena_bytes() const {
  return impl_->plan.arena_bytes;
}

void Executor::run(std::span<const ir::TensorView> inputs) {
  Impl& impl = *impl_;
  const auto& expected = impl.graph.inputs();
  if (inputs.size() != expected.size()) {
    throw Error("graph '" + impl.graph.name + "' was fed " + std::to_string(inputs.size()) + " inputs, expected " +
                std::to_string(expected.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].type != impl.graph.type(expected[i])) {
      throw Error("input '" + impl.graph.value(expected[i]).name + "' is " + to_string(inputs[i].type) + ", expected " +
                  to_string(impl.graph.type(expected[i])));
    }
    impl.views[static_cast<std::size_t>(expected[i])].data = inputs[i].data;
  }
  for (const Impl::Slot& slot : impl.fed) impl.steps[slot.step].operands[slot.index].data = inputs[slot.input].data;
  for (const auto& [copy, input] : impl.fed_copies) impl.copies[copy].from.data = inputs[input].data;
  std::string fault;  // the first one; told as late as can be: the hook, which looks at the loss, throws before
  bool changed = false;
  for (const std::size_t input : impl.watched_inputs) {
    if (fault.empty()) fault = impl.fault(expected[input], inputs[input]);
  }
  for (Impl::Step& step : impl.steps) {
    if (step.updates && !fault.empty()) break;
    changed = changed || step.updates;
    std::atomic<bool> not_finite = false;
    step.kernel->run({step.operands, step.results, impl.scratch.data(), impl.options.threads, &not_finite});
    if (impl.hook) impl.hook(step.values, step.results);
    if (step.watched.empty() || (step.kernel->watches() && !not_finite)) continue;
    for (const std::size_t result : step.watched) {
      if (fault.empty()) fault = impl.fault(step.values[result], step.results[result]);
    }
  }
  if (!fault.empty()) throw NotFinite(fault, changed);
  for (const auto* copies : {&impl.kept, &impl.copies}) {
    for (const Impl::Copy& copy : *copies) std::memcpy(copy.to.data, copy.from.data, ir::byte_count(copy.to.type));
  }
}

ir::TensorView Executor::output(std::string_view name) const {
  return impl_->views[static_cast<std::size_t>(impl_->graph.output(name))];
}

void Executor::set_hook(Hook hook) {
  impl_->hook = std::move(hook);
}

}  // namespace stair::runtime
