#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "frontend/driver/command.h"
#include "frontend/importer.h"
#include "ir/error.h"
#include "ir/rebatch.h"
#include "ir/scanner.h"
#include "ir/text.h"
#include "passes/pass.h"
#include "passes/plan_memory.h"
#include "runtime/file.h"

namespace stair::driver::commands {
namespace {

struct OptOptions {
  std::string passes, input, output;
  std::int64_t batch = 0;
  bool print_after_all = false, list = false, plan = false;
};

// "inference_mode, fold_batch_norm{fold=\"weight\"}"
passes::Pipeline parse_pipeline(const std::string& text) {
  passes::Pipeline pipeline;
  ir::Scanner scan(text, "--passes");
  if (scan.at_end()) return pipeline;
  do {
    passes::Step step{scan.word("a pass")};
    step.options = scan.attributes();
    pipeline.push_back(std::move(step));
  } while (scan.accept(','));
  scan.end_line();
  return pipeline;
}

int list_passes() {
  for (const auto& [name, pass] : passes::registry().all()) {
    fmt::print("{}: {}\n", name, pass.summary);
    for (const ir::AttributeSpec& option : pass.options) {
      fmt::print("  {}: {}{}{}\n", option.name, option.doc, option.choices.empty() ? "" : ": " + one_of(option.choices),
                 option.required ? "" : fmt::format(" ({})", ir::print_literal(option.fallback)));
    }
  }
  return 0;
}

int run_opt(const OptOptions& options) {
  if (options.list) return list_passes();
  if (options.input.empty()) throw Error("expected " + frontend::model_formats());
  ir::Graph graph = frontend::import_model(options.input, 1).model;
  if (options.batch > 0) graph = ir::with_batch(graph, options.batch);
  graph = passes::run(parse_pipeline(options.passes), std::move(graph), [&](const passes::Step& step, const passes::Result& result) {
    if (!options.print_after_all) return;
    fmt::print("# ---- after {}{}\n", step.pass, ir::print_attributes(step.options));
    for (const std::string& change : result.changes) fmt::print("# {}\n", change);
    fmt::print("{}\n", ir::print(result.graph));
  });
  if (!options.output.empty()) {
    runtime::write_file(options.output, ir::print(graph));
  } else if (options.plan) {
    fmt::print("{}", passes::describe(graph, ir::one_by_one(graph), passes::plan_memory(graph)));
  } else if (!options.print_after_all) {
    fmt::print("{}", ir::print(graph));
  }
  return 0;
}

}  // namespace

void opt(CommandRegistry& registry) {
  registry.add({"opt", "Runs passes over the text of a graph", [](CLI::App& app) {
                  auto options = std::make_shared<OptOptions>();
                  CLI::Option* input = app.add_option("input", options->input, frontend::model_formats());
                  CLI::Option* passes = app.add_option("--passes", options->passes, "NAME{option=value}, in order, separated by commas");
                  CLI::Option* output = app.add_option("-o,--output", options->output, "file to write (default: print)");
                  CLI::Option* batch = app.add_option("--batch", options->batch, "for another batch size")->check(CLI::Range(1, 1'000'000));
                  CLI::Option* after_all =
                      app.add_flag("--print-after-all", options->print_after_all, "print the graph after every pass, and what it changed");
                  CLI::Option* plan = app.add_flag("--plan", options->plan, "print the memory plan instead of the graph")->excludes(output);
                  CLI::Option* list = app.add_flag("--list", options->list, "list the passes and their options");
                  for (CLI::Option* other : {input, passes, output, batch, after_all, plan}) list->excludes(other);
                  return [options] { return run_opt(*options); };
                }});
}

}  // namespace stair::driver::commands
