#include "runtime/artifact.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "ir/error.h"
#include "ir/text.h"
#include "runtime/arithmetic_version.h"
#include "runtime/file.h"
#include "runtime/safetensors.h"

namespace stair::runtime {
namespace {

constexpr const char* artifact_format = "staircase artifact";

std::size_t packed_bytes(std::int64_t count, std::int64_t bits) {
  return static_cast<std::size_t>((count * bits + 7) / 8);
}

// Width at which a constant is packed; 0: stored as it is.
std::int64_t packing(const ir::State& state) {
  return state.attributes.has("bits") && state.attributes.integer("bits") < 8 ? state.attributes.integer("bits") : 0;
}

// The integers as an artifact stores them. Where one doesn't fit the width (a binary weight times a batch-norm factor of 0 is none of ±1),
// the tensor stays as it is.
Tensor packed(const Tensor& integers, std::int64_t bits) {
  const std::string bytes = pack_integers(integers.view(), bits);
  Tensor again(integers.type());
  unpack_integers(bytes, bits, again.view());
  if (std::memcmp(again.view().data, integers.view().data, integers.bytes()) != 0) return integers.clone();
  Tensor packed({ir::DType::u8, {static_cast<std::int64_t>(bytes.size())}});
  std::memcpy(packed.view().data, bytes.data(), bytes.size());
  return packed;
}

std::vector<double> numbers(const std::map<std::string, std::string>& metadata, const char* key, const std::string& path) {
  const auto it = metadata.find(key);
  if (it == metadata.end()) return {};
  const nlohmann::json list = nlohmann::json::parse(it->second, nullptr, false);
  const auto is_number = [](const nlohmann::json& item) { return item.is_number(); };
  if (!list.is_array() || !std::all_of(list.begin(), list.end(), is_number)) {
    throw Error(path + ": '" + key + "' in its metadata is " + it->second + ", expected a list of numbers");
  }
  std::vector<double> values;
  for (const nlohmann::json& item : list) values.push_back(item.get<double>());
  return values;
}

}  // namespace

std::string pack_integers(const ir::TensorView& integers, std::int64_t bits) {
  std::string packed(packed_bytes(integers.count(), bits), '\0');
  const auto* values = integers.as<std::uint8_t>();
  for (std::int64_t i = 0; i < integers.count(); ++i) {
    // One bit tells the sign of ±1.
    const unsigned value = bits == 1 && integers.type.dtype == ir::DType::s8 ? (values[i] >> 7 ^ 1U) : values[i];
    for (std::int64_t b = 0; b < bits; ++b) {
      const std::int64_t at = i * bits + b;
      if ((value >> b & 1U) != 0)
        packed[static_cast<std::size_t>(at / 8)] = static_cast<char>(packed[static_cast<std::size_t>(at / 8)] | 1 << (at % 8));
    }
  }
  return packed;
}

void unpack_integers(const std::string& bytes, std::int64_t bits, const ir::TensorView& into) {
  if (bytes.size() != packed_bytes(into.count(), bits)) {
    throw Error(fmt::format("{} bytes of {}-bit integers, expected {} for {}", bytes.size(), bits, packed_bytes(into.count(), bits),
                            to_string(into.type)));
  }
  auto* values = into.as<std::uint8_t>();
  for (std::int64_t i = 0; i < into.count(); ++i) {
    unsigned value = 0;
    for (std::int64_t b = 0; b < bits; ++b) {
      const std::int64_t at = i * bits + b;
      value |= (static_cast<unsigned char>(bytes[static_cast<std::size_t>(at / 8)]) >> (at % 8) & 1U) << b;
    }
    const bool negative = into.type.dtype == ir::DType::s8 && (value >> (bits - 1) & 1U) != 0;
    if (bits == 1 && into.type.dtype == ir::DType::s8) {
      values[i] = value == 1 ? 1 : 255;
    } else {
      values[i] = static_cast<std::uint8_t>(negative ? value | ~0U << bits : value);
    }
  }
}

std::size_t save_artifact(const Artifact& artifact, const std::string& path) {
  Safetensors contents;
  for (const ir::State& state : artifact.graph.states()) {
    const std::string& name = artifact.graph.value(state.value).name;
    const Tensor& tensor = artifact.constants.find(name)->second;
    const std::int64_t bits = packing(state);
    contents.tensors.emplace(name, bits > 0 ? packed(tensor, bits) : tensor.clone());
  }
  contents.metadata = {{arithmetic_key, std::to_string(artifact.arithmetic)},
                       {"graph", ir::print(artifact.graph)},
                       {"recipe", artifact.recipe},
                       {"mean", nlohmann::json(artifact.mean).dump()},
                       {"std", nlohmann::json(artifact.std).dump()}};
  const std::string bytes = to_safetensors(contents, artifact_format, artifact_version);
  write_file(path, bytes);
  return bytes.size();
}

Artifact load_artifact(const std::string& path) {
  Safetensors contents = from_safetensors(read_file(path), path, artifact_format, artifact_version);
  Artifact artifact;
  artifact.arithmetic = arithmetic_version_of(contents.metadata, path);
  artifact.graph = ir::parse(contents.metadata["graph"], path + " (graph)");
  if (artifact.graph.inputs().size() != 1 || artifact.graph.outputs().size() != 1) {
    throw Error(fmt::format("{} (graph): has {} inputs and {} outputs, expected one of each", path, artifact.graph.inputs().size(),
                            artifact.graph.outputs().size()));
  }
  artifact.recipe = contents.metadata["recipe"];
  artifact.mean = numbers(contents.metadata, "mean", path);
  artifact.std = numbers(contents.metadata, "std", path);
  for (const ir::State& state : artifact.graph.states()) {
    const ir::Value& value = artifact.graph.value(state.value);
    const auto it = contents.tensors.find(value.name);
    if (it == contents.tensors.end()) throw Error(path + ": tensor '" + value.name + "' is missing");
    if (it->second.type() == value.type) {
      artifact.constants.emplace(value.name, std::move(it->second));
    } else if (const std::int64_t bits = packing(state); bits > 0) {
      Tensor tensor(value.type);
      try {
        unpack_integers(std::string(it->second.as<const char>(), it->second.bytes()), bits, tensor.view());
      } catch (const Error& error) {
        throw Error(path + ": tensor '" + value.name + "' has " + error.what());
      }
      artifact.constants.emplace(value.name, std::move(tensor));
    } else {
      throw Error(path + ": tensor '" + value.name + "' is " + to_string(it->second.type()) + ", its graph expects " +
                  to_string(value.type));
    }
  }
  return artifact;
}

}  // namespace stair::runtime
