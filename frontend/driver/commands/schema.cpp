#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "frontend/driver/command.h"
#include "frontend/readers/json_schema.h"

namespace stair::driver::commands {

void schema(CommandRegistry& registry) {
  registry.add({"schema", "Prints the JSON Schema of a file that users write, for editors that complete its keys", [](CLI::App& app) {
                  auto name = std::make_shared<std::string>();
                  app.add_option("name", *name, "experiment or model")->required();
                  return [name] {
                    fmt::print("{}\n", readers::to_text(readers::json_schema(*name), 2));
                    return 0;
                  };
                }});
}

}  // namespace stair::driver::commands
