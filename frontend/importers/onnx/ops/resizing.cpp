#include <fmt/format.h>

#include <cmath>

#include "frontend/importers/onnx/window.h"
#include "ir/resampling.h"

namespace stair::frontend::onnx::ops {
namespace {

// The place in the input, as a number, that element i of the result is taken from.
double place_of(const std::string& mode, double i, double scale, double in, double out) {
  if (mode == "asymmetric") return i / scale;
  if (mode == "align_corners") return out == 1 ? 0 : i * (in - 1) / (out - 1);
  if (mode == "pytorch_half_pixel" && out == 1) return 0;
  return (i + 0.5) / scale - 0.5;
}

double rounded(const std::string& mode, double x) {
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  if (mode == "round_prefer_ceil") return std::floor(x + 0.5);
  return std::ceil(x - 0.5);  // round_prefer_floor
}

struct Sampling {
  std::string kind, places, rounding;
};

// The elements of a dimension that the nearest ones of the result are.
std::vector<std::int64_t> nearest_of(const Sampling& sampling, std::int64_t in, std::int64_t out, double scale) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < out; ++i) {
    const double place = place_of(sampling.places, static_cast<double>(i), scale, static_cast<double>(in), static_cast<double>(out));
    all.push_back(static_cast<std::int64_t>(std::min(std::max(rounded(sampling.rounding, place), 0.0), static_cast<double>(in - 1))));
  }
  return all;
}

bool is_ours(const std::vector<std::int64_t>& nearest, std::int64_t in) {
  const ir::Resampling ours{in, static_cast<std::int64_t>(nearest.size())};
  for (std::size_t i = 0; i < nearest.size(); ++i) {
    if (nearest[i] != ours.nearest(static_cast<std::int64_t>(i))) return false;
  }
  return true;
}

// Whether our layer mixes every element of the result of the same ones.
bool is_bilinear(const Sampling& sampling, std::int64_t in, std::int64_t out, double scale) {
  const ir::Resampling ours{in, out};
  for (std::int64_t i = 0; i < out; ++i) {
    const double place = place_of(sampling.places, static_cast<double>(i), scale, static_cast<double>(in), static_cast<double>(out));
    const auto taps = ours.taps(i);
    const double at = std::min(std::max(place, 0.0), static_cast<double>(in - 1));
    const double share = static_cast<double>(taps.high_weight) / static_cast<double>(ours.unit());
    if (std::abs(at - static_cast<double>(taps.low) - share) > 1e-5) return false;
  }
  return true;
}

void emit_resize(NodeContext& c, const Sampling& sampling, const std::vector<double>& scales, const std::vector<std::int64_t>& sizes) {
  Value x = c.floats(0);
  expect_images(c, x.shape);
  c.expect(x.shape.size() == 4, fmt::format("reads {}, expected images [N,C,H,W]", ir::to_string(x.shape)));
  const bool is_nearest = sampling.kind == "nearest";
  c.expect(is_nearest || sampling.kind == "linear", fmt::format("its mode is '{}', expected nearest or linear", sampling.kind));
  c.expect(scales.size() == 4 || sizes.size() == 4, "its scales or sizes aren't of 4 dimensions");
  ir::Shape size;
  std::vector<std::vector<std::int64_t>> nearest;
  bool all_ours = true;
  for (std::size_t d = 0; d < 4; ++d) {
    const auto in = static_cast<double>(x.shape[d]);
    const double wanted = sizes.empty() ? std::floor(in * scales[d]) : static_cast<double>(sizes[d]);
    c.expect(wanted >= 1 && wanted <= 0x1p24, fmt::format("would make {} of dimension {} of {}", wanted, d, ir::to_string(x.shape)));
    const auto out = static_cast<std::int64_t>(wanted);
    if (d < 2) {
      c.expect(out == x.shape[d], fmt::format("resizes dimension {}, expected only rows and columns", d));
      continue;
    }
    size.push_back(out);
    const double scale = sizes.empty() ? scales[d] : wanted / in;
    c.expect(is_nearest || is_bilinear(sampling, x.shape[d], out, scale),
             fmt::format("mixes pixels of {} for {} by '{}', expected those of resize_bilinear", x.shape[d], out, sampling.places));
    if (!is_nearest) continue;
    nearest.push_back(nearest_of(sampling, x.shape[d], out, scale));
    all_ours = all_ours && is_ours(nearest.back(), x.shape[d]);
  }
  if (!is_nearest) return c.yield(c.emit("resize_bilinear", {x}, {{"size", size}}));
  if (all_ours) return c.yield(c.emit("resize_nearest", {x}, {{"size", size}}));
  x = c.emit("gather", {x}, {{"axis", std::int64_t{2}}, {"indices", nearest[0]}}, {}, "rows");
  c.yield(c.emit("gather", {x}, {{"axis", std::int64_t{3}}, {"indices", nearest[1]}}));
}

std::vector<double> numbers_of(const NodeContext& c, std::size_t i, const char* what) {
  std::vector<double> numbers;
  const Constant& given = c.constant(i, what);
  for (std::int64_t k = 0; k < given.count(); ++k) numbers.push_back(given.number(k));
  return numbers;
}

// A list of the axes that it is said of, as one of all dimensions.
template <class T>
std::vector<T> of_all_axes(NodeContext& c, const std::vector<T>& given, const std::vector<std::int64_t>& axes,
                           const std::vector<T>& otherwise) {
  if (given.empty() || axes.empty()) return given;
  c.expect(given.size() == axes.size(), "its axes, and its scales or sizes are of different lengths");
  std::vector<T> all = otherwise;
  for (std::size_t i = 0; i < axes.size(); ++i) all[static_cast<std::size_t>(c.axis(axes[i], all.size()))] = given[i];
  return all;
}

void import_resize(NodeContext& c) {
  const bool first = c.opset < 11;  // opset 10 knows scales alone, and its own rule of places
  Sampling sampling{c.text("mode", "nearest"), first ? "asymmetric" : c.text("coordinate_transformation_mode", "half_pixel"),
                    first ? "floor" : c.text("nearest_mode", "round_prefer_floor")};
  c.ignore({"cubic_coeff_a", "extrapolation_value"});  // of kinds that aren't taken
  c.expect(c.integer("antialias", 0) == 0, "its antialias is 1, expected 0");
  c.expect(c.integer("exclude_outside", 0) == 0, "its exclude_outside is 1, expected 0");
  const std::string policy = c.text("keep_aspect_ratio_policy", "stretch");
  c.expect(policy == "stretch", fmt::format("its keep_aspect_ratio_policy is '{}', expected 'stretch'", policy));
  for (const char* known : {"asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"}) {
    if (sampling.places != known) continue;
    const std::size_t of_scales = first ? 1 : 2;
    const std::vector<std::int64_t> axes = c.integer_list("axes");
    std::vector<double> scales = c.has(of_scales) ? numbers_of(c, of_scales, "scales") : std::vector<double>{};
    const std::vector<std::int64_t> sizes = c.has(3) ? c.integers(3, "sizes") : std::vector<std::int64_t>{};
    const std::size_t rank = c.input(0).shape.size();
    scales = of_all_axes<double>(c, scales, axes, std::vector<double>(rank, 1));
    return emit_resize(c, sampling, scales, of_all_axes<std::int64_t>(c, sizes, axes, c.input(0).shape));
  }
  c.fail(fmt::format("its coordinate_transformation_mode is '{}', expected asymmetric, half_pixel, pytorch_half_pixel or align_corners",
                     sampling.places));
}

void import_upsample(NodeContext& c) {
  std::vector<double> scales;
  const Sampling sampling{c.text("mode", "nearest"), "asymmetric", "floor"};
  if (c.opset < 9) {
    c.has_attribute("scales");
    const auto it = c.node.attributes.find("scales");
    if (it != c.node.attributes.end()) scales.assign(it->second.reals.begin(), it->second.reals.end());
  } else {
    scales = numbers_of(c, 1, "scales");
  }
  emit_resize(c, sampling, scales, {});
}

void import_depth_to_space(NodeContext& c) {
  const std::string mode = c.text("mode", "DCR");
  c.expect(mode == "DCR" || mode == "CRD", fmt::format("its mode is '{}', expected DCR or CRD", mode));
  expect_images(c, c.input(0).shape);
  c.yield(c.emit("depth_to_space", {c.floats(0)},
                 {{"block", c.integer("blocksize", 0)}, {"order", std::string(mode == "DCR" ? "dcr" : "crd")}}));
}

void import_space_to_depth(NodeContext& c) {
  expect_images(c, c.input(0).shape);
  c.yield(c.emit("space_to_depth", {c.floats(0)}, {{"block", c.integer("blocksize", 0)}}));
}

}  // namespace

void resizing(OperatorRegistry& registry) {
  registry.add({"Resize", "`resize_nearest`, or `gather` where other pixels are the nearest; `resize_bilinear`, of the same pixels alone",
                import_resize});
  registry.add({"Upsample", "`resize_nearest`", import_upsample});
  registry.add({"DepthToSpace", "`depth_to_space`", import_depth_to_space});
  registry.add({"SpaceToDepth", "`space_to_depth`", import_space_to_depth});
}

}  // namespace stair::frontend::onnx::ops
