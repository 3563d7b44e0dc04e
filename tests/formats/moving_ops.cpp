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

Tensor one_dimensions(const Step& s) {
  const bool fewer = s.op() == "squeeze";
  const std::size_t rank = s[0].shape.size() + (fewer ? 0 : s.list("axes").size());
  const std::set<std::size_t> axes = s.axes(rank);
  Shape shape;
  for (std::size_t d = 0, next = 0; d < rank; ++d) {
    if (fewer && axes.count(d) == 0) shape.push_back(s[0].shape[d]);
    if (!fewer) shape.push_back(axes.count(d) != 0 ? 1 : s[0].shape[next++]);
  }
  Tensor y(s[0].element, shape);
  y.values = s[0].values;
  return y;
}

Tensor gather(const Step& s) {
  Shape shape = s[0].shape;
  const std::size_t axis = s.axis(s.number("axis", 1), shape.size());
  const Shape indices = s.list("indices");
  shape[axis] = static_cast<std::int64_t>(indices.size());
  Tensor y(s[0].element, shape);
  each(shape, [&](const Shape& i) {
    Shape from = i;
    from[axis] = indices.at(static_cast<std::size_t>(i[axis]));
    y.at(i) = s[0].at(from);
  });
  return y;
}

Tensor embedding(const Step& s) {
  const std::int64_t rows = s[0].shape[0];
  Shape shape = s[1].shape;
  shape.push_back(s[0].shape[1]);
  Tensor y(s[0].element, shape);
  each(shape, [&](const Shape& i) {
    const std::int64_t index = whole(s[1].at(Shape(i.begin(), i.end() - 1)));
    y.at(i) = s[0].at({std::min(std::max<std::int64_t>(index, 0), rows - 1), i.back()});
  });
  return y;
}

Tensor argmax(const Step& s) {
  const std::size_t axis = s.axis(s.number("axis", -1), s[0].shape.size());
  Shape shape = s[0].shape;
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  Tensor y("i32", shape);
  each(shape, [&](const Shape& i) {
    Shape at = i;
    at.insert(at.begin() + static_cast<std::ptrdiff_t>(axis), 0);
    double best = s[0].at(at);
    for (std::int64_t k = 1; k < s[0].shape[axis]; ++k) {
      at[axis] = k;
      if (s[0].at(at) <= best) continue;
      best = s[0].at(at);
      y.at(i) = static_cast<double>(k);
    }
  });
  return y;
}

Tensor blocks(const Step& s) {
  const std::int64_t b = whole(s.number("block"));
  const bool to_space = s.op() == "depth_to_space";
  const bool pixels_first = s.text("order", "dcr") == "dcr";
  Shape shape = s[0].shape;
  shape[1] = to_space ? shape[1] / (b * b) : shape[1] * b * b;
  for (const std::size_t d : {2U, 3U}) shape[d] = to_space ? shape[d] * b : shape[d] / b;
  const std::int64_t channels = to_space ? shape[1] : s[0].shape[1];
  Tensor y(s[0].element, shape);
  each(to_space ? shape : s[0].shape, [&](const Shape& wide) {
    const std::int64_t pixel = wide[2] % b * b + wide[3] % b;
    const Shape deep{wide[0], pixels_first ? pixel * channels + wide[1] : wide[1] * b * b + pixel, wide[2] / b, wide[3] / b};
    if (to_space) {
      y.at(wide) = s[0].at(deep);
    } else {
      y.at(deep) = s[0].at(wide);
    }
  });
  return y;
}

Tensor nearest(const Step& s) {
  const Shape size = s.list("size");
  Tensor y(s[0].element, {s[0].shape[0], s[0].shape[1], size[0], size[1]});
  each(y.shape, [&](const Shape& i) { y.at(i) = s[0].at({i[0], i[1], i[2] * s[0].shape[2] / size[0], i[3] * s[0].shape[3] / size[1]}); });
  return y;
}

Tensor extremum(const Step& s) {
  Shape shape = s[0].shape;
  for (std::size_t o = 1; o < s.operands(); ++o) shape = broadcast(shape, s[o].shape);
  Tensor y(s[0].element, shape);
  each(shape, [&](const Shape& i) {
    double best = s[0].at(within(s[0].shape, i));
    for (std::size_t o = 1; o < s.operands(); ++o) {
      const double x = s[o].at(within(s[o].shape, i));
      if (s.op() == "minimum" ? x < best : x > best) best = x;
    }
    y.at(i) = best;
  });
  return y;
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
  for (std::size_t i = 1; i < s.operands(); ++i) {
    shape[axis] += s[i].shape[axis];
    if (axis > 0) shape[0] = std::max(shape[0], s[i].shape[0]);
  }
  Tensor y(s[0].element, shape);
  std::int64_t begin = 0;
  for (std::size_t o = 0; o < s.operands(); ++o) {
    Shape part = s[o].shape;
    if (axis > 0) part[0] = shape[0];
    each(part, [&](const Shape& i) {
      Shape to = i;
      Shape from = i;
      to[axis] += begin;
      if (s[o].shape[0] == 1) from[0] = axis > 0 ? 0 : from[0];
      y.at(to) = s[o].at(from);
    });
    begin += s[o].shape[axis];
  }
  return y;
}

}  // namespace

void moving_ops(Ops& ops) {
  for (const char* name : {"reshape", "flatten"}) ops[name] = one(reshape);
  for (const char* name : {"pad", "pad_integer"}) ops[name] = one(pad);
  for (const char* name : {"squeeze", "unsqueeze"}) ops[name] = one(one_dimensions);
  for (const char* name : {"depth_to_space", "space_to_depth"}) ops[name] = one(blocks);
  for (const char* name : {"minimum", "maximum"}) ops[name] = one(extremum);
  ops["gather"] = one(gather);
  ops["embedding"] = one(embedding);
  ops["argmax"] = one(argmax);
  ops["resize_nearest"] = one(nearest);
  ops["transpose"] = one(transpose);
  ops["slice"] = one(slice);
  ops["concat"] = one(concat);
}

}  // namespace reader
