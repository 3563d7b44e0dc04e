#pragma once

#include <algorithm>
#include <cstdint>

#include "ir/graph.h"
#include "ir/type.h"

namespace stair::backends {

/// Whether a node's images are [N,H,W,C] (its attribute `layout`).
inline bool channels_last(const ir::Attributes& attributes) {
  return attributes.has("layout") && attributes.text("layout") == "nhwc";
}

/// The geometry of a convolution or pooling, from a node's attributes and shapes; images are [N,C,H,W], or [N,H,W,C] by the node's layout.
/// A kernel position (kh, kw) of the output pixel (oh, ow) reads the input pixel (oh * stride_h - top + kh * dilation_h, ow * stride_w -
/// left + kw * dilation_w).
struct Window {
  std::int64_t images, in_channels, in_height, in_width;
  std::int64_t out_channels, out_height, out_width;
  std::int64_t kernel_height, kernel_width;
  std::int64_t stride_h = 1, stride_w = 1, top = 0, left = 0, dilation_h = 1, dilation_w = 1, groups = 1;

  /// x [N,C,H,W], w [O,C/groups,KH,KW], y [N,O,OH,OW].
  static Window convolution(const ir::Attributes& attributes, const ir::Shape& x, const ir::Shape& w, const ir::Shape& y) {
    Window window = of_images(attributes, x, y, w[2], w[3]);
    window.read(attributes);
    window.dilation_h = attributes.integers("dilation")[0];
    window.dilation_w = attributes.integers("dilation")[1];
    window.groups = attributes.integer("groups");
    return window;
  }
  /// x [N,C,H,W], y [N,C,OH,OW]; kernel from the attributes.
  static Window pooling(const ir::Attributes& attributes, const ir::Shape& x, const ir::Shape& y) {
    Window window = of_images(attributes, x, y, attributes.integers("kernel")[0], attributes.integers("kernel")[1]);
    window.read(attributes);
    return window;
  }

  std::int64_t group_in() const { return in_channels / groups; }
  std::int64_t group_out() const { return out_channels / groups; }
  std::int64_t in_row(std::int64_t oh, std::int64_t kh) const { return oh * stride_h - top + kh * dilation_h; }
  std::int64_t in_column(std::int64_t ow, std::int64_t kw) const { return ow * stride_w - left + kw * dilation_w; }
  bool row_inside(std::int64_t h) const { return h >= 0 && h < in_height; }
  bool column_inside(std::int64_t w) const { return w >= 0 && w < in_width; }
  /// The output columns [first, last) for which kernel column kw reads inside the image.
  std::int64_t first_column(std::int64_t kw) const {
    const std::int64_t at = left - kw * dilation_w;
    return std::min(out_width, at > 0 ? (at + stride_w - 1) / stride_w : 0);
  }
  std::int64_t last_column(std::int64_t kw) const {
    const std::int64_t room = in_width - 1 + left - kw * dilation_w;
    return room < 0 ? 0 : std::min(out_width, room / stride_w + 1);
  }

 private:
  static Window of_images(const ir::Attributes& attributes, const ir::Shape& x, const ir::Shape& y, std::int64_t kernel_height,
                          std::int64_t kernel_width) {
    if (channels_last(attributes)) return {x[0], x[3], x[1], x[2], y[3], y[1], y[2], kernel_height, kernel_width};
    return {x[0], x[1], x[2], x[3], y[1], y[2], y[3], kernel_height, kernel_width};
  }
  void read(const ir::Attributes& attributes) {
    const auto& stride = attributes.integers("stride").empty() ? attributes.integers("kernel") : attributes.integers("stride");
    stride_h = stride[0];
    stride_w = stride[1];
    top = attributes.integers("padding")[0];
    left = attributes.integers("padding")[1];
  }
};

}  // namespace stair::backends
