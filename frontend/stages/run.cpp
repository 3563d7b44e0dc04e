#include "frontend/stages/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "frontend/readers/settings.h"
#include "frontend/readers/trained.h"
#include "frontend/reports/report.h"
#include "frontend/stages/context.h"
#include "frontend/stages/interruption.h"
#include "frontend/stages/start.h"
#include "frontend/stages/teacher.h"
#include "frontend/stages/untrained.h"
#include "ir/arithmetic_version.h"
#include "ir/error.h"
#include "ir/rebatch.h"
#include "ir/text.h"
#include "passes/float_nodes.h"
#include "passes/schedule.h"
#include "runtime/artifact.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/memory.h"

namespace stair::stages {
namespace {

class Run : private StageContext {
 public:
  using StageContext::StageContext;

  RunResult run() {
    together(communicator, [&] {
      load();
      if (!options.resume) readers::check_schedule_reach(experiment, steps_per_epoch());
      check_stages();
    });
    check_alike();
    lead([&] {
      open_folder();
      checkpoint.inputs = data.train.forms();
    });
    share_checkpoint();
    together(communicator, [&] { take_over(); });
    lead([&] {
      const bool trains =
          std::any_of(experiment.stages.begin(), experiment.stages.end(), [](const Stage& each) { return each.options.has("optimizer"); });
      if (trains && !quiet) fmt::print("{}", untrained_parameters(experiment));
    });
    runtime::initialize_states(experiment.model, experiment.seed, checkpoint.states);
    RunResult all;
    for (const Stage& next : experiment.stages) {
      stage = &next;
      index = static_cast<std::int64_t>(all.stages.size());
      resumes = resumed_ && checkpoint.stage == index;
      recipe = recipe_of(next);
      result = {next.name, next.kind->name, experiment.metrics.front()};
      if (index < checkpoint.stage) {
        lead([&] { result = folder.read_result(next, result.metric); });
        all.stages.push_back(result);
        continue;
      }
      if (!next.kind->run(*this)) return all;
      lead([&] { finish_stage(); });
      all.stages.push_back(result);
      if (all.stages.size() < experiment.stages.size() && communicator.max(interruption_asked() ? 1 : 0) > 0) return all;
    }
    all.finished = true;
    return all;
  }

 private:
  void load() {
    data = load_data(experiment, true);
    const runtime::Normalizations normalizations = experiment.normalizations();
    const runtime::Batches whole(data.train, experiment.batch, normalizations, {}, experiment.seed);  // refuses what a shard might not
    training.emplace(data.train, experiment.batch / experiment.shards, normalizations, experiment.augmentation, experiment.seed);
    if (data.validation) {
      validating.emplace(*data.validation, std::min(experiment.eval_batch, data.validation->count()), normalizations, ir::Attributes(),
                         experiment.seed);
    }
    testing.emplace(data.test, std::min(experiment.eval_batch, data.test.count()), normalizations, ir::Attributes(), experiment.seed);
  }

  // Processes on several machines may have been given files of one name that differ.
  void check_alike() {
    if (communicator.size() == 1) return;
    std::string own = experiment.json.dump() + ir::print(experiment.model);
    own += data_checksums();
    std::string first = own;
    communicator.broadcast(first, 0);
    together(communicator, [&] {
      if (own == first) return;
      throw Error(
          fmt::format("process {} has read another experiment or other data than process 0, expected the same files on all machines",
                      communicator.rank()));
    });
  }

  // A checksum of each part's inputs and labels, and what it is of, in the order in which checkpoints hold them.
  std::vector<std::pair<std::string, std::string>> parts_of_data() const {
    std::vector<std::pair<std::string, std::string>> parts;
    const auto add = [&](const char* name, const runtime::Dataset& part) {
      const auto of = [](const std::string& end, std::size_t count) { return count > 1 ? " of '" + end + "'" : ""; };
      for (std::size_t i = 0; i < part.inputs.size(); ++i) {
        const std::string& input = experiment.model.value(experiment.model.inputs()[i]).name;
        parts.emplace_back(fmt::format("{} images{}", name, of(input, part.inputs.size())),
                           fmt::format("{:08x}", part.inputs[i].checksum()));
      }
      for (std::size_t i = 0; i < part.labels.size(); ++i) {
        parts.emplace_back(fmt::format("{} labels{}", name, of(experiment.labelled_outputs(experiment.model)[i], part.labels.size())),
                           fmt::format("{:08x}", runtime::checksum(part.labels[i].view())));
      }
    };
    add("training", data.train);
    add("test", data.test);
    if (data.validation) add("validation", *data.validation);
    for (const readers::Objective& objective : experiment.objectives) {
      if (const std::optional<std::uint32_t> teacher = teacher_checksum(experiment, objective))
        parts.emplace_back("weights of the teacher " + objective.loss.text("teacher"), fmt::format("{:08x}", *teacher));
    }
    return parts;
  }

  std::string data_checksums() const {
    std::string all;
    for (const auto& [name, checksum] : parts_of_data()) all += (all.empty() ? "" : " ") + checksum;
    return all;
  }

  // Steps on other pictures than the ones before them would make a run that nobody can repeat.
  void check_same_data(const std::string& path) {
    const std::vector<std::pair<std::string, std::string>> parts = parts_of_data();
    const std::string before = std::exchange(checkpoint.data, data_checksums());
    if (before.empty() || before == checkpoint.data) return;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto& [name, now] = parts[i];
      const std::string then = before.substr(std::min(9 * i, before.size()), 8);
      if (then == now || then.empty()) continue;  // of before teachers counted
      throw Error(
          fmt::format("{}: the run began with other {} (checksum {}, found {}), expected the data as they were", path, name, then, now));
    }
  }

  void share_checkpoint() {
    if (communicator.size() == 1) return;
    std::string bytes = communicator.leads() ? runtime::to_bytes(checkpoint) : "";
    communicator.broadcast(bytes, 0);
    checkpoint = runtime::checkpoint_from(bytes, "the first process's checkpoint");
    resumed_ = options.resume;
  }

  // A run of an older program goes on in this one. Version 1 knew no N-AFFINE, and recipes without `normalization` no N-SOFTMAX: where
  // nothing will watch any more what stands before a batch-norm that can't fold, or before softmax, it stays in float to the end of the
  // run.
  void take_over() {
    const bool old = std::exchange(checkpoint.arithmetic, ir::arithmetic_version) < 2;
    const auto at = static_cast<std::size_t>(checkpoint.stage);
    if (!resumed_ || checkpoint.recipe.empty() || at >= experiment.stages.size()) return;
    const Stage& begun = experiment.stages[at];
    try {
      const passes::Recipe before = passes::recipe_from_json(checkpoint.recipe);
      const auto stay_floats = [&](bool unknown, bool integers, bool wanted) {
        return unknown ? watches_nothing_more(begun) : !integers && wanted;
      };
      norms_stay_floats_ = stay_floats(old, before.integer_norms(), begun.recipe.integer_norms());
      rows_stay_floats_ =
          stay_floats(old || !passes::states_normalization(checkpoint.recipe), before.integer_rows(), begun.recipe.integer_rows());
    } catch (const Error& error) {
      throw Error(folder.file("last.safetensors") + ": " + error.what());
    }
    checkpoint.recipe = passes::to_json(recipe_of(begun));
  }

  bool watches_nothing_more(const Stage& begun) const {
    if (!begun.kind->follows_schedule()) return false;
    return checkpoint.step >= steps_per_epoch() * begun.options.integer("epochs") ||
           !begun.kind->phase(begun.recipe, checkpoint.step, steps_per_epoch()).observe;
  }

  passes::Recipe recipe_of(const Stage& of) const {
    passes::Recipe made = of.recipe;
    if (norms_stay_floats_) made.set("batch_norm", "alone", std::string("float"));
    if (rows_stay_floats_) made.set("normalization", std::string("float"));
    return made;
  }

  // What a stage asks of the data and of the model is known before the ones above it have been trained.
  void check_stages() const {
    for (std::size_t i = 0; i < experiment.stages.size(); ++i) {
      const StageKind& kind = *experiment.stages[i].kind;
      passes::run(evaluation(kind, recipe_of(experiment.stages[i])), ir::with_batch(experiment.model, experiment.batch));
      if (kind.check) kind.check(experiment, i, steps_per_epoch());
    }
  }

  void open_folder() {
    const std::string last = folder.file("last.safetensors");
    if (options.resume && !folder.holds_run()) throw Error(last + ": isn't there, so that nothing can be resumed");
    if (!options.resume) {
      if (!experiment.start.checkpoint.empty()) {
        const Started started = take_start(experiment, observers(experiment.stages.front()), checkpoint.states);
        if (experiment.start.chooses && !quiet) fmt::print("{}", describe(started, experiment.start.checkpoint));
      }
      check_ranges();
    }
    folder.open();
    if (options.resume) {
      checkpoint = runtime::load_checkpoint(last);
      const bool extends = check_same_experiment(last);
      readers::check_holds(checkpoint.states, experiment.model, last);
      check_same_data(last);
      if (extends) {
        checkpoint.experiment = experiment.json.dump();
        folder.extend(experiment);
      }
      resumed_ = true;
      runtime::remove_leftovers(options.folder);
      folder.keep_metrics_until(checkpoint.stage, checkpoint.step);
      return;
    }
    if (folder.holds_run() && !options.overwrite) {
      throw Error(options.folder + ": holds a run already, expected --resume to go on with it or --overwrite to begin anew");
    }
    runtime::remove_leftovers(options.folder);
    checkpoint.model = ir::print(experiment.model);
    checkpoint.experiment = experiment.json.dump();
    checkpoint.seed = experiment.seed;
    checkpoint.data = data_checksums();
    folder.begin(experiment);
  }

  // With the states of the recipe's observers.
  ir::Graph observers(const Stage& of) const { return passes::run(passes::calibration(of.recipe), experiment.model); }

  // A qat stage whose observers are frozen from its first step on needs ranges that something before it has seen.
  void check_ranges() const {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < experiment.stages.size(); ++i) {
      const Stage& next = experiment.stages[i];
      if (!next.kind->quantizes) {  // forgets ranges
        seen.clear();
        continue;
      }
      const ir::Graph watching = observers(next);
      std::set<std::string> watched;
      for (const ir::State& state : watching.states()) {
        const std::string& name = watching.value(state.value).name;
        if (state.role != ir::StateRole::observer || !ir::is_float(watching.type(state.value).dtype)) continue;
        watched.insert(name);
        if (i == 0 && frontend::has_seen(watching, state, checkpoint.states)) seen.insert(name);
        const auto updates_it = [&](const ir::Update& update) { return update.state == state.value && update.value != state.value; };
        if (!seen.contains(name) && std::none_of(watching.updates().begin(), watching.updates().end(), updates_it)) {
          throw Error(
              fmt::format("{} {}/activations/observer: found '{}', which watches nothing, and the quantizer of '{}' has no scale when "
                          "the stage '{}' begins; expected a 'start' that has it",
                          experiment.source, next.recipe_pointer, next.recipe.activations().text("observer"),
                          name.substr(0, name.rfind('.')), next.name));
        }
        if (seen.contains(name) || !next.kind->follows_schedule() || next.kind->phase(next.recipe, 0, steps_per_epoch()).observe) continue;
        throw Error(fmt::format(
            "{} {}/schedule/freeze_observers_epoch: found {}, but the quantizer of '{}' has seen nothing when the stage '{}' begins; "
            "expected a calibrate stage before it, a 'start' with ranges, or a later epoch",
            experiment.source, next.recipe_pointer, next.recipe.freeze_observers_epoch(), name.substr(0, name.rfind('.')), next.name));
      }
      seen = std::move(watched);
    }
  }

  // What the run began with, or with more epochs of the stage where it stands (true).
  bool check_same_experiment(const std::string& path) const {
    const ir::Json before = ir::parse_json(checkpoint.experiment, path + " (experiment)");
    const ir::Json difference = ir::Json::diff(before, experiment.json);
    if (difference.empty() && checkpoint.model == ir::print(experiment.model)) return false;  // keys may stand in another order
    const std::string pointer = difference.empty() ? "/model" : difference[0]["path"].get<std::string>();
    const std::string epochs = fmt::format("/stages/{}/epochs", checkpoint.stage);
    const ir::Json* const old = pointer == epochs && difference.size() == 1 && difference[0]["op"] == "replace"
                                    ? &before.at(ir::Json::json_pointer(epochs))
                                    : nullptr;
    if (old != nullptr && old->is_number_integer() && checkpoint.model == ir::print(experiment.model)) {
      check_extension(*old, path);
      return true;
    }
    throw Error(fmt::format("{}: is of another experiment, which differs at {}; expected the one that the run began with{}", path, pointer,
                            pointer.ends_with("/epochs") ? ", or more epochs of '" + checkpoint.stage_name + "' alone" : ""));
  }

  void check_extension(std::int64_t epochs, const std::string& path) const {
    const Stage& extended = experiment.stages[static_cast<std::size_t>(checkpoint.stage)];
    const auto fail = [&](const std::string& message) {
      throw Error(fmt::format("{} /stages/{}/epochs: {}", experiment.source, checkpoint.stage, message));
    };
    const std::int64_t more = extended.options.integer("epochs");
    if (more < epochs) fail(fmt::format("found {}, but the run ({}) began with {}, expected at least as many", more, path, epochs));
    const std::int64_t patience = extended.options.integer("patience") * steps_per_epoch();
    if (patience > 0 && checkpoint.step % steps_per_epoch() == 0 && checkpoint.step - checkpoint.best_step >= patience)
      fail(fmt::format("found {}, but the stage has ended by its patience, behind epoch {}", more, checkpoint.step / steps_per_epoch()));
    if (!quiet) {
      const ir::Attributes& schedule = extended.options.object("schedule");
      fmt::print(
          "{}: {} epochs in the place of {}{}\n", extended.name, more, epochs,
          passes::goes_by_length(schedule) ? fmt::format("; the {} schedule is that of {} from here on", schedule.text("kind"), more) : "");
    }
  }

  void finish_stage() {
    const auto file_of = [this](const char* extension) { return folder.file(stage->name + extension); };
    result.checkpoint = file_of(".safetensors");
    runtime::save_checkpoint(checkpoint, result.checkpoint);
    if (stage->kind->quantizes && !quiet) {
      const ir::Graph deployed = passes::run(passes::deployment(recipe), experiment.model);
      fmt::print("{}", passes::describe_float_islands(deployed));
    }
    if (stage->kind->quantizes && experiment.exports) {
      result.artifact = file_of(".stair");
      frontend::Deployment deployment = frontend::deploy(experiment.model, recipe, checkpoint.states);
      runtime::write_file(file_of(".report.txt"), reports::deployment_report(deployment, options.compile));
      result.artifact_bytes =
          runtime::save_artifact({std::move(deployment.graph), std::move(deployment.constants), passes::to_json(recipe),
                                  runtime::input_forms(experiment.normalizations(), checkpoint.inputs, experiment.model.inputs().size())},
                                 result.artifact);
    }
    result.peak_mib = runtime::peak_rss_mib();
    folder.write_result(result);
  }

  bool resumed_ = false;
  bool norms_stay_floats_ = false;
  bool rows_stay_floats_ = false;
};

ir::Json summary_of(const readers::Experiment& experiment, const RunResult& result, double seconds) {
  ir::Json stages = ir::Json::array();
  for (const StageResult& stage : result.stages) stages.push_back(to_json(stage));
  return {
      {"name", experiment.name}, {"recipe", ir::Json::parse(passes::to_json(experiment.recipe))}, {"stages", stages}, {"seconds", seconds}};
}

}  // namespace

RunResult run_experiment(const readers::Experiment& experiment, const RunOptions& options) {
  const runtime::Clock::time_point start = runtime::Clock::now();
  Run run(experiment, options);
  const RunResult result = run.run();
  if (result.finished && options.communicator->leads()) {
    const double seconds = runtime::seconds_since(start);
    runtime::write_file(options.folder + "/summary.json", readers::to_text(summary_of(experiment, result, seconds), 2) + "\n");
  }
  return result;
}

}  // namespace stair::stages
