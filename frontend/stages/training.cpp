#include "frontend/stages/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "frontend/reports/report.h"
#include "frontend/stages/interruption.h"
#include "frontend/stages/progress.h"
#include "frontend/stages/teacher.h"
#include "ir/error.h"
#include "ir/rebatch.h"
#include "passes/loss.h"
#include "passes/optimizer.h"
#include "passes/parameters.h"
#include "passes/schedule.h"
#include "runtime/file.h"
#include "runtime/sharded_step.h"
#include "runtime/trainer.h"

namespace stair::stages {
namespace {

// What a phase of a stage trains with, and a report of which kernels run it.
struct Program {
  std::unique_ptr<runtime::Step> step;
  std::string report;
};

Program training_program(StageContext& context, const StepPipeline& pipeline, const passes::Phase& phase, bool first) {
  using passes::StepPart;
  const readers::Experiment& experiment = context.experiment;
  const ir::Attributes optimizer = optimizer_options(*context.stage, context.steps_per_epoch());
  const bool cut = experiment.shards > 1;
  std::vector<ir::Graph> graphs;
  for (const StepPart part : cut ? std::vector{StepPart::shard, StepPart::update} : std::vector{StepPart::whole}) {
    graphs.push_back(passes::run(pipeline(phase, optimizer, part, context.stage->options.texts("freeze")),
                                 ir::with_batch(experiment.model, experiment.batch / experiment.shards)));
  }
  if (first) context.begin(graphs);
  std::vector<runtime::Executor> executors;
  Program program;
  for (ir::Graph& graph : graphs) {
    runtime::initialize_states(graph, experiment.seed, context.checkpoint.states);
    context.begin_averages(graph);
    executors.push_back(frontend::training_executor(std::move(graph), context.checkpoint.states, context.options.compile));
    program.report += reports::assignment_report(executors.back());
  }
  runtime::LossFeeds feeds = loss_feeds(experiment, experiment.batch / experiment.shards, context.options.compile);
  if (cut) {
    program.step = std::make_unique<runtime::ShardedStep>(std::move(executors[0]), std::move(executors[1]), experiment.shards,
                                                          context.communicator, context.options.compile.threads, std::move(feeds));
  } else {
    program.step = std::make_unique<runtime::WholeStep>(std::move(executors[0]), std::move(feeds));
  }
  return program;
}

// The patterns of a stage, over the parameters of its training graph.
class PatternChecker {
 public:
  PatternChecker(const readers::Experiment& experiment, std::size_t index)
      : stage_(experiment.stages[index]),
        where_(fmt::format("{} /stages/{}", experiment.source, index)),
        graph_(stage_.kind->quantizes ? passes::run(passes::simulated_training(stage_.recipe, {}), experiment.model) : experiment.model) {
    for (const ir::State& state : graph_.states()) {
      if (state.role == ir::StateRole::parameter) parameters_.push_back(&state);
    }
  }

  void run() {
    const std::vector<std::string>& frozen = stage_.options.texts("freeze");
    for (std::size_t i = 0; i < frozen.size(); ++i) check_means(frozen[i], fmt::format("/freeze/{}", i));
    std::vector<const ir::State*> trained = parameters_;
    std::erase_if(trained, [&](const ir::State* state) { return passes::mean(frozen, graph_, *state); });
    if (trained.empty()) throw Error(where_ + "/freeze: freezes all parameters, expected one that trains");
    const ir::Attributes& optimizer = stage_.options.object("optimizer");
    if (!optimizer.has("parts")) return;
    for (std::size_t i = 0; i < optimizer.objects("parts").size(); ++i) {
      const ir::Attributes& part = optimizer.objects("parts")[i].members();
      const std::string at = fmt::format("/optimizer/parts/{}", i);
      if (!part.has("learning_rate_factor") && !part.has("weight_decay"))
        throw Error(where_ + at + ": has no effect, expected 'learning_rate_factor' or 'weight_decay'");
      const std::vector<std::string>& patterns = part.texts("match");
      for (std::size_t j = 0; j < patterns.size(); ++j) {
        check_means(patterns[j], fmt::format("{}/match/{}", at, j));
        if (means_any(patterns[j], trained)) continue;
        throw Error(fmt::format("{}{}/match/{}: found '{}', which means parameters that are frozen or of a part above alone", where_, at, j,
                                patterns[j]));
      }
      std::erase_if(trained, [&](const ir::State* state) { return passes::mean(patterns, graph_, *state); });
    }
  }

 private:
  bool means_any(const std::string& pattern, const std::vector<const ir::State*>& states) const {
    return std::any_of(states.begin(), states.end(), [&](const ir::State* state) { return passes::means(pattern, graph_, *state); });
  }

  void check_means(const std::string& pattern, const std::string& pointer) const {
    if (means_any(pattern, parameters_)) return;
    std::vector<std::string> names;
    for (const ir::State* state : parameters_) names.push_back(graph_.value(state->value).name);
    throw Error(fmt::format("{}{}: found '{}', which means no parameter{}", where_, pointer, pattern, did_you_mean(pattern, names)));
  }

  const Stage& stage_;
  std::string where_;
  ir::Graph graph_;
  std::vector<const ir::State*> parameters_;
};

}  // namespace

std::vector<ir::AttributeSpec> training_attributes() {
  ir::AttributeSpec optimizer = passes::optimizer_spec();
  optimizer.required = optimizer.members.front().required = true;  // a learning rate is nobody's default
  return {
      {.name = "epochs",
       .doc = "passes over the training data",
       .fallback = std::int64_t{1},
       .required = true,
       .bounds = ir::within(1, 1e6)},
      optimizer,
      passes::schedule_spec(),
      {.name = "patience",
       .doc = "epochs that may be no better on the validation data before the stage ends; 0: it runs all of them",
       .fallback = std::int64_t{0},
       .bounds = ir::within(0, 1e6)},
      {.name = "freeze",
       .doc = "patterns, with '*' and '?', of parameters that stay as they are; a batch-norm of such alone goes by its running statistics",
       .fallback = std::vector<std::string>()},
      {.name = "average",
       .doc = "decay of a moving average of the weights that is evaluated, kept and gone on with in their place; 0: none",
       .fallback = 0.0,
       .bounds = {.low = 0, .high = 1, .below_high = true}}};
}

std::vector<std::string> training_keys() {
  return {"augmentation", "shards", "loss", "losses", "checkpoint_every"};
}

ir::Attributes optimizer_options(const Stage& stage, std::int64_t steps_per_epoch) {
  return {{"optimizer", stage.options.at("optimizer")},
          {"schedule", stage.options.at("schedule")},
          {"average", stage.options.at("average")},
          {"epochs", stage.options.at("epochs")},
          {"steps_per_epoch", steps_per_epoch}};
}

void check_patterns(const readers::Experiment& experiment, std::size_t index, std::int64_t /*steps_per_epoch*/) {
  PatternChecker(experiment, index).run();
}

bool train(StageContext& context, const StepPipeline& pipeline) {
  const Stage& stage = *context.stage;
  runtime::Checkpoint& checkpoint = context.checkpoint;
  StageResult& result = context.result;
  Program current;
  std::optional<passes::Phase> phase;
  const std::int64_t per_epoch = context.steps_per_epoch();
  const auto program = [&](std::int64_t step) -> runtime::Step& {
    const passes::Phase now = stage.kind->phase(context.recipe, step, per_epoch);
    if (!phase || now != *phase) {
      current = {};
      together(context.communicator, [&] { current = training_program(context, pipeline, now, !phase); });
      context.lead([&] { runtime::write_file(context.folder.file(stage.name + ".training.txt"), current.report); });
      phase = now;
    }
    return *current.step;
  };
  program(context.resumes ? checkpoint.step : 0);

  ProgressLine line(stage.name, context.quiet);
  runtime::TrainingLoop loop;
  loop.epochs = stage.options.integer("epochs");
  loop.checkpoint_every = context.experiment.checkpoint_every;
  loop.shards = context.experiment.shards;
  loop.losses.clear();
  for (const readers::Objective& objective : context.experiment.objectives)
    loop.losses.push_back({objective.name, objective.labels, passes::loss_output(objective.name), passes::correct_output(objective.name)});
  loop.communicator = &context.communicator;
  loop.program = program;
  loop.report = [&](const runtime::Progress& progress) {
    result.images_per_s = progress.images_per_s;
    if (!interruption_asked()) line.show(progress);  // the terminal may be gone
  };
  loop.epoch_end = [&](const runtime::Progress& progress, double seconds) {
    const double value = context.evaluate();
    if (!interruption_asked()) line.finish_epoch(progress, context.validating ? "validation" : "test", result.metric.shown(value));
    context.log(progress, seconds);
    if (context.validating && context.improves(value)) {
      checkpoint.best = value;
      checkpoint.best_step = progress.step;
      context.save(runtime::TrainingState{progress.step, 0, 0}, stage.name + ".best.safetensors", true);
    }
  };
  loop.save = [&](const runtime::TrainingState& state) { context.save(state, "last.safetensors"); };
  loop.interrupted = interruption_asked;
  const std::int64_t patience = stage.options.integer("patience") * per_epoch;
  loop.enough = [&](std::int64_t step) { return patience > 0 && step - checkpoint.best_step >= patience; };
  runtime::TrainingState state{checkpoint.step, checkpoint.loss_sum, checkpoint.correct, checkpoint.sums};
  if (!loop.run(*context.training, state)) return false;
  current = {};  // its executors refer to the states
  runtime::take_averages(checkpoint);
  context.evaluate_end();
  result.best_validation = checkpoint.best;
  return true;
}

}  // namespace stair::stages
