#include "tests/ops/definitions.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace stair::tests {
namespace {

struct Dense {
  ir::Shape shape;
  std::vector<double> values;
  double at(std::initializer_list<std::int64_t> index) const {
    std::int64_t offset = 0;
    std::size_t d = 0;
    for (const std::int64_t i : index) offset = offset * shape[d++] + i;
    return values[static_cast<std::size_t>(offset)];
  }
};

// Operand i less its zero point, if operand `zero_point` says one (0: none does).
Dense dense(const runtime::Tensors& operands, std::size_t i, std::size_t zero_point = 0) {
  const runtime::Tensor& tensor = operands.find(operand_name(i))->second;
  Dense result{tensor.type().shape, to_doubles(tensor)};
  if (zero_point > 0) {
    const double zero = to_doubles(operands.find(operand_name(zero_point))->second)[0];
    for (double& value : result.values) value -= zero;
  }
  return result;
}

std::vector<double> bias_of(const Case& c, const runtime::Tensors& operands, std::int64_t outputs) {
  if (c.op.ends_with("_integer") || !operands.contains(operand_name(2))) return std::vector<double>(static_cast<std::size_t>(outputs), 0.0);
  return dense(operands, 2).values;
}

std::vector<double> convolution(const Case& c, const ir::Shape& y, const runtime::Tensors& operands) {
  const Dense x = dense(operands, 0, c.op == "conv2d_integer" ? 2 : 0);
  const Dense w = dense(operands, 1);
  const std::vector<double> bias = bias_of(c, operands, y[1]);
  const ir::Shape& stride = c.attributes.integers("stride");
  const ir::Shape& padding = c.attributes.integers("padding");
  const ir::Shape& dilation = c.attributes.integers("dilation");
  const std::int64_t outputs_a_group = y[1] / c.attributes.integer("groups");
  std::vector<double> out;
  for (std::int64_t n = 0; n < y[0]; ++n) {
    for (std::int64_t o = 0; o < y[1]; ++o) {
      for (std::int64_t oh = 0; oh < y[2]; ++oh) {
        for (std::int64_t ow = 0; ow < y[3]; ++ow) {
          double sum = bias[static_cast<std::size_t>(o)];
          for (std::int64_t i = 0; i < w.shape[1]; ++i) {
            for (std::int64_t kh = 0; kh < w.shape[2]; ++kh) {
              for (std::int64_t kw = 0; kw < w.shape[3]; ++kw) {
                const std::int64_t h = oh * stride[0] + kh * dilation[0] - padding[0];
                const std::int64_t v = ow * stride[1] + kw * dilation[1] - padding[1];
                if (h < 0 || h >= x.shape[2] || v < 0 || v >= x.shape[3]) continue;
                sum += x.at({n, o / outputs_a_group * w.shape[1] + i, h, v}) * w.at({o, i, kh, kw});
              }
            }
          }
          out.push_back(sum);
        }
      }
    }
  }
  return out;
}

// What each element of y gathers: input pixels that its row and column divide down to.
std::vector<double> transposed_convolution(const Case& c, const ir::Shape& y, const runtime::Tensors& operands) {
  const Dense x = dense(operands, 0, c.op == "conv_transpose2d_integer" ? 2 : 0);
  const Dense w = dense(operands, 1);
  const std::vector<double> bias = bias_of(c, operands, y[1]);
  const ir::Shape& stride = c.attributes.integers("stride");
  const ir::Shape& padding = c.attributes.integers("padding");
  const ir::Shape& dilation = c.attributes.integers("dilation");
  const std::int64_t outputs_a_group = y[1] / c.attributes.integer("groups");
  std::vector<double> out;
  for (std::int64_t i = 0; i < ir::element_count(y); ++i) {
    const std::int64_t n = i / (y[1] * y[2] * y[3]);
    const std::int64_t o = i / (y[2] * y[3]) % y[1];
    double sum = bias[static_cast<std::size_t>(o)];
    for (std::int64_t k = 0; k < w.shape[1] * w.shape[2] * w.shape[3]; ++k) {
      const std::int64_t channel = k / (w.shape[2] * w.shape[3]);
      const std::int64_t kh = k / w.shape[3] % w.shape[2];
      const std::int64_t kw = k % w.shape[3];
      const std::int64_t row = i / y[3] % y[2] + padding[0] - kh * dilation[0];
      const std::int64_t column = i % y[3] + padding[1] - kw * dilation[1];
      if (row < 0 || column < 0 || row % stride[0] != 0 || column % stride[1] != 0) continue;
      if (row / stride[0] >= x.shape[2] || column / stride[1] >= x.shape[3]) continue;
      const std::int64_t from = o / outputs_a_group * w.shape[1] + channel;
      sum += x.at({n, from, row / stride[0], column / stride[1]}) * w.at({o, channel, kh, kw});
    }
    out.push_back(sum);
  }
  return out;
}

std::vector<double> linear(const Case& c, const runtime::Tensors& operands) {
  const Dense x = dense(operands, 0, c.op == "linear_integer" ? 2 : 0);
  const Dense w = dense(operands, 1);
  const std::vector<double> bias = bias_of(c, operands, w.shape[0]);
  const auto k = static_cast<std::size_t>(w.shape[1]);
  std::vector<double> out;
  for (std::size_t row = 0; row < x.values.size(); row += k) {
    for (std::size_t o = 0; o < bias.size(); ++o) {
      double sum = bias[o];
      for (std::size_t i = 0; i < k; ++i) sum += x.values[row + i] * w.values[o * k + i];
      out.push_back(sum);
    }
  }
  return out;
}

// Element [batch of y, row, column] of a matrix operand whose batch dimensions broadcast to those of y.
double matrix_element(const Dense& m, const ir::Shape& y, std::int64_t batch, std::int64_t row, std::int64_t column, bool transposed) {
  if (transposed) std::swap(row, column);
  const std::size_t rank = m.shape.size();
  std::int64_t offset = 0;
  std::int64_t step = 1;
  for (std::size_t i = 3; i <= y.size(); ++i) {  // batch dimensions of y from the last on
    const std::int64_t at = batch % y[y.size() - i];
    batch /= y[y.size() - i];
    if (i > rank) continue;
    if (m.shape[rank - i] != 1) offset += at * step;
    step *= m.shape[rank - i];
  }
  return m.values[static_cast<std::size_t>((offset * m.shape[rank - 2] + row) * m.shape[rank - 1] + column)];
}

std::vector<double> product(const Case& c, const ir::Shape& y, const runtime::Tensors& operands) {
  const bool integers = c.op == "matmul_integer";
  const Dense a = dense(operands, 0, integers ? 2 : 0);
  const Dense b = dense(operands, 1, integers ? 3 : 0);
  const bool ta = c.attributes.boolean("transpose_a");
  const bool tb = c.attributes.boolean("transpose_b");
  const std::int64_t k = a.shape[a.shape.size() - (ta ? 2 : 1)];
  const std::int64_t m = y[y.size() - 2];
  const std::int64_t n = y.back();
  std::vector<double> out;
  for (std::int64_t i = 0; i < ir::element_count(y); ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < k; ++j) {
      sum += matrix_element(a, y, i / (m * n), i / n % m, j, ta) * matrix_element(b, y, i / (m * n), j, i % n, tb);
    }
    out.push_back(sum);
  }
  return out;
}

std::vector<double> pool(const Case& c, const ir::Shape& y, const runtime::Tensors& operands) {
  const Dense x = dense(operands, 0, c.op == "avg_pool_integer" ? 1 : 0);
  const ir::Shape& kernel = c.attributes.integers("kernel");
  const ir::Shape& stride = c.attributes.has("stride") ? c.attributes.integers("stride") : kernel;
  const ir::Shape padding = c.attributes.has("padding") ? c.attributes.integers("padding") : ir::Shape{0, 0, 0, 0};
  std::vector<double> out;
  for (std::int64_t n = 0; n < y[0]; ++n) {
    for (std::int64_t channel = 0; channel < y[1]; ++channel) {
      for (std::int64_t oh = 0; oh < y[2]; ++oh) {
        for (std::int64_t ow = 0; ow < y[3]; ++ow) {
          double sum = 0;
          double largest = -std::numeric_limits<double>::infinity();
          for (std::int64_t kh = 0; kh < kernel[0]; ++kh) {
            for (std::int64_t kw = 0; kw < kernel[1]; ++kw) {
              const std::int64_t h = oh * stride[0] + kh - padding[0];
              const std::int64_t v = ow * stride[1] + kw - padding[1];
              if (h < 0 || h >= x.shape[2] || v < 0 || v >= x.shape[3]) continue;
              sum += x.at({n, channel, h, v});
              largest = std::max(largest, x.at({n, channel, h, v}));
            }
          }
          if (c.op == "avg_pool") sum /= static_cast<double>(kernel[0] * kernel[1]);
          out.push_back(c.op.starts_with("max_pool") ? largest : sum);
        }
      }
    }
  }
  return out;
}

}  // namespace

std::vector<double> by_definition(const Case& c, const runtime::Tensors& operands) {
  const ir::Graph graph = graph_of(c);
  Case complete = c;  // with the defaults of the schema
  complete.attributes = graph.node(0).attributes;
  if (complete.attributes.has("stride") && complete.attributes.integers("stride").empty()) complete.attributes.erase("stride");
  const ir::Shape& y = graph.type(graph.node(0).results[0]).shape;
  if (c.op.starts_with("conv2d")) return convolution(complete, y, operands);
  if (c.op.starts_with("conv_transpose2d")) return transposed_convolution(complete, y, operands);
  if (c.op.starts_with("linear")) return linear(complete, operands);
  if (c.op.starts_with("matmul")) return product(complete, y, operands);
  if (c.op.ends_with("_pool") || c.op.ends_with("_pool_integer")) return pool(complete, y, operands);
  throw std::logic_error("no definition of " + c.op);
}

}  // namespace stair::tests
