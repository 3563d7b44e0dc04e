#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/driver/processes.h"
#include "frontend/readers/settings.h"
#include "frontend/stages/interruption.h"
#include "frontend/stages/run.h"
#include "ir/error.h"

namespace stair::driver::commands {
namespace {

struct TrainOptions {
  std::string experiment, folder;
  std::vector<std::string> assignments;
  bool resume = false, overwrite = false, quiet = false;
  std::int64_t seed = -1;
  std::shared_ptr<ExecutionOptions> execution;
};

// A word of a shell's command line.
std::string shell_word(const std::string& word) {
  const std::string plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:+@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// What goes on where this process stopped: the same experiment, on the same backends.
std::string resume_command(const TrainOptions& options, const std::string& folder) {
  std::string command = "stair train " + shell_word(options.experiment) + " --run " + shell_word(folder);
  for (const std::string& assignment : options.assignments) command += " --set " + shell_word(assignment);
  if (options.seed >= 0) command += " --seed " + std::to_string(options.seed);
  for (const std::string& file : *options.execution->plugins) command += " --plugin " + shell_word(file);
  if (!options.execution->backends.empty()) command += " --backend " + shell_word(options.execution->backends);
  return command + " --resume";
}

std::string folder_of(const TrainOptions& options, const readers::Experiment& experiment) {
  return options.folder.empty() ? "runs/" + experiment.name : options.folder;
}

// Where the experiment doesn't say how many shards a step has: as many as there are processes, and a run that is resumed keeps its number.
std::int64_t shards_of(const TrainOptions& options, const readers::Experiment& experiment, runtime::Communicator& processes) {
  std::string text = std::to_string(processes.size());
  together(processes, [&] {
    const std::string last = folder_of(options, experiment) + "/last.safetensors";
    if (!processes.leads() || !options.resume || !std::filesystem::exists(last)) return;
    const ir::Json before = ir::parse_json(runtime::load_checkpoint(last).experiment, last + " (experiment)");
    const bool says = before.contains("shards") && before["shards"].is_number_integer();
    text = std::to_string(says ? before["shards"].get<std::int64_t>() : 1);
  });
  processes.broadcast(text, 0);
  return std::stoll(text);
}

readers::Experiment load(const TrainOptions& options, runtime::Communicator& processes) {
  std::vector<std::string> assignments = options.assignments;
  if (options.seed >= 0) {
    const auto sets_seed = [](const std::string& assignment) { return assignment.starts_with("seed="); };
    if (std::any_of(assignments.begin(), assignments.end(), sets_seed))
      throw Error("--seed: --set says the seed, too; expected one of them");
    assignments.push_back("seed=" + std::to_string(options.seed));
  }
  readers::Experiment experiment;
  together(processes, [&] { experiment = readers::load_experiment(options.experiment, assignments); });
  if (!experiment.json.contains("shards")) {
    const std::int64_t shards = shards_of(options, experiment, processes);
    together(processes, [&] { readers::set_shards(experiment, shards, options.experiment); });
  }
  together(processes, [&] {
    if (experiment.shards % processes.size() != 0) {
      throw Error(fmt::format("{} /shards: a step has {}, which {} processes can't share evenly; expected a multiple of {}",
                              options.experiment, experiment.shards, processes.size(), processes.size()));
    }
    if (!options.resume) readers::check_settings(experiment);
    readers::load_plugins(experiment, options.experiment);
  });
  return experiment;
}

int run_train(const TrainOptions& options, runtime::Communicator& processes) {
  const readers::Experiment experiment = load(options, processes);
  const std::string folder = folder_of(options, experiment);
  stages::stop_on_signals();
  const stages::RunResult result = stages::run_experiment(
      experiment, {folder, options.resume, options.overwrite, options.execution->compile(), options.quiet, &processes});
  if (!processes.leads()) return 0;
  if (!result.finished) {
    const std::string launcher = processes.size() > 1 ? fmt::format("mpirun -n {} ", processes.size()) : "";
    const std::string text =
        "\nstair: interrupted; a checkpoint has been written, go on with: " + launcher + resume_command(options, folder);
    std::fprintf(stderr, "%s\n", text.c_str());  // fmt would throw where the terminal is gone
    return stages::interrupted_code;
  }
  for (const stages::StageResult& stage : result.stages) {
    fmt::print("{:<16} test {} {}{}{}  peak memory {:.0f} MiB  {}{}\n", stage.name, stage.metric.name(), stage.metric.shown(stage.test),
               stage.validation >= 0 ? ", validation " + stage.metric.shown(stage.validation) : "",
               stage.images_per_s > 0 ? fmt::format("  {:.0f} images/s", stage.images_per_s) : "", stage.peak_mib, stage.checkpoint,
               stage.artifact.empty() ? "" : fmt::format("  {} ({} bytes)", stage.artifact, stage.artifact_bytes));
  }
  return 0;
}

}  // namespace

void train(CommandRegistry& registry) {
  registry.add(
      {"train", "Trains an experiment: float, calibrate (PTQ) and qat stages, with checkpoints, metrics and artifacts", [](CLI::App& app) {
         auto options = std::make_shared<TrainOptions>();
         app.add_option("experiment", options->experiment, "experiment JSON")->required();
         app.add_option("--run", options->folder, "folder of the run (default: runs/NAME)");
         CLI::Option* resume = app.add_flag("--resume", options->resume, "go on where the run stopped");
         app.add_flag("--overwrite", options->overwrite, "begin the run anew")->excludes(resume);
         app.add_option("--seed", options->seed, "instead of the experiment's")->check(CLI::NonNegativeNumber);
         app.add_option("--set", options->assignments, "path=value: changes the experiment, like stages.0.epochs=1")->take_all();
         app.add_flag("--quiet", options->quiet, "no progress");
         options->execution = add_execution_options(app);
         return [options] { return in_processes([&](runtime::Communicator& processes) { return run_train(*options, processes); }); };
       }});
}

}  // namespace stair::driver::commands
