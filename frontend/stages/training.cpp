#include "frontend/stages/training.h"

#include <memory>
#include <optional>
#include <utility>

#include "frontend/reports/report.h"
#include "frontend/stages/interruption.h"
#include "frontend/stages/progress.h"
#include "ir/rebatch.h"
#include "passes/optimizer.h"
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
    graphs.push_back(passes::run(pipeline(phase, optimizer, part), ir::with_batch(experiment.model, experiment.batch / experiment.shards)));
  }
  if (first) context.begin(graphs);
  std::vector<runtime::Executor> executors;
  Program program;
  for (ir::Graph& graph : graphs) {
    runtime::initialize_states(graph, experiment.seed, context.checkpoint.states);
    executors.push_back(frontend::training_executor(std::move(graph), context.checkpoint.states, context.options.compile));
    program.report += reports::assignment_report(executors.back());
  }
  if (cut) {
    program.step = std::make_unique<runtime::ShardedStep>(std::move(executors[0]), std::move(executors[1]), experiment.shards,
                                                          context.communicator, context.options.compile.threads);
  } else {
    program.step = std::make_unique<runtime::WholeStep>(std::move(executors[0]));
  }
  return program;
}

}  // namespace

std::vector<ir::AttributeSpec> training_attributes() {
  ir::AttributeSpec optimizer = passes::optimizer_spec();
  optimizer.required = optimizer.members.front().required = true;  // a learning rate is nobody's default
  return {{.name = "epochs",
           .doc = "passes over the training data",
           .fallback = std::int64_t{1},
           .required = true,
           .bounds = ir::within(1, 1e6)},
          optimizer,
          passes::schedule_spec(),
          {.name = "patience",
           .doc = "epochs that may be no better on the validation data before the stage ends; 0: it runs all of them",
           .fallback = std::int64_t{0},
           .bounds = ir::within(0, 1e6)}};
}

std::vector<std::string> training_keys() {
  return {"augmentation", "shards", "loss", "checkpoint_every"};
}

ir::Attributes optimizer_options(const Stage& stage, std::int64_t steps_per_epoch) {
  return {{"optimizer", stage.options.at("optimizer")},
          {"schedule", stage.options.at("schedule")},
          {"epochs", stage.options.at("epochs")},
          {"steps_per_epoch", steps_per_epoch}};
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
  loop.labels = context.experiment.labels_of_example();
  loop.communicator = &context.communicator;
  loop.program = program;
  loop.report = [&](const runtime::Progress& progress) {
    result.images_per_s = progress.images_per_s;
    if (!interruption_asked()) line.show(progress);  // the terminal may be gone
  };
  loop.epoch_end = [&](const runtime::Progress& progress, double seconds) {
    const double value = context.evaluate();
    if (!interruption_asked()) line.finish_epoch(progress, context.validating ? "validation" : "test", result.metric->shown(value));
    context.log(progress, seconds);
    if (context.validating && context.improves(value)) {
      checkpoint.best = value;
      checkpoint.best_step = progress.step;
      context.save(runtime::TrainingState{progress.step, 0, 0}, stage.name + ".best.safetensors");
    }
  };
  loop.save = [&](const runtime::TrainingState& state) { context.save(state, "last.safetensors"); };
  loop.interrupted = interruption_asked;
  const std::int64_t patience = stage.options.integer("patience") * per_epoch;
  loop.enough = [&](std::int64_t step) { return patience > 0 && step - checkpoint.best_step >= patience; };
  runtime::TrainingState state{checkpoint.step, checkpoint.loss_sum, checkpoint.correct};
  if (!loop.run(*context.training, state)) return false;
  context.evaluate_end();
  result.best_validation = checkpoint.best;
  return true;
}

}  // namespace stair::stages
