#include "runtime/weights.h"

#include <utility>

#include "runtime/file.h"
#include "runtime/safetensors.h"

namespace stair::runtime {
namespace {

constexpr const char* weights_format = "staircase weights";

}  // namespace

void save_weights(Tensors weights, const std::string& path) {
  write_file(path, to_safetensors({std::move(weights), {}}, weights_format, weights_version));
}

bool holds_weights(const std::string& bytes) {
  return format_of(bytes) == weights_format;
}

Tensors weights_from(const std::string& bytes, const std::string& path) {
  return from_safetensors(bytes, path, weights_format, weights_version).tensors;
}

}  // namespace stair::runtime
