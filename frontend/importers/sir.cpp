#include "frontend/importer.h"
#include "ir/text.h"

namespace stair::frontend::importers_ {
namespace {

bool is_graph_text(std::string_view bytes) {
  return bytes.starts_with("sir ");
}

Imported read_text(const std::string& bytes, const std::string& path, std::uint64_t /*seed*/, std::vector<std::string>* /*idle*/) {
  return {ir::parse(bytes, path)};
}

}  // namespace

void sir(ImporterRegistry& registry) {
  registry.add({"sir", "the text of a graph", ".sir", is_graph_text, read_text});
}

}  // namespace stair::frontend::importers_
