#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "frontend/command.h"
#include "frontend/json_schema.h"

namespace stair::driver {

void schema(CommandRegistry& registry) {
  registry.add({"schema", "Prints the JSON Schema of a file that users write, for editors that complete its keys", [](CLI::App& app) {
                  auto name = std::make_shared<std::string>();
                  app.add_option("name", *name, "experiment or model")->required();
                  return [name] {
                    fmt::print("{}\n", to_text(json_schema(*name), 2));
                    return 0;
                  };
                }});
}

}  // namespace stair::driver
