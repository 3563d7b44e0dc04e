#include "frontend/main.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <new>
#include <system_error>

#include "frontend/command.h"
#include "frontend/usage.h"
#include "ir/error.h"

namespace stair::driver {

void register_all(CommandRegistry& registry);  // generated from the files of frontend/driver

namespace {

// One line, whatever the names in it are made of.
int complain(std::string message, int code) {
  std::replace_if(
      message.begin(), message.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  std::fprintf(stderr, "stair: %s\n", message.c_str());
  return code;
}

int run_chosen(const std::function<int()>& chosen) {
  const int code = chosen();
  if (std::fflush(stdout) != 0) throw Error("standard output can't be written");
  return code;
}

}  // namespace

int run(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of its write
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
    return run_chosen(chosen);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    return complain(usage_error(app, error, std::vector<std::string>(argv + 1, argv + argc)), 2);
  } catch (const Error& error) {
    return complain(error.what(), 2);
  } catch (const std::system_error& error) {  // of the file system, or of a full disk behind stdout
    return complain(error.what(), 2);
  } catch (const std::bad_alloc&) {
    return complain("out of memory, expected a smaller model, batch or data set", 2);
  } catch (const std::exception& error) {
    return complain(std::string("internal error, please report it: ") + error.what(), 70);
  }
}

}  // namespace stair::driver
