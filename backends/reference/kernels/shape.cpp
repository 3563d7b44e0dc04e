#include <algorithm>
#include <cstring>
#include <vector>

#include "backends/channels.h"
#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

void run_copy(const ir::Node&, const Arguments& a) {
  if (a.results[0].data != a.operands[0].data) std::memcpy(a.results[0].data, a.operands[0].data, ir::byte_count(a.results[0].type));
}

// Row-major strides.
ir::Shape strides_of(const ir::Shape& shape) {
  ir::Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i > 1; --i) strides[i - 2] = strides[i - 1] * shape[i - 1];
  return strides;
}

// Calls body(i, offset) for each element i of `shape`, in order, with offset = origin + sum of index[d] * strides[d].
template <class Body>
void for_each_strided(const ir::Shape& shape, const ir::Shape& strides, std::int64_t origin, Body&& body) {
  const ir::Shape own = strides_of(shape);
  const std::int64_t count = ir::element_count(shape);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t offset = origin;
    for (std::size_t d = 0; d < shape.size(); ++d) offset += i / own[d] % shape[d] * strides[d];
    body(i, offset);
  }
}

void run_transpose(const ir::Node& node, const Arguments& a) {
  const ir::Shape from = strides_of(a.operands[0].type.shape);
  ir::Shape strides;
  for (const std::int64_t axis : node.attributes.integers("permutation")) strides.push_back(from[static_cast<std::size_t>(axis)]);
  for_any(a.operands[0].type.dtype, [&]<class T>() {
    for_each_strided(a.results[0].type.shape, strides, 0,
                     [&](std::int64_t i, std::int64_t x) { a.results[0].as<T>()[i] = a.operands[0].as<T>()[x]; });
  });
}

void run_concat(const ir::Node& node, const Arguments& a) {
  const ChannelView to(a.results[0].type.shape, node.attributes.integer("axis"));
  for_any(a.results[0].type.dtype, [&]<class T>() {
    T* out = a.results[0].as<T>();
    std::int64_t start = 0;
    for (const ir::TensorView& operand : a.operands) {
      const ChannelView from(operand.type.shape, node.attributes.integer("axis"));
      const std::int64_t run = from.channels * from.inner;
      for (std::int64_t outer = 0; outer < to.outer; ++outer) {
        std::copy_n(operand.as<T>() + outer % from.outer * run, run, out + outer * to.channels * to.inner + start);
      }
      start += run;
    }
  });
}

void run_slice(const ir::Node& node, const Arguments& a) {
  const ir::Shape strides = strides_of(a.operands[0].type.shape);
  std::int64_t origin = 0;
  const std::vector<std::int64_t>& axes = node.attributes.integers("axes");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(axes[i] < 0 ? axes[i] + static_cast<std::int64_t>(strides.size()) : axes[i]);
    origin += node.attributes.integers("starts")[i] * strides[axis];
  }
  for_any(a.operands[0].type.dtype, [&]<class T>() {
    for_each_strided(a.results[0].type.shape, strides, origin,
                     [&](std::int64_t i, std::int64_t x) { a.results[0].as<T>()[i] = a.operands[0].as<T>()[x]; });
  });
}

template <class T>
void pad(const ir::Node& node, const Arguments& a, T value) {
  const ir::Shape strides = strides_of(a.results[0].type.shape);
  std::int64_t origin = 0;
  for (std::size_t d = 0; d < strides.size(); ++d) origin += node.attributes.integers("padding")[d] * strides[d];
  T* y = a.results[0].as<T>();
  std::fill(y, y + a.results[0].count(), value);
  for_each_strided(a.operands[0].type.shape, strides, origin, [&](std::int64_t x, std::int64_t i) { y[i] = a.operands[0].as<T>()[x]; });
}

void run_pad(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() { pad<Real>(node, a, static_cast<Real>(node.attributes.number("value"))); });
}

void run_gather(const ir::Node& node, const Arguments& a) {
  const ChannelView from(a.operands[0].type.shape, node.attributes.integer("axis"));
  const std::vector<std::int64_t>& indices = node.attributes.integers("indices");
  for_any(a.operands[0].type.dtype, [&]<class T>() {
    const T* x = a.operands[0].as<T>();
    T* y = a.results[0].as<T>();
    for (std::int64_t outer = 0; outer < from.outer; ++outer) {
      for (const std::int64_t index : indices) y = std::copy_n(x + (outer * from.channels + index) * from.inner, from.inner, y);
    }
  });
}

void run_gather_grad(const ir::Node& node, const Arguments& a) {
  const ChannelView to(a.results[0].type.shape, node.attributes.integer("axis"));
  const std::vector<std::int64_t>& indices = node.attributes.integers("indices");
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    Real* dx = a.results[0].as<Real>();
    std::fill(dx, dx + a.results[0].count(), Real{0});
    for (std::int64_t outer = 0; outer < to.outer; ++outer) {
      for (const std::int64_t index : indices) {
        Real* at = dx + (outer * to.channels + index) * to.inner;
        for (std::int64_t i = 0; i < to.inner; ++i) at[i] += *dy++;
      }
    }
  });
}

// Calls body(deep, wide) for each element of [N,C,H,W] with blocks of pixels as channels, and of the images [N,C,H,W] without.
template <class Body>
void for_each_in_blocks(const ir::Node& node, const ir::Shape& deep, Body&& body) {
  const std::int64_t block = node.attributes.integer("block");
  const bool pixels_first = node.attributes.text("order") == "dcr";
  const std::int64_t channels = deep[1] / (block * block);
  std::int64_t i = 0;
  for (std::int64_t n = 0; n < deep[0]; ++n) {
    for (std::int64_t d = 0; d < deep[1]; ++d) {
      const std::int64_t c = pixels_first ? d % channels : d / (block * block);
      const std::int64_t pixel = pixels_first ? d / channels : d % (block * block);
      for (std::int64_t h = 0; h < deep[2]; ++h) {
        const std::int64_t row = h * block + pixel / block;
        for (std::int64_t w = 0; w < deep[3]; ++w, ++i) {
          body(i, ((n * channels + c) * deep[2] * block + row) * deep[3] * block + w * block + pixel % block);
        }
      }
    }
  }
}

void run_depth_to_space(const ir::Node& node, const Arguments& a) {
  for_any(a.operands[0].type.dtype, [&]<class T>() {
    for_each_in_blocks(node, a.operands[0].type.shape,
                       [&](std::int64_t deep, std::int64_t wide) { a.results[0].as<T>()[wide] = a.operands[0].as<T>()[deep]; });
  });
}

void run_space_to_depth(const ir::Node& node, const Arguments& a) {
  for_any(a.operands[0].type.dtype, [&]<class T>() {
    for_each_in_blocks(node, a.results[0].type.shape,
                       [&](std::int64_t deep, std::int64_t wide) { a.results[0].as<T>()[deep] = a.operands[0].as<T>()[wide]; });
  });
}

// N-MOVE
void run_pad_integer(const ir::Node& node, const Arguments& a) {
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() { pad<Q>(node, a, static_cast<Q>(*a.operands[1].as<std::int32_t>())); });
}

}  // namespace

void shape(FunctionKernels& kernels) {
  kernels.add("reshape", {run_copy, "copy"});
  kernels.add("flatten", {run_copy, "copy"});
  kernels.add("squeeze", {run_copy, "copy"});
  kernels.add("unsqueeze", {run_copy, "copy"});
  kernels.add("gather", {run_gather});
  kernels.add("gather_grad", {run_gather_grad});
  kernels.add("depth_to_space", {run_depth_to_space});
  kernels.add("space_to_depth", {run_space_to_depth});
  kernels.add("transpose", {run_transpose});
  kernels.add("concat", {run_concat});
  kernels.add("slice", {run_slice});
  kernels.add("pad", {run_pad});
  kernels.add("pad_integer", {run_pad_integer});
}

}  // namespace stair::backends::reference
