#include "tests/formats/step.h"

namespace reader {
namespace {

Tensor reshaped(const Step& s, Shape shape) {
  std::int64_t known = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) shape[i] = s[0].shape.at(i);
    if (shape[i] > 0) known *= shape[i];
  }
  for (std::int64_t& dimension : shape) {
    if (dimension == -1) dimension = count(s[0].shape) / known;
  }
  Tensor y(s[0].element, shape);
  if (y.values.size() != s[0].values.size()) throw std::runtime_error("a reshape to another number of elements");
  y.values = s[0].values;
  return y;
}
Tensor reshape(const Step& s) {
  if (s.op() == "reshape") return reshaped(s, s.list("shape"));
  Shape shape{1, 1};
  for (std::size_t d = 0; d < s[0].shape.size(); ++d) shape[static_cast<double>(d) < s.number("axis", 1) ? 0 : 1] *= s[0].shape[d];
  return reshaped(s, shape);
}

Tensor transpose(const Step& s) {
  const Shape permutation = s.list("permutation");
  Shape shape;
  for (const std::int64_t d : permutation) shape.push_back(s[0].shape.at(static_cast<std::size_t>(d)));
  Tensor y(s[0].element, shape);
  each(shape, [&](const Shape& i) {
    Shape from(i.size());
    for (std::size_t d = 0; d < i.size(); ++d) from[static_cast<std::size_t>(permutation[d])] = i[d];
    y.at(i) = s[0].at(from);
  });
  return y;
}

/// y[i] = x[i + offset], with `fill` outside of x.
Tensor shifted(const Tensor& x, const Shape& shape, const Shape& offset, double fill) {
  Tensor y(x.element, shape);
  each(shape, [&](const Shape& i) {
    Shape from = i;
    bool inside = true;
    for (std::size_t d = 0; d < i.size(); ++d) inside = (from[d] += offset[d]) >= 0 && from[d] < x.shape[d] && inside;
    y.at(i) = inside ? x.at(from) : fill;
  });
  return y;
}
Tensor slice(const Step& s) {
  Shape shape = s[0].shape;
  Shape offset(shape.size(), 0);
  const Shape axes = s.list("axes");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t d = s.axis(static_cast<double>(axes[i]), shape.size());
    offset[d] = s.list("starts").at(i);
    shape[d] = s.list("ends").at(i) - offset[d];
  }
  return shifted(s[0], shape, offset, 0);
}
Tensor pad(const Step& s) {
  Shape shape = s[0].shape;
  Shape offset(shape.size());
  const Shape padding = s.list("padding");
  for (std::size_t d = 0; d < shape.size(); ++d) {
    offset[d] = -padding[d];
    shape[d] += padding[d] + padding[shape.size() + d];
  }
  return shifted(s[0], shape, offset, s.op() == "pad" ? static_cast<double>(real(s.number("value", 0))) : static_cast<double>(s.scalar(1)));
}
Tensor concat(const Step& s) {
  Shape shape = s[0].shape;
  const std::size_t axis = s.axis(s.number("axis", 1), shape.size());
  for (std::size_t i = 1; i < s.operands(); ++i) shape[axis] += s[i].shape[axis];
  Tensor y(s[0].element, shape);
  std::int64_t begin = 0;
  for (std::size_t o = 0; o < s.operands(); ++o) {
    each(s[o].shape, [&](const Shape& i) {
      Shape to = i;
      to[axis] += begin;
      y.at(to) = s[o].at(i);
    });
    begin += s[o].shape[axis];
  }
  return y;
}

}  // namespace

void moving_ops(Ops& ops) {
  for (const char* name : {"reshape", "flatten"}) ops[name] = one(reshape);
  for (const char* name : {"pad", "pad_integer"}) ops[name] = one(pad);
  ops["transpose"] = one(transpose);
  ops["slice"] = one(slice);
  ops["concat"] = one(concat);
}

}  // namespace reader
