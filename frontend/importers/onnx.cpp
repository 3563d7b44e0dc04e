#include "frontend/importer.h"
#include "frontend/importers/onnx/import.h"

namespace stair::frontend::importers_ {
namespace {

// A message of protobuf that begins with the version of the format, as all writers do it.
bool is_onnx(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 0x20;
}

Imported read_onnx(const std::string& bytes, const std::string& path, std::uint64_t seed, std::vector<std::string>* /*idle*/) {
  frontend::onnx::Made made = frontend::onnx::import(frontend::onnx::read_model(bytes, path), {}, seed);
  frontend::onnx::expect_none(made.problems, path);
  return {std::move(made.graph), std::move(made.json), std::move(made.weights), std::move(made.recipe)};
}

}  // namespace

void onnx(ImporterRegistry& registry) {
  registry.add({"onnx", "an ONNX model", ".onnx", is_onnx, read_onnx});
}

}  // namespace stair::frontend::importers_
