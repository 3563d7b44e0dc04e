#include <fmt/format.h>

#include <algorithm>

#include "frontend/importers/onnx/window.h"

namespace stair::frontend::onnx::ops {
namespace {

ir::Attributes pool_attributes(const Window& window) {
  return {{"kernel", window.kernel}, {"stride", window.stride}, {"padding", window.padding()}};
}

void expect_undilated(const NodeContext& c, const Window& window) {
  c.expect(std::all_of(window.dilation.begin(), window.dilation.end(), [](std::int64_t d) { return d == 1; }),
           fmt::format("its dilations are {}, expected 1", ir::to_string(window.dilation)));
}

void import_max_pool(NodeContext& c) {
  const Value x = c.floats(0);
  c.ignore({"storage_order"});  // of the indices, which aren't yielded
  const Window window = read_window(c, x.shape, {}, true);
  expect_undilated(c, window);
  c.yield(c.emit(window.layer("max_pool", "max_pool1d"), {x}, pool_attributes(window)));
}

void import_average_pool(NodeContext& c) {
  const Value x = c.floats(0);
  const Window window = read_window(c, x.shape, {}, true);
  expect_undilated(c, window);
  const bool counts_padding = c.integer("count_include_pad", 0) != 0;
  const bool rounds_up = std::any_of(window.more.begin(), window.more.end(), [](std::int64_t more) { return more > 0; });
  c.expect(!counts_padding || !rounds_up, "its windows reach beyond the padding (ceil_mode), and padding counts (count_include_pad)");
  const bool all = counts_padding || !window.pads();
  c.yield(
      c.emit(window.layer(all ? "avg_pool" : "avg_pool_inside", all ? "avg_pool1d" : "avg_pool_inside1d"), {x}, pool_attributes(window)));
}

void import_global_pool(NodeContext& c, const char* layer) {
  const Value x = c.floats(0);
  expect_images(c, x.shape);
  c.yield(c.emit(layer, {x}));
}

}  // namespace

void pooling(OperatorRegistry& registry) {
  registry.add({"MaxPool", "`max_pool`, `max_pool1d`; no dilations, no indices", import_max_pool});
  registry.add({"AveragePool", "`avg_pool` where padding counts (count_include_pad) or is none, else `avg_pool_inside`; `…1d`",
                import_average_pool});
  registry.add({"GlobalAveragePool", "`global_avg_pool`", [](NodeContext& c) { import_global_pool(c, "global_avg_pool"); }});
  registry.add({"GlobalMaxPool", "`global_max_pool`", [](NodeContext& c) { import_global_pool(c, "global_max_pool"); }});
}

}  // namespace stair::frontend::onnx::ops
