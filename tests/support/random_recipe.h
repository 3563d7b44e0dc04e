#pragma once

#include <cstdint>
#include <string>

#include "ir/random.h"

namespace stair::tests {

/// A recipe drawn from the seed, as JSON.
inline std::string random_recipe(std::uint64_t seed) {
  std::uint64_t draws = 0;
  const auto pick = [&](std::uint64_t n) { return ir::random_bits(seed, 8, 0, draws++) % n; };
  const char* const requantizations[] = {"float", "fixed_point", "power_of_two"};
  const std::string requantization = requantizations[pick(3)];
  std::string json = R"({"requantization": ")" + requantization + R"(", "bias": )" + (pick(2) == 0 ? R"("int32")" : R"("float32")");
  json += R"(, "weights": {"bits": )" + std::to_string(2 + pick(7)) + R"(, "granularity": )" +
          (pick(2) == 0 ? R"("per_channel")" : R"("per_tensor")") + "}";
  json += R"(, "activations": {"bits": )" + std::to_string(2 + pick(7)) + R"(, "symmetric": )" + (pick(3) == 0 ? "true" : "false") + "}";
  json += R"(, "quantize_output": )" + std::string(pick(2) == 0 ? "true" : "false");
  json += R"(, "estimator": )" + std::string(pick(2) == 0 ? R"("plain")" : R"("clipped")");
  return json + "}";
}

}  // namespace stair::tests
