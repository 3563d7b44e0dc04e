#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/readers/settings.h"
#include "frontend/reports/comparison.h"
#include "frontend/stages/interruption.h"
#include "ir/error.h"
#include "runtime/file.h"
#include "runtime/folder_lock.h"

namespace stair::driver::commands {
namespace {

struct CompareOptions {
  std::vector<std::string> experiments, assignments;
  std::string folder = "runs/compare";
  bool overwrite = false, quiet = false;
  std::shared_ptr<ExecutionOptions> execution;
};

int run_compare(const CompareOptions& options) {
  std::vector<readers::Experiment> experiments;
  std::set<std::string> names;
  for (const std::string& path : options.experiments) {
    experiments.push_back(readers::load_experiment(path, options.assignments));
    readers::check_settings(experiments.back());
    readers::load_plugins(experiments.back(), path);
    if (!names.insert(experiments.back().name).second) {
      throw Error(path + " /name: another experiment is named '" + experiments.back().name + "' too");
    }
    const std::string metric = experiments.back().metrics.front().name();
    const std::string first = experiments.front().metrics.front().name();
    if (metric != first)
      throw Error(
          fmt::format("{}: is measured by {} first, {} by {}; expected the same", path, metric, options.experiments.front(), first));
  }
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) throw Error(options.folder + ": can't be made: " + error.message());
  const runtime::FolderLock lock(options.folder);
  runtime::remove_leftovers(options.folder);
  stages::stop_on_signals();
  const reports::Comparison comparison =
      reports::compare(experiments, {options.folder, false, options.overwrite, options.execution->compile(), options.quiet});
  if (!comparison.finished) {
    const std::string text = fmt::format(
        "\nstair: interrupted; go on with a single run by: stair train {0}/NAME/config.json --run {0}/NAME --resume\n", options.folder);
    std::fputs(text.c_str(), stderr);  // fmt would throw where the terminal is gone
    return stages::interrupted_code;
  }
  runtime::write_file(options.folder + "/summary.json", readers::to_text(to_json(comparison), 2) + "\n");
  fmt::print("{}{}/summary.json\n", describe(comparison), options.folder);
  return comparison.holds() ? 0 : 1;
}

}  // namespace

void compare(CommandRegistry& registry) {
  registry.add({"compare", "Runs experiments, verifies what they deploy, and shows one table", [](CLI::App& app) {
                  auto options = std::make_shared<CompareOptions>();
                  app.add_option("experiments", options->experiments, "experiment JSONs; the first is the baseline")->required();
                  app.add_option("--run", options->folder, "folder of the runs")->capture_default_str();
                  app.add_flag("--overwrite", options->overwrite, "begin the runs anew");
                  app.add_option("--set", options->assignments, "path=value: changes every experiment, like seed=2")->take_all();
                  app.add_flag("--quiet", options->quiet, "no progress");
                  options->execution = add_execution_options(app);
                  return [options] { return run_compare(*options); };
                }});
}

}  // namespace stair::driver::commands
