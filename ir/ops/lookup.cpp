#include "ir/ops/common.h"

namespace stair::ir::ops {

void lookup(OpRegistry& registry) {
  registry.add(on_integers({.name = "lookup",
                            .summary = "table[q], or table[q + 128] for signed q",
                            .operands = {{"q", "u8 or s8"}, {"table", "256 entries, of tabulate"}},
                            .results = {{"y", "of the shape of q and the table's element type"}},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              expect_quantized(c, 0);
                              expect_quantized(c, 1);
                              expect_type(c, 1, {c.operand(1).dtype, {256}});
                              return {{c.operand(1).dtype, c.shape(0)}};
                            },
                            .deployed = true,
                            .channels_last = OpSchema::ChannelsLast{},
                            .in_place = {0}}));
}

}  // namespace stair::ir::ops
