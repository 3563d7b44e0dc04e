#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "passes/pass.h"

// output grad:w = %g  ->  update w = optimizer(w, g, learning_rate(step)), update step = step + 1

namespace stair::passes {
namespace {

using ir::Attributes;
using ir::Graph;
using ir::ValueId;

constexpr std::string_view prefix = "grad:";

class Appender {
 public:
  Appender(const Graph& source, const Attributes& options) : source_(source), options_(options) {}

  Result run() {
    const std::vector<std::string> optimizers{"sgd", "adam", "adamw"};
    const std::string& optimizer = options_.text("optimizer");
    if (optimizer != optimizers[0] && optimizer != optimizers[1] && optimizer != optimizers[2]) {
      throw Error("pass 'append_optimizer': unknown optimizer '" + optimizer + "'" + did_you_mean(optimizer, optimizers) + ", expected " +
                  one_of(optimizers));
    }
    copy_source();
    ir::State counter;
    counter.role = ir::StateRole::counter;
    step_ = graph_.add_state(graph_.derived("", "step"), {ir::DType::i64, {1}}, counter);
    rate_ = graph_.emit("learning_rate", {step_},
                        {{"kind", options_.at("schedule")},
                         {"base", options_.at("learning_rate")},
                         {"total_steps", options_.at("total_steps")},
                         {"step_size", options_.at("step_size")},
                         {"gamma", options_.at("gamma")},
                         {"warmup_steps", options_.at("warmup_steps")},
                         {"final", options_.at("final")}},
                        graph_.derived("", "learning_rate"));
    graph_.add_output("learning_rate", rate_);
    clip_gradients();
    for (const auto& [parameter, gradient] : gradients_) update(parameter, gradient);
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
    const double max_norm = options_.number("max_norm");
    if (max_norm <= 0) return;
    std::vector<ValueId> all;
    for (const auto& [parameter, gradient] : gradients_) all.push_back(gradient);
    const ValueId factor = graph_.emit("clip_norm_factor", all, {{"max_norm", max_norm}}, graph_.derived("", "clip_norm"));
    for (auto& [parameter, gradient] : gradients_) {
      gradient = graph_.emit("mul", {gradient, factor}, {}, graph_.derived(graph_.value(parameter).name, "grad.clipped"));
    }
  }

  ValueId slot(ValueId parameter, const char* name) {
    ir::State state;
    state.role = ir::StateRole::slot;
    return graph_.add_state(graph_.derived(graph_.value(parameter).name, name), graph_.type(parameter), state);
  }

  void update(ValueId parameter, ValueId gradient) {
    const std::string name = graph_.value(parameter).name;
    const Attributes wishes = graph_.state(parameter)->attributes;
    ValueId rate = rate_;
    if (wishes.has("lr_scale")) {
      // A step of Adam is as long as its rate says, one of SGD is as long as the gradient: that is scaled once more (Courbariaux 2015,
      // section 2.5).
      const double factor = wishes.number("lr_scale");
      const bool is_sgd = options_.text("optimizer") == "sgd";
      const ValueId scale = graph_.emit("constant", {}, {{"value", is_sgd ? factor * factor : factor}}, graph_.derived(name, "lr_scale"));
      rate = graph_.emit("mul", {rate_, scale}, {}, graph_.derived(name, "learning_rate"));
    }
    const bool decays = !wishes.has("decay") || wishes.boolean("decay");
    const double decay = decays ? options_.number("weight_decay") : 0.0;
    ValueId next = options_.text("optimizer") == "sgd" ? sgd(parameter, gradient, rate, decay) : adam(parameter, gradient, rate, decay);
    if (wishes.has("clip")) {
      const double bound = wishes.number("clip");
      next = graph_.emit("clip", {next}, {{"low", -bound}, {"high", bound}}, graph_.derived(name, "clipped"));
    }
    graph_.add_update(parameter, next);
    changes_.push_back("updates '" + name + "'");
  }

  ValueId sgd(ValueId parameter, ValueId gradient, ValueId rate, double decay) {
    const std::string name = graph_.derived(graph_.value(parameter).name, "next");
    const double momentum = options_.number("momentum");
    if (momentum == 0) return graph_.emit("sgd", {parameter, gradient, rate}, {{"weight_decay", decay}}, name);
    const ValueId velocity = slot(parameter, "momentum");
    const std::vector<ValueId> results =
        graph_
            .add("sgd_momentum", {parameter, gradient, rate, velocity},
                 {{"momentum", momentum}, {"nesterov", options_.at("nesterov")}, {"weight_decay", decay}}, name)
            .results;
    graph_.add_update(velocity, results[1]);
    return results[0];
  }

  ValueId adam(ValueId parameter, ValueId gradient, ValueId rate, double decay) {
    const ValueId first = slot(parameter, "moment1");
    const ValueId second = slot(parameter, "moment2");
    const std::vector<ValueId> results = graph_
                                             .add("adam", {parameter, gradient, rate, first, second, step_},
                                                  {{"beta1", options_.at("beta1")},
                                                   {"beta2", options_.at("beta2")},
                                                   {"eps", options_.at("eps")},
                                                   {"weight_decay", decay},
                                                   {"decoupled", options_.text("optimizer") == "adamw"}},
                                                  graph_.derived(graph_.value(parameter).name, "next"))
                                             .results;
    graph_.add_update(first, results[1]);
    graph_.add_update(second, results[2]);
    return results[0];
  }

  const Graph& source_;
  const Attributes& options_;
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
                .options = {{"optimizer", "'sgd', 'adam' or 'adamw'", std::string("sgd")},
                            {"learning_rate", "after warm-up", 0.01},
                            {"momentum", "sgd; 0: without", 0.0},
                            {"nesterov", "sgd with momentum: looks ahead", false},
                            {"beta1", "adam, adamw", 0.9},
                            {"beta2", "adam, adamw", 0.999},
                            {"eps", "adam, adamw", 1e-8},
                            {"weight_decay", "L2 decay; decoupled in adamw", 0.0},
                            {"max_norm", "clips the norm of all gradients together; 0: not", 0.0},
                            {"schedule", "'constant', 'step', 'cosine' or 'exponential'", std::string("constant")},
                            {"total_steps", "of the stage (cosine)", std::int64_t{1}},
                            {"step_size", "steps between decays (step, exponential)", std::int64_t{1}},
                            {"gamma", "decay (step, exponential)", 0.1},
                            {"warmup_steps", "steps of linear rise", std::int64_t{0}},
                            {"final", "rate at the end (cosine)", 0.0}},
                .run = [](const Graph& graph, const Attributes& options) { return Appender(graph, options).run(); }});
}

}  // namespace stair::passes
