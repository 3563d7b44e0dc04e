#include "frontend/importer.h"

#include "ir/error.h"
#include "runtime/file.h"

namespace stair::frontend {
namespace {

const Importer* by_extension(const std::string& path) {
  for (const auto& [name, importer] : importers().all()) {
    if (path.ends_with(importer.extension)) return &importer;
  }
  return nullptr;
}

const Importer& importer_of(const std::string& path, std::string_view bytes) {
  if (const Importer* known = by_extension(path)) return *known;
  for (const auto& [name, importer] : importers().all()) {
    if (importer.recognizes(bytes)) return importer;
  }
  throw Error(path + ": is no model, expected " + model_formats());
}

}  // namespace

bool is_model_file(const std::string& path) {
  return by_extension(path) != nullptr;
}

Imported import_model(const std::string& path, std::uint64_t seed, std::vector<std::string>* idle) {
  const std::string bytes = runtime::read_file(path);
  return importer_of(path, bytes).read(bytes, path, seed, idle);
}

std::string model_formats() {
  std::string all;
  for (const auto& [name, importer] : importers().all())
    all += (all.empty() ? "" : " or ") + importer.summary + " (" + importer.extension + ")";
  return all;
}

}  // namespace stair::frontend
