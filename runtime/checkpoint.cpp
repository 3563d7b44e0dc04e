#include "runtime/checkpoint.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "ir/error.h"
#include "runtime/arithmetic_version.h"
#include "runtime/file.h"
#include "runtime/finite.h"
#include "runtime/safetensors.h"

namespace stair::runtime {
namespace {

constexpr const char* checkpoint_format = "staircase checkpoint";

template <class T>
T number(const std::map<std::string, std::string>& metadata, const char* key, const std::string& path) {
  const auto it = metadata.find(key);
  T value{};
  if (it == metadata.end()) throw Error(path + ": its metadata has no '" + key + "'");
  const char* const end = it->second.data() + it->second.size();
  const auto [rest, error] = std::from_chars(it->second.data(), end, value);
  if (rest != end || error != std::errc{}) throw Error(path + ": '" + key + "' in its metadata is '" + it->second + "'");
  return value;
}

}  // namespace

std::string to_bytes(const Checkpoint& checkpoint) {
  Safetensors contents;
  for (const auto& [name, tensor] : checkpoint.states) contents.tensors.emplace(name, tensor.clone());
  contents.metadata = {{arithmetic_key, std::to_string(checkpoint.arithmetic)},
                       {"model", checkpoint.model},
                       {"recipe", checkpoint.recipe},
                       {"experiment", checkpoint.experiment},
                       {"data", checkpoint.data},
                       {"stage", std::to_string(checkpoint.stage)},
                       {"stage_name", checkpoint.stage_name},
                       {"step", std::to_string(checkpoint.step)},
                       {"seed", std::to_string(checkpoint.seed)},
                       {"loss_sum", fmt::format("{}", checkpoint.loss_sum)},
                       {"correct", std::to_string(checkpoint.correct)},
                       {"best_accuracy", fmt::format("{}", checkpoint.best)}};
  if (checkpoint.best_step > 0) contents.metadata["best_step"] = std::to_string(checkpoint.best_step);
  if (!checkpoint.images.element.empty()) contents.metadata["images"] = checkpoint.images.element;
  if (checkpoint.images.shorter_side) contents.metadata["shorter_side"] = std::to_string(*checkpoint.images.shorter_side);
  return to_safetensors(contents, checkpoint_format, checkpoint_version);
}

void save_checkpoint(const Checkpoint& checkpoint, const std::string& path) {
  write_file(path, to_bytes(checkpoint));
}

Checkpoint load_checkpoint(const std::string& path) {
  return checkpoint_from(read_file(path), path);
}

Checkpoint checkpoint_from(const std::string& bytes, const std::string& path) {
  Safetensors contents = from_safetensors(bytes, path, checkpoint_format, checkpoint_version);
  const auto& metadata = contents.metadata;
  Checkpoint checkpoint;
  checkpoint.arithmetic = arithmetic_version_of(metadata, path);
  checkpoint.model = contents.metadata["model"];
  checkpoint.recipe = contents.metadata["recipe"];
  checkpoint.experiment = contents.metadata["experiment"];
  checkpoint.images.element = image_elements(metadata, path);
  if (metadata.contains("shorter_side")) checkpoint.images.shorter_side = number<std::int64_t>(metadata, "shorter_side", path);
  if (checkpoint.images.shorter_side && (*checkpoint.images.shorter_side < 1 || *checkpoint.images.shorter_side > 16384))
    throw Error(fmt::format("{}: 'shorter_side' in its metadata is {}, expected 1 to 16384", path, *checkpoint.images.shorter_side));
  checkpoint.data = contents.metadata["data"];
  checkpoint.stage_name = contents.metadata["stage_name"];
  checkpoint.stage = number<std::int64_t>(metadata, "stage", path);
  checkpoint.step = number<std::int64_t>(metadata, "step", path);
  checkpoint.seed = number<std::uint64_t>(metadata, "seed", path);
  checkpoint.loss_sum = number<double>(metadata, "loss_sum", path);
  checkpoint.correct = number<std::int64_t>(metadata, "correct", path);
  checkpoint.best = number<double>(metadata, "best_accuracy", path);
  if (metadata.contains("best_step")) checkpoint.best_step = number<std::int64_t>(metadata, "best_step", path);
  if (checkpoint.stage < 0 || checkpoint.step < 0) throw Error(path + ": its metadata has a negative stage or step");
  for (const auto& [name, tensor] : contents.tensors) {
    // Which tensors are ranges that have seen nothing, and may be infinite, only the graph of a stage knows.
    const bool is_range = tensor.count() == 1 && tensor.type().dtype == ir::DType::f32 && std::isinf(*tensor.as<float>());
    if (!is_range) check_finite(tensor.view(), path + ": tensor '" + name + "'");
  }
  checkpoint.states = std::move(contents.tensors);
  return checkpoint;
}

}  // namespace stair::runtime
