#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "passes/optimizer.h"
#include "passes/parameters.h"
#include "passes/pass.h"
#include "passes/schedule.h"

// output grad:w = %g  ->  update w = optimizer(w, g, learning_rate(step)), update step = step + 1

namespace stair::passes {
namespace {

using ir::Attributes;
using ir::Graph;
using ir::ValueId;

constexpr std::string_view prefix = "grad:";

class Appender {
 public:
  Appender(const Graph& source, const Attributes& options)
      : source_(source),
        options_(options),
        chosen_(options.object("optimizer")),
        optimizer_(optimizers().named(chosen_.text("kind"), "optimizer")) {}

  Result run() {
    copy_source();
    ir::State counter;
    counter.role = ir::StateRole::counter;
    step_ = graph_.add_state(graph_.derived("", "step"), {ir::DType::i64, {1}}, counter);
    const Attributes& schedule = options_.object("schedule");
    rate_ = schedules()
                .named(schedule.text("kind"), "schedule")
                .rate({graph_, schedule, step_, chosen_.number("learning_rate"), options_.integer("epochs"),
                       options_.integer("steps_per_epoch")});
    graph_.add_output("learning_rate", rate_);
    clip_gradients();
    for (const auto& [parameter, gradient] : gradients_) update(parameter, gradient);
    if (options_.number("average") > 0) average(options_.number("average"));
    graph_.add_update(step_, graph_.emit("increment", {step_}, {}, graph_.derived("", "next_step")));
    return {std::move(graph_), std::move(changes_)};
  }

 private:
  // All but the outputs of gradients, which nobody reads behind the updates.
  void copy_source() {
    ir::Rewriter rewriter(source_);
    for (const ir::Node& node : source_.nodes()) rewriter.copy(node);
    graph_ = std::move(rewriter.graph());
    for (const ir::Output& output : source_.outputs()) {
      if (output.name.starts_with(prefix)) {
        const std::string parameter = output.name.substr(prefix.size());
        const ValueId state = graph_.find(parameter);
        if (graph_.state(state) == nullptr) {
          throw Error("pass 'append_optimizer': the output '" + output.name + "' is the gradient of '" + parameter +
                      "', which is no state");
        }
        gradients_.emplace_back(state, rewriter(output.value));
      } else {
        graph_.add_output(output.name, rewriter(output.value));
      }
    }
    for (const ir::Update& old : source_.updates()) graph_.add_update(rewriter(old.state), rewriter(old.value));
    if (gradients_.empty())
      throw Error("pass 'append_optimizer': the graph has no output '" + std::string(prefix) + "…', expected autodiff to have run");
  }

  void clip_gradients() {
    const double max_norm = chosen_.number("max_norm");
    if (max_norm <= 0) return;
    std::vector<ValueId> all;
    for (const auto& [parameter, gradient] : gradients_) all.push_back(gradient);
    const ValueId factor = graph_.emit("clip_norm_factor", all, {{"max_norm", max_norm}}, graph_.derived("", "clip_norm"));
    for (auto& [parameter, gradient] : gradients_) {
      gradient = graph_.emit("mul", {gradient, factor}, {}, graph_.derived(graph_.value(parameter).name, "grad.clipped"));
    }
  }

  void update(ValueId parameter, ValueId gradient) {
    const std::string name = graph_.value(parameter).name;
    const Attributes wishes = graph_.state(parameter)->attributes;
    const Attributes part = part_of(*graph_.state(parameter));
    ValueId rate = rate_;
    if (wishes.has("lr_scale") || part.has("learning_rate_factor")) {
      const double factor = wishes.has("lr_scale") ? wishes.number("lr_scale") : 1;
      const double of_part = part.has("learning_rate_factor") ? part.number("learning_rate_factor") : 1;
      const double scaled = (optimizer_.proportional_to_gradient ? factor * factor : factor) * of_part;
      const ValueId scale = graph_.emit("constant", {}, {{"value", scaled}}, graph_.derived(name, "lr_scale"));
      rate = graph_.emit("mul", {rate_, scale}, {}, graph_.derived(name, "learning_rate"));
    }
    const bool decays = !wishes.has("decay") || wishes.boolean("decay");
    ParameterUpdate update(graph_, chosen_, parameter);
    update.gradient = gradient;
    update.learning_rate = rate;
    update.step = step_;
    update.weight_decay = decays ? (part.has("weight_decay") ? part : chosen_).number("weight_decay") : 0.0;
    ValueId next = optimizer_.next(update);
    if (wishes.has("clip")) {
      const double bound = wishes.number("clip");
      next = graph_.emit("clip", {next}, {{"low", -bound}, {"high", bound}}, graph_.derived(name, "clipped"));
    }
    graph_.add_update(parameter, next);
    changes_.push_back("updates '" + name + "'");
  }

  // The first part that means the parameter; nothing where none does.
  Attributes part_of(const ir::State& parameter) const {
    if (!chosen_.has("parts")) return {};
    for (const ir::Object& part : chosen_.objects("parts")) {
      if (mean(part.members().texts("match"), graph_, parameter)) return part.members();
    }
    return {};
  }

  // Of what the optimizer updates, and of running statistics, which go with it, also where they are frozen.
  void average(double decay) {
    std::map<ValueId, ValueId> next;  // by state
    for (const ir::State& state : graph_.states()) {
      if (state.role == ir::StateRole::statistic) next[state.value] = state.value;
    }
    for (const auto& [parameter, gradient] : gradients_) next[parameter] = parameter;
    for (const ir::Update& update : graph_.updates()) {
      if (next.contains(update.state)) next[update.state] = update.value;
    }
    for (const auto& [state, value] : next) {
      const std::string name = graph_.value(state).name;
      ir::State shadow;
      shadow.role = ir::StateRole::slot;
      shadow.attributes.set("average_of", name);
      const ValueId running = graph_.add_state(graph_.derived(name, "average"), graph_.type(state), shadow);
      graph_.add_update(running,
                        graph_.emit("weight_average", {running, value, step_}, {{"decay", decay}}, graph_.derived(name, "averaged")));
      changes_.push_back("averages '" + name + "'");
    }
  }

  const Graph& source_;
  const Attributes& options_;
  const Attributes& chosen_;  // the optimizer's members
  const Optimizer& optimizer_;
  Graph graph_;
  std::vector<std::pair<ValueId, ValueId>> gradients_;  // by parameter
  ValueId step_ = ir::absent, rate_ = ir::absent;
  std::vector<std::string> changes_;
};

}  // namespace

void append_optimizer(PassRegistry& registry) {
  registry.add({.name = "append_optimizer",
                .summary =
                    "Turns the outputs 'grad:NAME' into updates of the parameters, with the optimizer's slots, the counter 'step' and the "
                    "schedule of the learning rate as states and nodes. After autodiff.",
                .options = {optimizer_spec(),
                            schedule_spec(),
                            {.name = "average",
                             .doc = "decay of moving averages of the parameters and running statistics, states NAME.average; 0: none",
                             .fallback = 0.0,
                             .bounds = {.low = 0, .high = 1, .below_high = true}},
                            {.name = "epochs", .doc = "of the stage", .fallback = std::int64_t{1}, .bounds = ir::at_least(1)},
                            {.name = "steps_per_epoch", .doc = "of the stage", .fallback = std::int64_t{1}, .bounds = ir::at_least(1)}},
                .run = [](const Graph& graph, const Attributes& options) { return Appender(graph, options).run(); }});
}

}  // namespace stair::passes
