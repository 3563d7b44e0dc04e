#include "frontend/driver/options.h"

#include <algorithm>
#include <sstream>

#include "backends/int8/isa.h"
#include "backends/plugin.h"
#include "ir/error.h"
#include "runtime/communicator.h"
#include "runtime/memory.h"
#include "runtime/processors.h"

namespace stair::driver {

frontend::CompileOptions ExecutionOptions::compile() const {
  frontend::CompileOptions options;
  options.backends = backends_named(backends, *plugins);
  const auto is_int8 = [](const backends::Backend* backend) { return backend->name() == "int8"; };
  if (isa->count() > 0 && std::none_of(options.backends.begin(), options.backends.end(), is_int8)) {
    throw Error("--isa: is of the backend 'int8', which --backend " + backends + " leaves out");
  }
  options.threads = threads > 0 ? threads : runtime::usable_processors(runtime::launch().local_size);
  return options;
}

std::shared_ptr<std::vector<std::string>> add_plugin_option(CLI::App& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  app.add_option("--plugin", *files, "a backend in a shared library (backends/stair_plugin.h), preferred to the built-in ones; repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->each([files](const std::string& file) { backends::load_plugin(file); });
  return files;
}

void add_memory_option(CLI::App& app) {
  app.add_option_function<std::uint64_t>(
         "--memory", [](const std::uint64_t& bytes) { runtime::limit_memory(bytes); },
         "the most that a graph may take: 4GiB, 500MB (default: 2 GiB at batch 1, and what the machine has)")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::PositiveNumber)
      ->type_name("SIZE");
}

std::shared_ptr<ExecutionOptions> add_execution_options(CLI::App& app) {
  auto options = std::make_shared<ExecutionOptions>();
  options->plugins = add_plugin_option(app);
  options->isa = app.add_option_function<std::string>(
                        "--isa", [](const std::string& name) { backends::int8::force_isa(backends::int8::isa_named(name)); },
                        "instruction set of the int8 backend (default: $STAIR_ISA, else the best that the machine has)")
                     ->type_name("NAME");
  add_memory_option(app);
  app.add_option("--backend", options->backends, "backends in order of preference, separated by commas (default: all, best first)");
  app.add_option("--threads", options->threads, "threads (default: one for each processor that it may use); results don't depend on it")
      ->check(CLI::Range(1, 1024));
  return options;
}

std::vector<const backends::Backend*> backends_named(const std::string& list, const std::vector<std::string>& plugins) {
  if (list.empty()) return backends::all();
  std::vector<const backends::Backend*> named;
  std::istringstream names(list);
  for (std::string name; std::getline(names, name, ',');) named.push_back(&backends::named(name));
  for (const std::string& file : plugins) {
    const backends::Backend& plugin = backends::load_plugin(file);  // which is loaded already
    if (std::find(named.begin(), named.end(), &plugin) != named.end()) continue;
    throw Error("--plugin " + file + ": has no effect, since --backend " + list + " leaves its backend '" + std::string(plugin.name()) +
                "' out");
  }
  return named;
}

}  // namespace stair::driver
