#include "frontend/importers/onnx/window.h"

#include <fmt/format.h>

#include <algorithm>

namespace stair::frontend::onnx {
namespace {

constexpr std::int64_t largest_side = 1 << 24;

void expect_sides(const NodeContext& c, const std::vector<std::int64_t>& list, std::size_t sides, const char* name, std::int64_t least) {
  c.expect(list.size() == sides && std::all_of(list.begin(), list.end(), [&](std::int64_t n) { return n >= least && n <= largest_side; }),
           fmt::format("its {} are {}, expected {} numbers of at least {}", name, ir::to_string(list), sides, least));
}

}  // namespace

bool Window::pads() const {
  const auto is_positive = [](std::int64_t n) { return n > 0; };
  return std::any_of(begin.begin(), begin.end(), is_positive) || std::any_of(end.begin(), end.end(), is_positive);
}

std::vector<std::int64_t> Window::padding() const {
  std::vector<std::int64_t> all = begin;
  all.insert(all.end(), end.begin(), end.end());
  return all;
}

void expect_images(const NodeContext& c, const ir::Shape& x) {
  c.expect(c.lead == 0, "has examples along dimension 0, expected a model imported with a batch");
  c.expect(x.size() == 3 || x.size() == 4, fmt::format("reads {}, expected images [N,C,H,W] or sequences [N,C,L]", ir::to_string(x)));
}

Window read_window(NodeContext& c, const ir::Shape& x, const std::vector<std::int64_t>& kernel, bool pools) {
  expect_images(c, x);
  const std::size_t sides = x.size() - 2;
  Window window;
  window.kernel = c.integer_list("kernel_shape", kernel);
  c.expect(kernel.empty() || window.kernel == kernel,
           fmt::format("its kernel_shape is {}, of weights of {}", ir::to_string(window.kernel), ir::to_string(kernel)));
  window.stride = c.integer_list("strides", std::vector<std::int64_t>(sides, 1));
  window.dilation = c.integer_list("dilations", std::vector<std::int64_t>(sides, 1));
  const std::vector<std::int64_t> pads = c.integer_list("pads", std::vector<std::int64_t>(2 * sides, 0));
  expect_sides(c, window.kernel, sides, "kernel_shape", 1);
  expect_sides(c, window.stride, sides, "strides", 1);
  expect_sides(c, window.dilation, sides, "dilations", 1);
  expect_sides(c, pads, 2 * sides, "pads", 0);
  window.begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(sides));
  window.end.assign(pads.begin() + static_cast<std::ptrdiff_t>(sides), pads.end());
  window.more.assign(sides, 0);
  const std::string automatic = c.text("auto_pad", "NOTSET");
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  c.expect(same || automatic == "NOTSET" || automatic == "VALID" || automatic.empty(),
           fmt::format("its auto_pad is '{}', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID", automatic));
  const bool rounds_up = pools && c.integer("ceil_mode", 0) != 0;
  for (std::size_t d = 0; d < sides; ++d) {
    if (window.kernel[d] == 1) window.dilation[d] = 1;
    const std::int64_t reach = window.dilation[d] * (window.kernel[d] - 1) + 1;
    const std::int64_t size = x[2 + d];
    if (automatic == "VALID") window.begin[d] = window.end[d] = 0;
    if (same) {
      const std::int64_t out = (size + window.stride[d] - 1) / window.stride[d];
      const std::int64_t all = std::max<std::int64_t>((out - 1) * window.stride[d] + reach - size, 0);
      window.begin[d] = automatic == "SAME_UPPER" ? all / 2 : all - all / 2;
      window.end[d] = all - window.begin[d];
    }
    if (!rounds_up || same) continue;
    const std::int64_t room = size + window.begin[d] + window.end[d] - reach;
    c.expect(room >= 0, fmt::format("its window doesn't fit into {}", ir::to_string(x)));
    std::int64_t out = (room + window.stride[d] - 1) / window.stride[d] + 1;
    if ((out - 1) * window.stride[d] >= size + window.begin[d]) --out;  // a window that begins behind the image
    window.more[d] = std::max<std::int64_t>((out - 1) * window.stride[d] - room, 0);
    window.end[d] += window.more[d];
  }
  return window;
}

}  // namespace stair::frontend::onnx
