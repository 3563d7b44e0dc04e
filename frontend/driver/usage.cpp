#include "frontend/driver/usage.h"

#include "ir/error.h"

namespace stair::driver {
namespace {

bool is_flag(const std::string& argument) {
  return argument.size() > 1 && argument.front() == '-';
}

std::string unknown_flag(const CLI::App& command, const std::string& argument) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  const std::string flag = argument.substr(0, argument.find('='));
  return "unknown flag '" + flag + "'" + did_you_mean(flag, names) + ", " + command.get_name() + " --help lists them";
}

std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
  for (const std::string& argument : arguments) {
    if (is_flag(argument)) return unknown_flag(app, argument);
    return "unknown command '" + argument + "'" + did_you_mean(argument, names) + ", expected " + one_of(names);
  }
  return "expected a command: " + one_of(names);
}

}  // namespace

std::string usage_error(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& arguments) {
  if (app.get_subcommands().empty()) return unknown_command(app, arguments);
  const CLI::App& command = *app.get_subcommands().front();
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    const std::vector<std::string> extras = app.remaining(true);
    for (const std::string& extra : extras) {
      if (is_flag(extra)) return unknown_flag(command, extra);
    }
    if (!extras.empty()) return command.get_name() + ": unexpected argument '" + extras.front() + "'";
  }
  return command.get_name() + ": " + error.what();
}

}  // namespace stair::driver
