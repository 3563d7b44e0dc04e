// Matrix products: linear, and matmul, which is what the gradients of linear are made of. Cut by rows of the result.

#include "plan.h"

namespace {

using dnnl::memory;
constexpr auto f32 = memory::data_type::f32;
constexpr std::int64_t float_bytes = sizeof(float);

// y [rows, columns] = a [rows, inner] * b [inner, columns] + bias. Each matrix may lie transposed.
Plan product(std::int64_t rows, std::int64_t inner, std::int64_t columns, bool transposed_a, bool transposed_b, bool biased) {
  const std::int64_t pieces = pieces_of(rows, 1, static_cast<double>(rows) * static_cast<double>(inner) * static_cast<double>(columns));
  const std::int64_t part = rows / pieces;
  const memory::dims strides_a = transposed_a ? memory::dims{1, rows} : memory::dims{inner, 1};
  const memory::dims strides_b = transposed_b ? memory::dims{1, inner} : memory::dims{columns, 1};
  const memory::desc a({part, inner}, f32, strides_a);
  const memory::desc b({inner, columns}, f32, strides_b);
  const memory::desc y({part, columns}, f32, memory::dims{columns, 1});
  const memory::desc bias({1, columns}, f32, memory::dims{columns, 1});
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::matmul::desc desc = biased ? dnnl::matmul::desc(a, any(b), bias, y) : dnnl::matmul::desc(a, any(b), y);
  Plan plan{dnnl::matmul::primitive_desc(desc, attributes, cpu()),
            {{DNNL_ARG_SRC, false, 0, a, part * strides_a[0] * float_bytes},
             {DNNL_ARG_WEIGHTS, false, 1, b, 0},
             {DNNL_ARG_DST, true, 0, y, part * columns * float_bytes}},
            pieces};
  if (biased) plan.arguments.push_back({DNNL_ARG_BIAS, false, 2, bias, 0});
  return plan;
}

}  // namespace

Plan linear(const stair_node& node) {
  expect_f32(node);
  const std::int64_t outputs = node.operands[1].dims[0];
  const std::int64_t inputs = node.operands[1].dims[1];
  const bool biased = node.operand_count > 2 && node.operands[2].element != STAIR_ABSENT;
  return product(stair_count(&node.operands[0]) / inputs, inputs, outputs, false, true, biased);
}

Plan matmul(const stair_node& node) {
  expect_f32(node);
  const stair_type& a = node.operands[0];
  if (a.rank != 2 || node.operands[1].rank != 2) throw Declined("matrices only: no batches of them");
  const bool transposed_a = stair_boolean(&node, "transpose_a");
  const std::int64_t* y = node.results[0].dims;
  return product(y[0], a.dims[transposed_a ? 0 : 1], y[1], transposed_a, stair_boolean(&node, "transpose_b"), false);
}
