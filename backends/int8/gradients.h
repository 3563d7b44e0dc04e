#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backends/int8/node_kernels.h"
#include "backends/window.h"

namespace stair::backends::int8 {

/// A dequantize and the gradient of a convolution or linear layer that alone reads it, where the variant multiplies floats by 8-bit
/// integers faster than by floats (gradient_kernels.h): conv2d_grad_weight whose input, or conv2d_grad_input whose weights are dequantized,
/// or the product of a matrix of floats with the dequantized one. Otherwise the node alone.
std::vector<ir::NodeId> gradient_group(const Kernels& kernels, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                       const std::function<bool(ir::NodeId)>& free);
/// The kernel of such a group.
std::unique_ptr<Kernel> prepare_gradient(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes);

/// Whether the variant has a kernel for the gradient by the weights of a convolution whose input has one scale, and that kernel. Operands:
/// q, scale, zero point, dy.
bool weight_gradient_fits(const Kernels& kernels, const Window& window);
std::unique_ptr<Kernel> weight_gradient(const Kernels& kernels, const Window& window, bool is_signed);
/// The same by the input, whose weights have one scale or one a channel. Operands: q, scale, zero point, dy.
bool input_gradient_fits(const Kernels& kernels, const Window& window);
std::unique_ptr<Kernel> input_gradient(const Kernels& kernels, const Window& window);

/// The same of a product y = a b of floats a [M, K], or transposed [K, M], with integers b [K, N] that have one scale, or one for each k.
/// Operands: q, scale, zero point, a.
bool matrix_gradient_fits(const Kernels& kernels, std::int64_t m, std::int64_t n, std::int64_t k);
std::unique_ptr<Kernel> matrix_gradient(const Kernels& kernels, bool transposed, bool is_signed, std::int64_t m, std::int64_t n,
                                        std::int64_t k);

/// What all call themselves in reports.
inline constexpr const char* gradient_description = "integers by floats in three bfloat16 parts";
/// Of a side that tiles have room for 16 of: with fewer, floats are faster.
inline constexpr std::int64_t least_gradient_channels = 8;

}  // namespace stair::backends::int8
