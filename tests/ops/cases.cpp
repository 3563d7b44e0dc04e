#include "tests/ops/cases.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <utility>

#include "ir/op.h"
#include "ir/random.h"
#include "ir/scanner.h"
#include "tests/ops/case_lists.h"

namespace stair::tests {
namespace {

// Calls function.template operator()<T>() by the element type.
template <class Function>
void for_dtype(ir::DType dtype, Function&& function) {
  switch (dtype) {
    case ir::DType::f32:
      return function.template operator()<float>();
    case ir::DType::f64:
      return function.template operator()<double>();
    case ir::DType::s8:
      return function.template operator()<std::int8_t>();
    case ir::DType::u8:
      return function.template operator()<std::uint8_t>();
    case ir::DType::i32:
      return function.template operator()<std::int32_t>();
    case ir::DType::i64:
      return function.template operator()<std::int64_t>();
  }
}

std::uint64_t hash_of(const std::string& text) {  // FNV-1a
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
  return hash;
}

std::vector<double> drawn(const Draw& draw, std::size_t count, std::uint64_t seed, std::uint64_t stream) {
  const auto unit = [&](std::size_t i) { return static_cast<double>(ir::random_uniform(seed, stream, 0, i)); };
  std::vector<double> values(count);
  switch (draw.kind) {
    case Draw::Kind::uniform:
      for (std::size_t i = 0; i < count; ++i) {
        values[i] = draw.low + (draw.high - draw.low) * unit(i);
        for (const double kink : draw.values) {
          if (std::abs(values[i] - kink) < margin) values[i] = values[i] < kink ? kink - margin : kink + margin;
        }
      }
      break;
    case Draw::Kind::integers:
      for (std::size_t i = 0; i < count; ++i) values[i] = draw.low + std::floor((draw.high - draw.low + 1) * unit(i));
      break;
    case Draw::Kind::extremes:
      for (std::size_t i = 0; i < count; ++i) values[i] = unit(i) < 0.5 ? draw.low : draw.high;
      break;
    case Draw::Kind::distinct: {
      std::vector<std::size_t> order(count);
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::sort(order.begin(), order.end(),
                [&](std::size_t a, std::size_t b) { return ir::random_bits(seed, stream, 0, a) < ir::random_bits(seed, stream, 0, b); });
      for (std::size_t i = 0; i < count; ++i) {
        const double position = (static_cast<double>(order[i]) + 0.5) / static_cast<double>(count);
        values[i] = draw.low + (draw.high - draw.low) * position;
      }
      break;
    }
    case Draw::Kind::listed:
      for (std::size_t i = 0; i < count; ++i) values[i] = draw.values[i % draw.values.size()];
      break;
  }
  return values;
}

ir::Type with_reals(ir::Type type, ir::DType real) {
  if (type.dtype == ir::DType::f32) type.dtype = real;
  return type;
}

}  // namespace

Draw uniform(double low, double high) {
  return {Draw::Kind::uniform, low, high};
}
Draw away_from(std::vector<double> kinks, double low, double high) {
  return {Draw::Kind::uniform, low, high, std::move(kinks)};
}
Draw integers(double low, double high) {
  return {Draw::Kind::integers, low, high};
}
Draw extremes(double low, double high) {
  return {Draw::Kind::extremes, low, high};
}
Draw distinct(double low, double high) {
  return {Draw::Kind::distinct, low, high};
}
Draw listed(std::vector<double> values) {
  return {Draw::Kind::listed, 0, 0, std::move(values)};
}

Operand reals(const Values& values) {
  return f32({static_cast<std::int64_t>(values.size())}, listed(values));
}
Operand f32(ir::Shape shape, Draw draw) {
  return {{ir::DType::f32, std::move(shape)}, std::move(draw)};
}
Operand u8(ir::Shape shape, Draw draw) {
  return {{ir::DType::u8, std::move(shape)}, std::move(draw)};
}
Operand s8(ir::Shape shape, Draw draw) {
  return {{ir::DType::s8, std::move(shape)}, std::move(draw)};
}
Operand i32(ir::Shape shape, Draw draw) {
  return {{ir::DType::i32, std::move(shape)}, std::move(draw)};
}
Operand i64(ir::Shape shape, Draw draw) {
  return {{ir::DType::i64, std::move(shape)}, std::move(draw)};
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> list;
    add_pointwise_cases(list);
    add_layer_cases(list);
    add_shape_cases(list);
    add_training_cases(list);
    add_integer_cases(list);
    add_requantization_cases(list);
    return list;
  }();
  return all;
}

std::string operand_name(std::size_t i) {
  return "operand" + std::to_string(i);
}

std::string describe(const Case& c) {
  std::ostringstream out;
  out << c.op << '(';
  for (std::size_t i = 0; i < c.operands.size(); ++i) {
    out << (i == 0 ? "" : ", ") << (c.operands[i] ? to_string(c.operands[i]->type) : "absent");
  }
  out << ')';
  for (const auto& [name, attribute] : c.attributes) {
    out << ' ' << name << '=';
    out << ir::print_literal(attribute);
  }
  return out.str();
}

ir::Graph graph_of(const Case& c, ir::DType real) {
  ir::Graph graph;
  std::vector<ir::ValueId> operands;
  for (std::size_t i = 0; i < c.operands.size(); ++i) {
    operands.push_back(c.operands[i] ? graph.add_input(operand_name(i), with_reals(c.operands[i]->type, real)) : ir::absent);
  }
  graph.add(c.op, operands, c.attributes);
  return graph;
}

runtime::Tensors draw_operands(const Case& c, ir::DType real) {
  runtime::Tensors tensors;
  const std::uint64_t seed = hash_of(describe(c));
  for (std::size_t i = 0; i < c.operands.size(); ++i) {
    if (!c.operands[i]) continue;
    runtime::Tensor tensor(with_reals(c.operands[i]->type, real));
    std::vector<double> values = drawn(c.operands[i]->draw, static_cast<std::size_t>(tensor.count()), seed, i);
    if (ir::is_float(tensor.type().dtype)) {
      for (double& value : values) value = static_cast<double>(static_cast<float>(value));
    }
    from_doubles(values, tensor);
    tensors.emplace(operand_name(i), std::move(tensor));
  }
  return tensors;
}

std::vector<double> to_doubles(const runtime::Tensor& tensor) {
  std::vector<double> values;
  for_dtype(tensor.type().dtype, [&]<class T>() {
    for (std::int64_t i = 0; i < tensor.count(); ++i) values.push_back(static_cast<double>(tensor.as<T>()[i]));
  });
  return values;
}

void from_doubles(const std::vector<double>& values, runtime::Tensor& tensor) {
  for_dtype(tensor.type().dtype, [&]<class T>() {
    for (std::size_t i = 0; i < values.size(); ++i) tensor.as<T>()[i] = static_cast<T>(values[i]);
  });
}

}  // namespace stair::tests
