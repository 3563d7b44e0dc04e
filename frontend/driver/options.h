#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "frontend/compile.h"

namespace stair::driver {

/// The options that several subcommands share, under the same names.
struct ExecutionOptions {
  std::string backends;                               ///< names in order of preference, separated by commas; "": all
  int threads = 0;                                    ///< 0: runtime::usable_processors
  std::shared_ptr<std::vector<std::string>> plugins;  ///< files, loaded already
  const CLI::Option* isa = nullptr;                   ///< --isa
  /// Error for an unknown backend, for a plug-in that isn't among the backends named, and for an instruction set that none of them looks
  /// at.
  frontend::CompileOptions compile() const;
};

/// Adds --plugin: files of plug-ins (backends/plugin.h), which are loaded as the command line is read. Yields them.
std::shared_ptr<std::vector<std::string>> add_plugin_option(CLI::App& app);

/// Adds --memory: what a graph may take as it runs (runtime/memory.h), set as the command line is read.
void add_memory_option(CLI::App& app);

/// Adds --plugin, --backend, --isa (the instruction set of the int8 backend, which is forced as the command line is read; Error where the
/// machine has none of that name), --threads and --memory.
std::shared_ptr<ExecutionOptions> add_execution_options(CLI::App& app);

/// The backends named in a list separated by commas; all of them for "". Error with the nearest name, and where a plug-in of these files
/// isn't among those named.
std::vector<const backends::Backend*> backends_named(const std::string& list, const std::vector<std::string>& plugins);

}  // namespace stair::driver
