#include "frontend/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "frontend/calibration.h"
#include "frontend/evaluation.h"
#include "frontend/interruption.h"
#include "frontend/progress.h"
#include "frontend/report.h"
#include "frontend/run_folder.h"
#include "frontend/settings.h"
#include "frontend/trained.h"
#include "ir/arithmetic_version.h"
#include "ir/error.h"
#include "ir/rebatch.h"
#include "ir/text.h"
#include "passes/float_nodes.h"
#include "runtime/artifact.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/memory.h"
#include "runtime/sharded_step.h"
#include "runtime/trainer.h"

namespace stair::driver {
namespace {

class Run {
 public:
  Run(const Experiment& experiment, const RunOptions& options)
      : experiment_(experiment),
        options_(options),
        communicator_(*options.communicator),
        quiet_(options.quiet || !communicator_.leads()),
        recipe_(experiment.recipe),
        folder_(options.folder) {}

  RunResult run() {
    together(communicator_, [&] {
      load();
      if (!options_.resume) check_schedule_reach(experiment_, steps_per_epoch());
      check_stages();
    });
    check_alike();
    lead([&] {
      open_folder();
      checkpoint_.images = name_of(data_.train.images.type().dtype);
    });
    share_checkpoint();
    together(communicator_, [&] { take_over(); });
    runtime::initialize_states(experiment_.model, experiment_.seed, checkpoint_.states);
    RunResult result;
    for (std::size_t i = 0; i < experiment_.stages.size(); ++i) {
      const Stage& stage = experiment_.stages[i];
      const auto index = static_cast<std::int64_t>(i);
      if (index < checkpoint_.stage) {
        StageResult before;
        lead([&] { before = folder_.read_result(stage); });
        result.stages.push_back(before);
        continue;
      }
      StageResult done{stage.name, name_of(stage.kind)};
      const bool ended = stage.kind == Stage::Kind::calibrate ? calibrate(stage, index, done) : train(stage, index, done);
      if (!ended) return result;
      lead([&] { finish_stage(stage, done); });
      result.stages.push_back(done);
      if (i + 1 < experiment_.stages.size() && communicator_.max(interruption_asked() ? 1 : 0) > 0) return result;
    }
    result.finished = true;
    return result;
  }

 private:
  // The first process alone touches files. Where that fails all processes know.
  void lead(const std::function<void()>& part) {
    together(communicator_, [&] {
      if (communicator_.leads()) part();
    });
  }

  void load() {
    data_ = load_data(experiment_, true);
    const runtime::Normalization& normalization = experiment_.data.normalization;
    const runtime::Batches whole(data_.train, experiment_.batch, normalization, {}, experiment_.seed);  // refuses what a shard might not
    training_.emplace(data_.train, experiment_.batch / experiment_.shards, normalization, experiment_.augmentation, experiment_.seed);
    testing_.emplace(data_.test, std::min(experiment_.eval_batch, data_.test.count()), normalization, runtime::Augmentation{},
                     experiment_.seed);
  }

  // Processes on several machines may have been given files of one name that differ.
  void check_alike() {
    if (communicator_.size() == 1) return;
    std::string own = experiment_.json.dump() + ir::print(experiment_.model);
    own += data_checksums();
    std::string first = own;
    communicator_.broadcast(first, 0);
    together(communicator_, [&] {
      if (own == first) return;
      throw Error(
          fmt::format("process {} has read another experiment or other data than process 0, expected the same files on all machines",
                      communicator_.rank()));
    });
  }

  std::string data_checksums() const {
    return fmt::format("{:08x} {:08x} {:08x} {:08x}", runtime::checksum(data_.train.images.view()),
                       runtime::checksum(data_.train.labels.view()), runtime::checksum(data_.test.images.view()),
                       runtime::checksum(data_.test.labels.view()));
  }

  // Steps on other pictures than the ones before them would make a run that nobody can repeat.
  void check_same_data(const std::string& path) {
    const std::string now = data_checksums();
    const std::string before = std::exchange(checkpoint_.data, now);
    if (before.empty() || before == now) return;
    const auto part = [](const std::string& all, std::size_t i) { return all.substr(std::min(9 * i, all.size()), 8); };
    const char* const parts[] = {"training images", "training labels", "test images", "test labels"};
    for (std::size_t i = 0; i < std::size(parts); ++i) {
      if (part(before, i) == part(now, i)) continue;
      throw Error(fmt::format("{}: the run began with other {} (checksum {}, found {}), expected the data as they were", path, parts[i],
                              part(before, i), part(now, i)));
    }
  }

  void share_checkpoint() {
    if (communicator_.size() == 1) return;
    std::string bytes = communicator_.leads() ? runtime::to_bytes(checkpoint_) : "";
    communicator_.broadcast(bytes, 0);
    checkpoint_ = runtime::checkpoint_from(bytes, "the first process's checkpoint");
    resumed_ = options_.resume;
  }

  // A run of an older version goes on in this one. Version 1 knew no N-AFFINE: where nothing will watch any more what stands before a
  // batch-norm that can't fold, it stays in float to the end of the run.
  void take_over() {
    const bool old = std::exchange(checkpoint_.arithmetic, ir::arithmetic_version) < 2;
    if (!resumed_ || checkpoint_.recipe.empty()) return;
    try {
      const bool floats = !passes::recipe_from_json(checkpoint_.recipe).integer_norms();
      if (old ? watches_nothing_more() : floats) recipe_.set("batch_norm", "alone", std::string("float"));
    } catch (const Error& error) {
      throw Error(folder_.file("last.safetensors") + ": " + error.what());
    }
    checkpoint_.recipe = passes::to_json(recipe_);
  }

  bool watches_nothing_more() const {
    const auto index = static_cast<std::size_t>(checkpoint_.stage);
    if (index >= experiment_.stages.size() || experiment_.stages[index].kind != Stage::Kind::qat) return false;
    const std::int64_t steps = steps_per_epoch() * experiment_.stages[index].epochs;
    return checkpoint_.step >= steps || !passes::phase_at(recipe_, checkpoint_.step, steps_per_epoch()).observe;
  }

  std::int64_t steps_per_epoch() const { return data_.train.count() / experiment_.batch; }

  // What a stage asks of the data and of the model is known before the ones above it have been trained.
  void check_stages() const {
    for (std::size_t i = 0; i < experiment_.stages.size(); ++i) {
      const Stage& stage = experiment_.stages[i];
      passes::run(evaluation(stage), ir::with_batch(experiment_.model, experiment_.batch));
      if (stage.kind == Stage::Kind::calibrate && stage.batches > steps_per_epoch()) {
        throw Error(fmt::format("{} /stages/{}/batches: found {}, the training data has {} batches of {} images", experiment_.source, i,
                                stage.batches, steps_per_epoch(), experiment_.batch));
      }
    }
  }

  void open_folder() {
    const std::string last = folder_.file("last.safetensors");
    if (options_.resume && !folder_.holds_run()) throw Error(last + ": isn't there, so that nothing can be resumed");
    if (!options_.resume) {
      if (!experiment_.start.empty()) start_from(experiment_.start);
      check_ranges();
    }
    folder_.open();
    if (options_.resume) {
      checkpoint_ = runtime::load_checkpoint(last);
      check_same_experiment(last);
      check_holds(checkpoint_.states, experiment_.model, last);
      check_same_data(last);
      resumed_ = true;
      runtime::remove_leftovers(options_.folder);
      folder_.keep_metrics_until(checkpoint_.stage, checkpoint_.step);
      return;
    }
    if (folder_.holds_run() && !options_.overwrite) {
      throw Error(options_.folder + ": holds a run already, expected --resume to go on with it or --overwrite to begin anew");
    }
    runtime::remove_leftovers(options_.folder);
    checkpoint_.model = ir::print(experiment_.model);
    checkpoint_.experiment = experiment_.json.dump();
    checkpoint_.seed = experiment_.seed;
    checkpoint_.data = data_checksums();
    folder_.begin(experiment_);
  }

  void start_from(const std::string& path) {
    runtime::Checkpoint pretrained = runtime::load_checkpoint(path);
    check_holds(pretrained.states, experiment_.model, path);
    for (const ir::State& state : experiment_.model.states()) {
      const std::string& name = experiment_.model.value(state.value).name;
      checkpoint_.states.emplace(name, std::move(pretrained.states.find(name)->second));
    }
    for (const auto& [name, nothing_seen] : observers()) {
      const auto it = pretrained.states.find(name);
      if (it != pretrained.states.end()) checkpoint_.states.emplace(name, std::move(it->second));
    }
  }

  // The states of the recipe's observers, with their values before anything has been seen: a range is empty then.
  std::map<std::string, double> observers() const {
    const ir::Graph graph = passes::run(passes::calibration(recipe_), experiment_.model);
    std::map<std::string, double> states;
    for (const ir::State& state : graph.states()) {
      if (state.role == ir::StateRole::observer) states.emplace(graph.value(state.value).name, state.initializer.a);
    }
    return states;
  }

  // A qat stage whose observers are frozen from its first step on needs ranges that something before it has seen.
  void check_ranges() const {
    const std::map<std::string, double> states = observers();
    const auto unseen = std::find_if(states.begin(), states.end(), [&](const auto& state) {
      if (std::isfinite(state.second)) return false;
      const auto it = checkpoint_.states.find(state.first);
      return it == checkpoint_.states.end() || !std::isfinite(*it->second.template as<float>());
    });
    bool seen = unseen == states.end();
    bool forgotten = false;
    for (const Stage& stage : experiment_.stages) {
      if (stage.kind == Stage::Kind::qat && !seen && !passes::phase_at(recipe_, 0, steps_per_epoch()).observe) {
        const std::string& state = (forgotten ? states.begin() : unseen)->first;
        throw Error(fmt::format(
            "{} /recipe/schedule/freeze_observers_epoch: found {}, but the quantizer of '{}' has seen nothing when the stage '{}' begins; "
            "expected a calibrate stage before it, a 'start' with ranges, or a later epoch",
            experiment_.source, recipe_.freeze_observers_epoch(), state.substr(0, state.rfind('.')), stage.name));
      }
      forgotten = stage.kind == Stage::Kind::floating && !states.empty();  // a float stage forgets ranges
      seen = !forgotten;
    }
  }

  void check_same_experiment(const std::string& path) const {
    const Json before = parse_json(checkpoint_.experiment, path + " (experiment)");
    const Json difference = Json::diff(before, experiment_.json);
    if (difference.empty() && checkpoint_.model == ir::print(experiment_.model)) return;  // keys may stand in another order
    const std::string pointer = difference.empty() ? "/model" : difference[0]["path"].get<std::string>();
    throw Error(path + ": is of another experiment, which differs at " + pointer + "; expected the one that the run began with");
  }

  // Slots and the step counter belong to one stage; parameters, statistics, ranges and counters of random numbers go on.
  void begin_stage(std::int64_t index, const Stage& stage, const std::vector<ir::Graph>& graphs) {
    if (resumed_ && checkpoint_.stage == index) return;
    runtime::Tensors kept;
    std::vector<const ir::Graph*> all{&experiment_.model};
    for (const ir::Graph& graph : graphs) all.push_back(&graph);
    for (const ir::Graph* known : all) {
      for (const ir::State& state : known->states()) {
        const std::string& name = known->value(state.value).name;
        const auto it = checkpoint_.states.find(name);
        const bool of_stage = state.role == ir::StateRole::slot || name == known->derived("", "step");
        if (it != checkpoint_.states.end() && !of_stage) kept.emplace(name, std::move(it->second));
        if (it != checkpoint_.states.end()) checkpoint_.states.erase(it);
      }
    }
    checkpoint_.states = std::move(kept);
    checkpoint_.stage = index;
    checkpoint_.stage_name = stage.name;
    checkpoint_.step = 0;
    checkpoint_.loss_sum = 0;
    checkpoint_.correct = 0;
    checkpoint_.best_accuracy = -1;
    if (stage.kind != Stage::Kind::floating) checkpoint_.recipe = passes::to_json(recipe_);
  }

  passes::Pipeline evaluation(const Stage& stage) const {
    return stage.kind == Stage::Kind::floating ? passes::float_evaluation() : passes::quantized_evaluation(recipe_);
  }

  double evaluate(const Stage& stage) {
    std::int64_t correct = 0;
    together(communicator_, [&] {
      CompileOptions compile_options = options_.compile;
      compile_options.seed = experiment_.seed;
      runtime::Executor executor =
          compile(experiment_.model, evaluation(stage), testing_->type().shape.front(), checkpoint_.states, compile_options);
      correct = count_correct(executor, *testing_, communicator_.rank(), communicator_.size());
    });
    return static_cast<double>(communicator_.sum(correct)) / static_cast<double>(data_.test.count());
  }

  ir::Graph training_graph(const Stage& stage, const passes::Phase& phase, passes::StepPart part) const {
    const ir::Attributes optimizer = stage.optimizer_options(steps_per_epoch());
    const passes::Pipeline pipeline = stage.kind == Stage::Kind::floating
                                          ? passes::float_training(experiment_.loss, optimizer, part)
                                          : passes::quantized_training(recipe_, phase, experiment_.loss, optimizer, part);
    return passes::run(pipeline, ir::with_batch(experiment_.model, experiment_.batch / experiment_.shards));
  }

  // What a phase of a stage trains with, and a report of which kernels run it.
  struct Program {
    std::unique_ptr<runtime::Step> step;
    std::string report;
  };

  Program training_program(const Stage& stage, const passes::Phase& phase, std::int64_t index, bool first) {
    using passes::StepPart;
    const bool cut = experiment_.shards > 1;
    std::vector<ir::Graph> graphs;
    for (const StepPart part : cut ? std::vector{StepPart::shard, StepPart::update} : std::vector{StepPart::whole}) {
      graphs.push_back(training_graph(stage, phase, part));
    }
    if (first) begin_stage(index, stage, graphs);
    std::vector<runtime::Executor> executors;
    Program program;
    for (ir::Graph& graph : graphs) {
      runtime::initialize_states(graph, experiment_.seed, checkpoint_.states);
      executors.push_back(training_executor(std::move(graph), checkpoint_.states, options_.compile));
      program.report += assignment_report(executors.back());
    }
    if (cut) {
      program.step = std::make_unique<runtime::ShardedStep>(std::move(executors[0]), std::move(executors[1]), experiment_.shards,
                                                            communicator_, options_.compile.threads);
    } else {
      program.step = std::make_unique<runtime::WholeStep>(std::move(executors[0]));
    }
    return program;
  }

  bool train(const Stage& stage, std::int64_t index, StageResult& done) {
    Program current;
    std::optional<passes::Phase> phase;
    const std::int64_t per_epoch = steps_per_epoch();
    const auto program = [&](std::int64_t step) -> runtime::Step& {
      const passes::Phase now = stage.kind == Stage::Kind::qat ? passes::phase_at(recipe_, step, per_epoch) : passes::Phase{};
      if (!phase || now != *phase) {
        current = {};
        together(communicator_, [&] { current = training_program(stage, now, index, !phase); });
        lead([&] { runtime::write_file(folder_.file(stage.name + ".training.txt"), current.report); });
        phase = now;
      }
      return *current.step;
    };
    program(resumed_ && checkpoint_.stage == index ? checkpoint_.step : 0);

    ProgressLine line(stage.name, quiet_);
    done.test_accuracy = checkpoint_.best_accuracy;
    runtime::TrainingLoop loop;
    loop.epochs = stage.epochs;
    loop.checkpoint_every = experiment_.checkpoint_every;
    loop.shards = experiment_.shards;
    loop.communicator = &communicator_;
    loop.program = program;
    loop.report = [&](const runtime::Progress& progress) {
      done.images_per_s = progress.images_per_s;
      if (!interruption_asked()) line.show(progress);  // the terminal may be gone
    };
    loop.epoch_end = [&](const runtime::Progress& progress, double seconds) {
      done.test_accuracy = evaluate(stage);
      if (!interruption_asked()) line.finish_epoch(progress, done.test_accuracy);
      lead([&] { log(stage, index, progress, done.test_accuracy, seconds); });
      if (done.test_accuracy > checkpoint_.best_accuracy) {
        checkpoint_.best_accuracy = done.test_accuracy;
        save(runtime::TrainingState{progress.step, 0, 0}, stage.name + ".best.safetensors");
      }
    };
    loop.save = [&](const runtime::TrainingState& state) { save(state, "last.safetensors"); };
    loop.interrupted = interruption_asked;
    runtime::TrainingState state{checkpoint_.step, checkpoint_.loss_sum, checkpoint_.correct};
    const bool was_done = state.step == per_epoch * stage.epochs;
    if (!loop.run(*training_, state)) return false;
    if (was_done) done.test_accuracy = evaluate(stage);
    done.best_test_accuracy = checkpoint_.best_accuracy;
    return true;
  }

  // Every process watches the same batches: nothing is added up.
  void watch(const Stage& stage, std::int64_t index) {
    begin_stage(index, stage, {passes::run(passes::calibration(recipe_), experiment_.model)});
    calibrate_ranges(experiment_, recipe_, data_.train, stage.batches_of(steps_per_epoch()), checkpoint_.states, options_.compile);
  }

  bool calibrate(const Stage& stage, std::int64_t index, StageResult& done) {
    const bool was_done = resumed_ && checkpoint_.stage == index;  // a checkpoint of this stage is that of its end
    together(communicator_, [&] { watch(stage, index); });
    done.test_accuracy = evaluate(stage);
    done.best_test_accuracy = done.test_accuracy;
    checkpoint_.best_accuracy = done.test_accuracy;
    const std::int64_t batches = stage.batches_of(steps_per_epoch());
    if (!quiet_) {
      fmt::print("{} over {} batches of {} images  test {:.2f} %\n", stage.name, batches, experiment_.batch, 100 * done.test_accuracy);
    }
    runtime::Progress progress;
    progress.step = batches;
    if (!was_done) lead([&] { log(stage, index, progress, done.test_accuracy, 0); });
    save(runtime::TrainingState{batches, 0, 0}, "last.safetensors");
    return true;
  }

  void save(const runtime::TrainingState& state, const std::string& name) {
    checkpoint_.step = state.step;
    checkpoint_.loss_sum = state.loss_sum;
    checkpoint_.correct = state.correct;
    check_in_step();
    lead([&] { runtime::save_checkpoint(checkpoint_, folder_.file(name)); });
  }

  // All processes hold the same states, unless their processors compute differently.
  void check_in_step() {
    if (communicator_.size() == 1) return;
    std::uint32_t own = 0;
    for (const auto& [name, tensor] : checkpoint_.states) own = runtime::checksum(tensor.view(), own);
    const auto signed_own = static_cast<std::int64_t>(own);
    if (communicator_.max(signed_own) == -communicator_.max(-signed_own)) return;
    throw runtime::SharedError(fmt::format(
        "behind step {} of stage '{}' the processes' states differ, expected machines whose processors and libraries compute alike",
        checkpoint_.step, checkpoint_.stage_name));
  }

  void log(const Stage& stage, std::int64_t index, const runtime::Progress& progress, double test_accuracy, double seconds) const {
    Json entry{{"stage", stage.name}, {"stage_index", index}, {"kind", name_of(stage.kind)}, {"step", progress.step}};
    if (progress.epochs > 0) {
      entry["epoch"] = progress.epoch + 1;
      entry["loss"] = progress.loss;
      entry["accuracy"] = progress.accuracy;
      entry["learning_rate"] = progress.learning_rate;
      entry["images_per_s"] = progress.images_per_s;
      entry["seconds"] = seconds;
    }
    entry["test_accuracy"] = test_accuracy;
    folder_.log(entry);
  }

  void finish_stage(const Stage& stage, StageResult& done) {
    done.checkpoint = folder_.file(stage.name + ".safetensors");
    runtime::save_checkpoint(checkpoint_, done.checkpoint);
    if (stage.kind != Stage::Kind::floating && !quiet_) {
      const ir::Graph deployed = passes::run(passes::deployment(recipe_), experiment_.model);
      fmt::print("{}", passes::describe_float_islands(deployed));
    }
    if (stage.kind != Stage::Kind::floating && experiment_.exports) {
      done.artifact = folder_.file(stage.name + ".stair");
      Deployment deployment = deploy(experiment_.model, recipe_, checkpoint_.states);
      runtime::write_file(folder_.file(stage.name + ".report.txt"), deployment_report(deployment, options_.compile));
      done.artifact_bytes = runtime::save_artifact({std::move(deployment.graph), std::move(deployment.constants), passes::to_json(recipe_),
                                                    experiment_.data.normalization, checkpoint_.images},
                                                   done.artifact);
    }
    done.peak_mib = runtime::peak_rss_mib();
    folder_.write_result(done);
  }

  const Experiment& experiment_;
  const RunOptions& options_;
  runtime::Communicator& communicator_;
  bool quiet_;
  passes::Recipe recipe_;
  RunFolder folder_;  // that the first process writes
  Data data_;
  std::optional<runtime::Batches> training_, testing_;  // in training a batch is a shard
  runtime::Checkpoint checkpoint_;
  bool resumed_ = false;
};

Json summary_of(const Experiment& experiment, const RunResult& result, double seconds) {
  Json stages = Json::array();
  for (const StageResult& stage : result.stages) stages.push_back(to_json(stage));
  return {{"name", experiment.name}, {"recipe", Json::parse(passes::to_json(experiment.recipe))}, {"stages", stages}, {"seconds", seconds}};
}

}  // namespace

RunResult run_experiment(const Experiment& experiment, const RunOptions& options) {
  const runtime::Clock::time_point start = runtime::Clock::now();
  Run run(experiment, options);
  const RunResult result = run.run();
  if (result.finished && options.communicator->leads()) {
    const double seconds = runtime::seconds_since(start);
    runtime::write_file(options.folder + "/summary.json", to_text(summary_of(experiment, result, seconds), 2) + "\n");
  }
  return result;
}

}  // namespace stair::driver
