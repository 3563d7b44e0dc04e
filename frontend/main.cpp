#include "frontend/main.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>

#include "frontend/command.h"
#include "ir/error.h"

namespace stair::driver {

void register_all(CommandRegistry& registry);  // generated from the files of frontend/driver

int run(int argc, char** argv) {
  CLI::App app{"Staircase: a compiler for quantization-aware training", "stair"};
  app.require_subcommand(1);
  CommandRegistry registry;
  register_all(registry);
  std::function<int()> chosen;
  for (const Command& command : registry.all()) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->callback([&chosen, start = command.configure(*sub)] { chosen = start; });
  }
  try {
    app.parse(argc, argv);
    return chosen();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const Error& error) {
    std::fprintf(stderr, "stair: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stair: internal error, please report it: %s\n", error.what());
    return 70;
  }
}

}  // namespace stair::driver
