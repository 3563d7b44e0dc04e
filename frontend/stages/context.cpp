#include "frontend/stages/context.h"

#include <fmt/format.h>

#include <utility>

#include "frontend/first_values.h"

namespace stair::stages {
namespace {

// All processes hold the same states, unless their processors compute differently.
void check_in_step(const runtime::Checkpoint& checkpoint, runtime::Communicator& communicator) {
  if (communicator.size() == 1) return;
  std::uint32_t own = 0;
  for (const auto& [name, tensor] : checkpoint.states) own = runtime::checksum(tensor.view(), own);
  const auto signed_own = static_cast<std::int64_t>(own);
  if (communicator.max(signed_own) == -communicator.max(-signed_own)) return;
  throw runtime::SharedError(fmt::format(
      "behind step {} of stage '{}' the processes' states differ, expected machines whose processors and libraries compute alike",
      checkpoint.step, checkpoint.stage_name));
}

}  // namespace

void StageContext::lead(const std::function<void()>& part) {
  together(communicator, [&] {
    if (communicator.leads()) part();
  });
}

void StageContext::begin(const std::vector<ir::Graph>& graphs) {
  if (resumes) return;
  const std::string before = std::exchange(checkpoint.recipe, stage->kind->quantizes ? passes::to_json(recipe) : "");
  if (stage->kind->quantizes) frontend::forget_other_quantizers(experiment.model, before, recipe, checkpoint.states);
  runtime::Tensors kept;
  std::vector<const ir::Graph*> all{&experiment.model};
  for (const ir::Graph& graph : graphs) all.push_back(&graph);
  for (const ir::Graph* known : all) {
    for (const ir::State& state : known->states()) {
      const std::string& name = known->value(state.value).name;
      const auto it = checkpoint.states.find(name);
      const bool of_stage = state.role == ir::StateRole::slot || name == known->derived("", "step");
      if (it != checkpoint.states.end() && !of_stage) kept.emplace(name, std::move(it->second));
      if (it != checkpoint.states.end()) checkpoint.states.erase(it);
    }
  }
  checkpoint.states = std::move(kept);
  checkpoint.stage = index;
  checkpoint.stage_name = stage->name;
  checkpoint.step = 0;
  checkpoint.loss_sum = 0;
  checkpoint.correct = 0;
  checkpoint.sums.clear();
  checkpoint.best = -1;
  checkpoint.best_step = 0;
  if (!stage->kind->quantizes) return;
  runtime::Batches batches(data.train, experiment.batch, experiment.normalizations(), {}, experiment.seed);
  batches.load_training(0, 0);
  frontend::give_first_values(experiment.model, recipe, batches.inputs(), checkpoint.states);
}

void StageContext::begin_averages(const ir::Graph& graph) {
  for (const ir::State& state : graph.states()) {
    if (!state.attributes.has("average_of")) continue;
    const std::string& of = state.attributes.text("average_of");
    if (!checkpoint.averages.emplace(of, graph.value(state.value).name).second) continue;
    checkpoint.states.insert_or_assign(graph.value(state.value).name, checkpoint.states.find(of)->second.clone());
  }
}

double StageContext::evaluate() {
  if (validating) return result.validation = evaluate_on(*validating, "validation_");
  return result.test = evaluate_on(*testing, "test_");
}

void StageContext::evaluate_end() {
  if (result.measured.empty()) evaluate();
  if (validating) result.test = evaluate_on(*testing, "test_");
}

double StageContext::evaluate_on(runtime::Batches& batches, const std::string& part) {
  std::vector<runtime::Counts> counts;
  std::vector<runtime::Measured> all;
  together(communicator, [&] {
    frontend::CompileOptions compile_options = options.compile;
    compile_options.seed = experiment.seed;
    runtime::Tensors copies;
    if (!checkpoint.averages.empty()) copies = runtime::averaged(checkpoint);
    runtime::Executor executor = frontend::compile(experiment.model, evaluation(*stage->kind, recipe), batches.size(),
                                                   checkpoint.averages.empty() ? checkpoint.states : copies, compile_options);
    counts = count(executor, batches, experiment, communicator.rank(), communicator.size());
    all = measured(experiment, executor.graph(), batches.dataset());
  });
  std::erase_if(result.measured, [&](const auto& named) { return named.first.starts_with(part); });
  for (runtime::Counts& of_metric : counts) communicator.sum_each(of_metric);
  const std::vector<runtime::Score> scores = finish(all, counts, experiment.metrics);
  for (std::size_t i = 0; i < scores.size(); ++i) result.measured.emplace_back(part + experiment.metrics[i].name(), scores[i].value);
  return scores.front().value;
}

bool StageContext::improves(double value) const {
  if (checkpoint.best < 0) return true;
  return experiment.metrics.front().metric->larger_is_better ? value > checkpoint.best : value < checkpoint.best;
}

void StageContext::log(const runtime::Progress& progress, double seconds) {
  ir::Json entry{{"stage", stage->name}, {"stage_index", index}, {"kind", stage->kind->name}, {"step", progress.step}};
  if (progress.epochs > 0) {
    entry["epoch"] = progress.epoch + 1;
    entry["loss"] = progress.loss;
    if (progress.accuracy) entry["accuracy"] = *progress.accuracy;
    for (const runtime::Progress::Part& part : progress.parts) {
      entry["loss:" + part.output] = part.loss;
      if (part.accuracy) entry["accuracy:" + part.output] = *part.accuracy;
    }
    entry["learning_rate"] = progress.learning_rate;
    entry["images_per_s"] = progress.images_per_s;
    entry["seconds"] = seconds;
  }
  for (const auto& [name, value] : result.measured) entry[name] = value;
  lead([&] { folder.log(entry); });
}

void StageContext::save(const runtime::TrainingState& state, const std::string& name, bool with_averages) {
  checkpoint.step = state.step;
  checkpoint.loss_sum = state.loss_sum;
  checkpoint.correct = state.correct;
  checkpoint.sums = state.sums;
  check_in_step(checkpoint, communicator);
  lead([&] { runtime::save_checkpoint(checkpoint, folder.file(name), with_averages); });
}

passes::Pipeline evaluation(const StageKind& kind, const passes::Recipe& recipe) {
  return kind.quantizes ? passes::quantized_evaluation(recipe) : passes::float_evaluation();
}

}  // namespace stair::stages
