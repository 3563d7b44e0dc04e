#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/json.h"
#include "ir/kinds.h"
#include "passes/recipe.h"
#include "runtime/tensor.h"

namespace stair::frontend {

struct Imported {
  ir::Graph model;
  ir::Json in_place = nullptr;                ///< what an experiment holds in place of the file's path; null: the path
  runtime::Tensors weights = {};              ///< the model's states, of formats that hold them
  std::optional<passes::Recipe> recipe = {};  ///< of a quantized model, whose quantizers' states are among the weights
};

/// A format of files that hold a float model, some with its weights: one file in frontend/importers.
struct Importer {
  std::string name;
  std::string summary;
  std::string extension;  ///< ".json"; files of no known extension are told by what they hold
  std::function<bool(std::string_view bytes)> recognizes;
  /// `seed` is that of the model's random ops (dropout). Error naming the file and the place for what is no such model; of what has no
  /// effect, `idle` takes the messages instead where it is given.
  std::function<Imported(const std::string& bytes, const std::string& path, std::uint64_t seed, std::vector<std::string>* idle)> read;
};

using ImporterRegistry = ir::Registry<Importer>;
const ImporterRegistry& importers();

/// Whether the extension says that the file holds a model.
bool is_model_file(const std::string& path);

/// Reads a model's file. Error naming the file, as the importer throws, or where it is of no known format.
Imported import_model(const std::string& path, std::uint64_t seed, std::vector<std::string>* idle = nullptr);

/// The formats with their extensions, for help and errors: "model JSON (.json) or graph text (.sir)".
std::string model_formats();

}  // namespace stair::frontend
