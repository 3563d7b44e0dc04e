#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "frontend/bench/benchmark.h"
#include "frontend/bench/benchmark_report.h"
#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/importer.h"
#include "frontend/readers/recipe_option.h"
#include "ir/error.h"
#include "ir/index_inputs.h"
#include "passes/plan_memory.h"

namespace stair::driver::commands {
namespace {

struct BenchOptions {
  std::string target, recipe, mode = "qat";
  std::int64_t batch = 1;
  bool floats = false, trains = false, json = false, plan = false;
  bench::BenchmarkOptions measured;
  std::shared_ptr<ExecutionOptions> execution;
};

bench::Subject training_of(const BenchOptions& options, const ir::Graph& model) {
  std::optional<passes::Recipe> recipe;
  if (options.mode == "qat") recipe = readers::recipe_for(model, options.recipe.empty() ? "int8" : options.recipe);
  if (!recipe && !options.recipe.empty()) throw Error("--recipe: training in float takes none, expected --mode qat");
  try {
    return bench::training_subject(model, recipe, options.batch);
  } catch (const Error& error) {
    throw Error(options.target + ": " + error.what());
  }
}

// What is fed is random pictures, or indices.
void check_inputs(const std::string& target, const ir::Graph& model) {
  if (model.inputs().empty()) throw Error(target + ": has no input");
  for (const ir::ValueId id : model.inputs()) {
    const ir::Value& input = model.value(id);
    const bool indices = input.type.dtype == ir::DType::i32 && ir::rows_of(model, id) > 0;
    if ((input.type.dtype == ir::DType::f32 || indices) && !input.type.shape.empty()) continue;
    throw Error(fmt::format("{}: its input '{}' is {}, expected f32 [N, ...], or i32 [N, ...] for an embedding", target, input.name,
                            to_string(input.type)));
  }
}

bench::Subject subject_of(const BenchOptions& options) {
  if (!options.target.ends_with(".stair")) {
    const ir::Graph model = frontend::import_model(options.target, 0).model;
    check_inputs(options.target, model);
    if (options.trains) return training_of(options, model);
    if (options.floats) return bench::float_subject(model, options.batch);
    return bench::untrained_subject(model, readers::recipe_for(model, options.recipe.empty() ? "int8" : options.recipe), options.batch);
  }
  for (const char* given : {options.floats ? "--float" : "", options.recipe.empty() ? "" : "--recipe", options.trains ? "--train" : ""}) {
    if (*given != '\0') throw Error(options.target + ": an artifact is quantized already, expected no " + given);
  }
  return bench::artifact_subject(options.target, options.batch);
}

int run_bench(BenchOptions& options) {
  options.measured.compile = options.execution->compile();
  bench::Subject subject = subject_of(options);
  if (options.plan) {
    const runtime::Executor executor = frontend::executor_for(subject.graph, subject.states, options.measured.compile);
    ir::Schedule schedule;
    for (const runtime::Executor::Assignment& step : executor.assignments()) schedule.push_back(step.nodes);
    fmt::print("{}", passes::describe(executor.graph(), schedule, executor.plan()));
    return 0;
  }
  const bench::Benchmark benchmark = bench::run_benchmark(subject, options.measured);
  if (options.json) {
    fmt::print("{}\n", readers::to_text(bench::benchmark_json(subject, options.measured, benchmark), 2));
  } else {
    fmt::print("{}", bench::benchmark_report(subject, options.measured, benchmark));
  }
  return 0;
}

}  // namespace

void bench(CommandRegistry& registry) {
  registry.add(
      {"bench", "Measures inference or training: latency, throughput, and what each node takes", [](CLI::App& app) {
         auto options = std::make_shared<BenchOptions>();
         app.add_option("target", options->target,
                        frontend::model_formats() + ", with weights as at the start of training, or an artifact (.stair)")
             ->required();
         CLI::Option* recipe = app.add_option("--recipe", options->recipe, "a recipe's name, JSON, or a .json file (default: int8)");
         CLI::Option* floats = app.add_flag("--float", options->floats, "the model's inference in float instead")->excludes(recipe);
         CLI::Option* train = app.add_flag("--train", options->trains, "steps of training instead of inference")->excludes(floats);
         app.add_option("--mode", options->mode, "what --train trains in")
             ->needs(train)
             ->check(CLI::IsMember({"float", "qat"}))
             ->capture_default_str();
         app.add_option("--batch", options->batch, "images at once")->check(CLI::Range(1, 1'000'000))->capture_default_str();
         CLI::Option* seconds =
             app.add_option("--seconds", options->measured.time.seconds, "how long to measure the latency; the nodes take as long again");
         seconds->check(CLI::Range(0.001, 3600.0))->capture_default_str();
         app.add_option("--runs", options->measured.time.runs, "so many runs instead")->check(CLI::PositiveNumber)->excludes(seconds);
         CLI::Option* runs = app.get_option("--runs");
         CLI::Option* json = app.add_flag("--json", options->json, "for scripts");
         app.add_flag("--plan", options->plan,
                      "print the memory plan of what would run instead: bytes by tensor, the peak and who holds it")
             ->excludes(json)
             ->excludes(seconds)
             ->excludes(runs);
         options->execution = add_execution_options(app);
         return [options] { return run_bench(*options); };
       }});
}

}  // namespace stair::driver::commands
