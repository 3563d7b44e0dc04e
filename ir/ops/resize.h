#pragma once

#include "ir/ops/move.h"
#include "ir/resampling.h"

namespace stair::ir::ops {

// What resizing ops share.

inline AttributeSpec size_attribute() {
  return {"size", "[height, width] of the result", std::vector<std::int64_t>{}, true, within(1, 0x1p24)};
}

/// Shape of the result, from that of the images [N,C,H,W].
inline Shape infer_resize(const InferContext& c, const Shape& x) {
  const std::vector<std::int64_t>& size = c.attributes.integers("size");
  c.expect(size.size() == 2, "size is " + to_string(size) + ", expected two numbers [height, width]");
  c.expect(x.size() == 4, "x is " + to_string(x) + ", expected [N,C,H,W]");
  return {x[0], x[1], size[0], size[1]};
}

/// The sum of the weights of an element of the result, from the images' shape.
inline std::int64_t resize_weights(const Shape& x, const Attributes& attributes) {
  const std::vector<std::int64_t>& size = attributes.integers("size");
  return Resampling{x[2], size[0]}.unit() * Resampling{x[3], size[1]}.unit();
}

inline std::vector<ValueId> resize_backward(GradientContext& g, const char* gradient_op) {
  const Shape shape = g.type(g.operand(0)).shape;
  return {g.emit(gradient_op, {g.gradient()}, {{"size", g.attributes().at("size")}, {"input_shape", shape}})};
}

inline void add_resize_gradient(OpRegistry& registry, const char* name, const char* summary) {
  registry.add(of_backward({.name = name,
                            .summary = summary,
                            .operands = {{"dy", "gradient by y"}},
                            .results = {{"dx", "of input_shape"}},
                            .attributes = {size_attribute(), {"input_shape", "of x", std::vector<std::int64_t>{}, true}},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              same_as_first_float(c);
                              const Shape& x = shape_attribute(c, "input_shape");
                              expect_type(c, 0, {c.operand(0).dtype, infer_resize(c, x)});
                              return {{c.operand(0).dtype, x}};
                            }}));
}

}  // namespace stair::ir::ops
