#pragma once

#include <functional>
#include <string>

#include "ir/kinds.h"

namespace CLI {
class App;
}

namespace stair::driver {

/// A subcommand of `stair`: one file NAME.cpp in frontend/driver/commands that defines `void NAME(CommandRegistry&)`.
/// `configure` adds its options to the app and returns what runs it: the function that yields the exit code (0 fine, 1 the checked thing
/// does not hold; errors are thrown as stair::Error and become exit code 2 in main).
struct Command {
  std::string name;
  std::string summary;
  std::function<std::function<int()>(CLI::App&)> configure;
};

using CommandRegistry = ir::Registry<Command>;
const CommandRegistry& all_commands();

}  // namespace stair::driver
