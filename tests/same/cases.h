#pragma once

#include <cstdint>
#include <string>

namespace stair::tests {

/// Writes a random experiment into the folder, which exists: a function of its number alone, whatever the program computes.
///   exp.json        a small network, data, recipe, loss and stages
///   start.json      now and then: a quantized stage that starts from the end of the first one, run/STAGE.safetensors
///   calibrate.json  a recipe for `stair calibrate`
///   x.npy           pictures for the artifacts
/// Paths within are relative to the folder, or in it.
void write_case(std::uint64_t number, const std::string& folder);

/// The same for a model JSON of pictures, with random ones: exp.json observes a batch and trains two quantized steps.
void write_model_case(const std::string& model, const std::string& folder);

}  // namespace stair::tests
