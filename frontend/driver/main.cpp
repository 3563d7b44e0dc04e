#include "frontend/driver/main.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <functional>

#include "frontend/driver/command.h"
#include "frontend/driver/failure.h"
#include "frontend/driver/usage.h"
#include "frontend/stages/interruption.h"
#include "ir/arithmetic_version.h"
#include "ir/error.h"
#include "runtime/artifact.h"
#include "runtime/checkpoint.h"
#include "runtime/communicator.h"
#include "runtime/weights.h"

namespace stair::driver {

namespace {

std::string version_text() {
  return fmt::format("stair {}\nartifact format {}\ncheckpoint format {}\nweights format {}\narithmetic {}", STAIR_VERSION,
                     runtime::artifact_version, runtime::checkpoint_version, runtime::weights_version, ir::arithmetic_version);
}

int run_chosen(const std::function<int()>& chosen) {
  const int code = chosen();
  if (std::fflush(stdout) != 0 && code != stages::interrupted_code) throw Error("standard output can't be written");
  return code;
}

}  // namespace

int run(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of its write
  CLI::App app{"Staircase: a compiler for quantization-aware training", "stair"};
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text(), "the versions of the program, its formats and its arithmetic");
  std::function<int()> chosen;
  for (const auto& [name, command] : all_commands().all()) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->callback([&chosen, start = command.configure(*sub)] { chosen = start; });
  }
  try {
    try {
      app.parse(argc, argv);
    } catch (...) {
      if (runtime::launch().rank > 0) return 0;  // the first process says it for all
      throw;
    }
    return run_chosen(chosen);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    return complain(usage_error(app, error, std::vector<std::string>(argv + 1, argv + argc)), 2);
  } catch (...) {
    return complain();
  }
}

}  // namespace stair::driver
