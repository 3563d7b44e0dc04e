#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "backends/backend.h"
#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/readers/json_file.h"
#include "ir/op.h"

namespace stair::driver::commands {
namespace {

int run_backends(bool json) {
  const std::vector<const backends::Backend*> all = backends::all();
  if (json) {
    ir::Json report = ir::Json::array();
    for (const backends::Backend* backend : all) {
      ir::Json ops = ir::Json::object();
      for (const auto& [name, op] : ir::op_registry().all()) {
        const backends::Answer answer = backend->supports_op(name);
        ops[name] = answer.yes ? ir::Json(true) : ir::Json(answer.reason);
      }
      report.push_back({{"name", backend->name()}, {"summary", backend->summary()}, {"ops", ops}});
    }
    fmt::print("{}\n", readers::to_text(report, 2));
    return 0;
  }
  for (const backends::Backend* backend : all) fmt::print("{}: {}\n", backend->name(), backend->summary());
  fmt::print("\n{:<28}", "op");
  for (const backends::Backend* backend : all) fmt::print(" {:<10}", backend->name());
  fmt::print(" why not\n");
  for (const auto& [name, op] : ir::op_registry().all()) {
    fmt::print("{:<28}", name);
    std::string reasons;
    for (const backends::Backend* backend : all) {
      const backends::Answer answer = backend->supports_op(name);
      fmt::print(" {:<10}", answer.yes ? "yes" : "-");
      if (!answer.yes) reasons += (reasons.empty() ? "" : "; ") + std::string(backend->name()) + ": " + answer.reason;
    }
    fmt::print(" {}\n", reasons);
  }
  return 0;
}

}  // namespace

void backends_(CommandRegistry& registry) {
  registry.add({"backends", "Which backend runs which op, from the backends' own answers", [](CLI::App& app) {
                  auto json = std::make_shared<bool>(false);
                  app.add_flag("--json", *json, "for scripts");
                  add_plugin_option(app);
                  return [json] { return run_backends(*json); };
                }});
}

}  // namespace stair::driver::commands
