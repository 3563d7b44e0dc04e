#include "frontend/importer.h"
#include "frontend/readers/model_reader.h"

namespace stair::frontend::importers_ {
namespace {

bool is_json_object(std::string_view bytes) {
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && bytes[first] == '{';
}

Imported read_json(const std::string& bytes, const std::string& path, std::uint64_t seed, std::vector<std::string>* idle) {
  ir::Json json = ir::parse_json(bytes, path);
  ir::Graph model = readers::read_model(json, path, seed, idle);
  return {std::move(model), std::move(json)};
}

}  // namespace

void json(ImporterRegistry& registry) {
  registry.add({"json", "a model JSON", ".json", is_json_object, read_json});
}

}  // namespace stair::frontend::importers_
