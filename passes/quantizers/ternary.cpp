#include "passes/quantizer.h"

namespace stair::passes::quantizers_ {

void ternary(QuantizerRegistry& registry) {
  std::vector<ir::AttributeSpec> scales = scaled_weights();
  registry.add({.name = "ternary",
                .summary = "+1, 0 and -1 times a scale (N-TERNARY; Li, Zhang, Liu 2016, Ternary Weight Networks)",
                .attributes = {scales[1]},  // the granularity
                .powers_of_two = false,
                .bits = [](const ir::Attributes&) { return 2; },
                .simulate =
                    [](const WeightContext& c) {
                      return c.emit("fake_ternarize", {c.value}, "fq", c.simulated({{"per_channel", c.per_channel()}})).front();
                    }});
}

}  // namespace stair::passes::quantizers_
