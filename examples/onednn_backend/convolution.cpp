// Convolutions: conv2d, its gradients, and conv2d_integer. Images are cut by the batch, weights' gradients by output channels.

#include <algorithm>
#include <cstring>
#include <string>

#include "plan.h"

namespace {

using dnnl::memory;
using Dims = memory::dims;
using Type = memory::data_type;

Dims dims_of(const stair_type& type) {
  return {type.dims, type.dims + type.rank};
}

Dims row_major(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

// A convolution as oneDNN describes it. Images are [N,C,H,W] or [N,H,W,C].
struct Convolution {
  Dims stride, dilation, padding_low, padding_high;
  std::int64_t groups;
  bool channels_last;

  explicit Convolution(const stair_node& node) {
    const auto pair = [&](const char* name, std::size_t at) {
      const std::int64_t* values = stair_integers(&node, name) + at;
      return Dims{values[0], values[1]};
    };
    stride = pair("stride", 0);
    dilation = pair("dilation", 0);
    for (std::int64_t& d : dilation) --d;  // oneDNN counts the gaps
    padding_low = pair("padding", 0);
    padding_high = pair("padding", 2);
    groups = stair_integer(&node, "groups");
    const stair_attribute* layout = stair_find(&node, "layout");
    channels_last = layout != nullptr && std::strcmp(layout->value.text, "nhwc") == 0;
  }

  // `channels` of the channels of `images` of the images.
  memory::desc image(const stair_type& type, Type element, std::int64_t images, std::int64_t channels) const {
    Dims dims = dims_of(type);
    Dims strides = row_major(dims);
    if (channels_last) {
      std::rotate(dims.begin() + 1, dims.end() - 1, dims.end());
      std::rotate(strides.begin() + 1, strides.end() - 1, strides.end());
    }
    dims[0] = images;
    dims[1] = channels;
    return {dims, element, strides};
  }

  // Filters [O,C/groups,KH,KW], or `outputs` of them.
  memory::desc filters(const stair_type& type, Type element, std::int64_t outputs) const {
    Dims dims = dims_of(type);
    dims[0] = outputs;
    if (groups > 1) {
      dims[0] /= groups;
      dims.insert(dims.begin(), groups);
    }
    return {dims, element, row_major(dims)};
  }
};

std::int64_t channels_of(const Convolution& c, const stair_type& image) {
  return image.dims[c.channels_last ? 3 : 1];
}

double multiplications(const stair_type& output, const stair_type& weight) {
  return static_cast<double>(stair_count(&output)) * static_cast<double>(stair_count(&weight) / weight.dims[0]);
}

std::int64_t bytes(const memory::desc& desc) {
  std::int64_t count = static_cast<std::int64_t>(memory::data_type_size(desc.data_type()));
  for (const std::int64_t dim : desc.dims()) count *= dim;
  return count;
}

dnnl::convolution_forward::primitive_desc forward(const Convolution& c, const memory::desc& x, const memory::desc& w,
                                                  const memory::desc& bias, const memory::desc& y, const dnnl::primitive_attr& attributes) {
  using dnnl::convolution_forward;
  const auto kind = dnnl::prop_kind::forward_training;
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const auto desc =
      bias.is_zero()
          ? convolution_forward::desc(kind, algorithm, any(x), any(w), any(y), c.stride, c.dilation, c.padding_low, c.padding_high)
          : convolution_forward::desc(kind, algorithm, any(x), any(w), bias, any(y), c.stride, c.dilation, c.padding_low, c.padding_high);
  return {desc, attributes, cpu()};
}

dnnl::primitive_attr own_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

bool has_vnni() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx2_vnni:
    case dnnl::cpu_isa::avx512_core_vnni:
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_amx:
      return true;
    default:
      return false;
  }
}

// oneDNN's bits are those of the contract under two conditions. Without VNNI it adds pairs of 8-bit products in 16 bits, which saturate, or
// halves the weights before. And it takes every sum through float32, even where the result is s32.
void expect_exact(const stair_type& weight) {
  if (!has_vnni()) throw Declined("without VNNI oneDNN's sums of 8-bit products may saturate");
  const std::int64_t products = stair_count(&weight) / weight.dims[0];
  constexpr std::int64_t largest = 255 * 128;  // |x - zero point| * |w|
  constexpr std::int64_t exact = 1 << 24;
  if (products * largest > exact) {
    throw Declined("oneDNN takes sums through float32, which " + std::to_string(products) + " products of 8 bits may exceed (2^24)");
  }
}

}  // namespace

Plan conv2d(const stair_node& node) {
  expect_f32(node);
  const Convolution c(node);
  const stair_type& x = node.operands[0];
  const stair_type& y = node.results[0];
  const std::int64_t pieces = pieces_of(x.dims[0], 1, multiplications(y, node.operands[1]));
  const memory::desc src = c.image(x, Type::f32, x.dims[0] / pieces, x.dims[1]);
  const memory::desc dst = c.image(y, Type::f32, y.dims[0] / pieces, y.dims[1]);
  const memory::desc weight = c.filters(node.operands[1], Type::f32, y.dims[1]);
  const bool biased = node.operand_count > 2 && node.operands[2].element != STAIR_ABSENT;
  const memory::desc bias = biased ? memory::desc({y.dims[1]}, Type::f32, memory::format_tag::a) : memory::desc();
  Plan plan{forward(c, src, weight, bias, dst, own_scratchpad()),
            {{DNNL_ARG_SRC, false, 0, src, bytes(src)}, {DNNL_ARG_WEIGHTS, false, 1, weight, 0}, {DNNL_ARG_DST, true, 0, dst, bytes(dst)}},
            pieces};
  if (biased) plan.arguments.push_back({DNNL_ARG_BIAS, false, 2, bias, 0});
  return plan;
}

Plan conv2d_grad_input(const stair_node& node) {
  expect_f32(node);
  const Convolution c(node);
  const stair_type& dy = node.operands[0];
  const stair_type& dx = node.results[0];
  const std::int64_t pieces = pieces_of(dy.dims[0], 1, multiplications(dy, node.operands[1]));
  const memory::desc diff_dst = c.image(dy, Type::f32, dy.dims[0] / pieces, dy.dims[1]);
  const memory::desc diff_src = c.image(dx, Type::f32, dx.dims[0] / pieces, dx.dims[1]);
  const memory::desc weight = c.filters(node.operands[1], Type::f32, dy.dims[1]);
  const dnnl::convolution_backward_data::desc desc(dnnl::algorithm::convolution_direct, any(diff_src), any(weight), any(diff_dst), c.stride,
                                                   c.dilation, c.padding_low, c.padding_high);
  return {dnnl::convolution_backward_data::primitive_desc(desc, own_scratchpad(), cpu(),
                                                          forward(c, diff_src, weight, {}, diff_dst, own_scratchpad())),
          {{DNNL_ARG_DIFF_DST, false, 0, diff_dst, bytes(diff_dst)},
           {DNNL_ARG_WEIGHTS, false, 1, weight, 0},
           {DNNL_ARG_DIFF_SRC, true, 0, diff_src, bytes(diff_src)}},
          pieces};
}

Plan conv2d_grad_weight(const stair_node& node) {
  expect_f32(node);
  const Convolution c(node);
  const stair_type& dy = node.operands[0];
  const stair_type& x = node.operands[1];
  const stair_type& dw = node.results[0];
  const std::int64_t pieces = c.groups > 1 ? 1 : pieces_of(dy.dims[1], 16, multiplications(dy, dw));
  const std::int64_t channels = dy.dims[1] / pieces;
  const memory::desc diff_dst = c.image(dy, Type::f32, dy.dims[0], channels);
  const memory::desc src = c.image(x, Type::f32, x.dims[0], x.dims[1]);
  const memory::desc diff_weight = c.filters(dw, Type::f32, channels);
  const dnnl::convolution_backward_weights::desc desc(dnnl::algorithm::convolution_direct, any(src), any(diff_weight), any(diff_dst),
                                                      c.stride, c.dilation, c.padding_low, c.padding_high);
  return {dnnl::convolution_backward_weights::primitive_desc(desc, own_scratchpad(), cpu(),
                                                             forward(c, src, diff_weight, {}, diff_dst, own_scratchpad())),
          {{DNNL_ARG_DIFF_DST, false, 0, diff_dst, bytes(diff_dst) / dy.dims[0]},
           {DNNL_ARG_SRC, false, 1, src, 0},
           {DNNL_ARG_DIFF_WEIGHTS, true, 0, diff_weight, bytes(diff_weight)}},
          pieces};
}

// N-ACC
Plan conv2d_integer(const stair_node& node) {
  expect_exact(node.operands[1]);
  const Convolution c(node);
  const stair_type& x = node.operands[0];
  const stair_type& y = node.results[0];
  const std::int64_t outputs = channels_of(c, y);
  const std::int64_t pieces = pieces_of(x.dims[0], 1, multiplications(y, node.operands[1]));
  const memory::desc src = c.image(x, x.element == STAIR_U8 ? Type::u8 : Type::s8, x.dims[0] / pieces, channels_of(c, x));
  const memory::desc dst = c.image(y, Type::s32, y.dims[0] / pieces, outputs);
  const memory::desc weight = c.filters(node.operands[1], Type::s8, outputs);
  const memory::desc zero_point({1}, Type::s32, memory::format_tag::a);
  dnnl::primitive_attr attributes = own_scratchpad();
  attributes.set_zero_points(DNNL_ARG_SRC, 0, {DNNL_RUNTIME_S32_VAL});
  return {forward(c, src, weight, {}, dst, attributes),
          {{DNNL_ARG_SRC, false, 0, src, bytes(src)},
           {DNNL_ARG_WEIGHTS, false, 1, weight, 0},
           {DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC, false, 2, zero_point, 0},
           {DNNL_ARG_DST, true, 0, dst, bytes(dst)}},
          pieces};
}
