#include "tests/ops/random_nodes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "ir/op.h"
#include "ir/random.h"

namespace stair::tests {
namespace {

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();

class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}
  std::uint64_t below(std::uint64_t n) { return ir::random_bits(seed_, stream_, 0, index_++) % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T>
  const T& of(const std::vector<T>& list) {
    return list[below(list.size())];
  }

 private:
  std::uint64_t seed_, stream_, index_ = 0;
};

const std::vector<std::int64_t> small_dims{1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65};
const std::vector<std::int64_t> any_dims{
    0, -1, 100, 127, 128, 255, 256, 257, 1000, 4099, 65536, 1 << 20, std::int64_t{1} << 31, std::int64_t{1} << 40, int64_max};
const std::vector<std::int64_t> any_integers{0,
                                             1,
                                             -1,
                                             2,
                                             3,
                                             -2,
                                             7,
                                             15,
                                             -8,
                                             127,
                                             -127,
                                             -128,
                                             128,
                                             255,
                                             256,
                                             1000,
                                             -1000,
                                             65536,
                                             (std::int64_t{1} << 31) - 1,
                                             -(std::int64_t{1} << 31),
                                             std::int64_t{1} << 31,
                                             std::int64_t{1} << 40,
                                             int64_max,
                                             int64_min};
const std::vector<double> any_numbers{0,    -0.0, 1,     -1,   0.5,       -0.5,  2,      255,      256,       1e-45, 1e-38,
                                      1e30, 1e38, -1e38, 3e38, 4.94e-324, 1e308, -1e308, infinity, -infinity, nan};
const std::vector<ir::DType> dtypes{ir::DType::f32, ir::DType::f64, ir::DType::s8, ir::DType::u8, ir::DType::i32, ir::DType::i64};
const std::vector<std::string> words{"",     "plain",  "clipped", "latent", "quantized", "nhwc", "nchw",     "add",  "sub",     "mul",
                                     "relu", "cosine", "f32",     "f64",    "i32",       "u8",   "identity", "gelu", "nonsense"};

std::int64_t any_dim(Draws& draw) {
  return draw.one_in(8) ? draw.of(any_dims) : draw.of(small_dims);
}

double least_of(ir::DType dtype) {
  switch (dtype) {
    case ir::DType::s8:
      return -128;
    case ir::DType::u8:
      return 0;
    case ir::DType::i32:
      return -2147483648.0;
    case ir::DType::i64:
      return -0x1p62;
    default:
      return -3e38;
  }
}
double largest_of(ir::DType dtype) {
  switch (dtype) {
    case ir::DType::s8:
      return 127;
    case ir::DType::u8:
      return 255;
    case ir::DType::i32:
      return 2147483647.0;
    case ir::DType::i64:
      return 0x1p62;
    default:
      return 3e38;
  }
}

// Values that the element type holds.
void fit(Operand& operand) {
  if (ir::is_float(operand.type.dtype)) return;
  const double least = least_of(operand.type.dtype);
  const double largest = largest_of(operand.type.dtype);
  const auto within = [&](double x) { return std::isnan(x) ? least : std::clamp(x, least, largest); };
  operand.draw.low = within(operand.draw.low);
  operand.draw.high = within(operand.draw.high);
  if (operand.draw.kind != Draw::Kind::uniform) {
    for (double& value : operand.draw.values) value = within(value);
  }
}

Draw any_data(Draws& draw, ir::DType dtype) {
  switch (draw.below(5)) {
    case 0:
      return extremes(least_of(dtype), largest_of(dtype));
    case 1:
      return listed({0});
    case 2:
      return integers(-3, 300);
    case 3:
      return listed({static_cast<double>(draw.of(any_integers))});
    default: {
      std::vector<double> values;
      for (int i = 0; i < 5; ++i) values.push_back(draw.of(any_numbers));
      return listed(std::move(values));
    }
  }
}

// The attribute, changed.
ir::Attribute changed(Draws& draw, ir::Attribute attribute) {
  if (auto* flag = std::get_if<bool>(&attribute)) return !*flag;
  if (auto* integer = std::get_if<std::int64_t>(&attribute)) {
    if (draw.one_in(2)) return draw.of(any_integers);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(*integer) + draw.below(5) - 2);  // may wrap around
  }
  if (std::holds_alternative<double>(attribute)) return draw.of(any_numbers);
  if (std::holds_alternative<std::string>(attribute)) return draw.of(words);
  const auto change = [&](auto& list, auto&& element) {
    const std::uint64_t way = draw.below(6);
    if (way == 0 || list.empty()) {
      list.push_back(element());
    } else if (way == 1) {
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(draw.below(list.size())));
    } else if (way == 2) {
      const auto copied = list[draw.below(list.size())];
      list.push_back(copied);
    } else if (way == 3) {
      std::swap(list[draw.below(list.size())], list[draw.below(list.size())]);
    } else {
      list[draw.below(list.size())] = element();
    }
  };
  if (auto* integers_of = std::get_if<std::vector<std::int64_t>>(&attribute)) {
    change(*integers_of, [&] {
      if (draw.one_in(2)) return draw.of(any_integers);
      return any_dim(draw) - (draw.one_in(3) ? 2 : 0);
    });
  }
  if (auto* numbers = std::get_if<std::vector<double>>(&attribute)) change(*numbers, [&] { return draw.of(any_numbers); });
  return attribute;
}

Operand* some_operand(Draws& draw, Case& c) {
  if (c.operands.empty()) return nullptr;
  std::optional<Operand>& chosen = c.operands[draw.below(c.operands.size())];
  return chosen ? &*chosen : nullptr;
}

// One dimension is another one wherever it stands, so that the operands still fit together.
void rename_dimension(Draws& draw, Case& c) {
  Operand* from = some_operand(draw, c);
  if (from == nullptr || from->type.shape.empty()) return;
  const std::int64_t old = from->type.shape[draw.below(from->type.shape.size())];
  const std::int64_t made = any_dim(draw);
  const auto rename = [&](std::vector<std::int64_t>& list) { std::replace(list.begin(), list.end(), old, made); };
  for (std::optional<Operand>& operand : c.operands) {
    if (operand) rename(operand->type.shape);
  }
  ir::Attributes attributes;
  for (const auto& [name, attribute] : c.attributes) {
    ir::Attribute value = attribute;
    if (auto* list = std::get_if<std::vector<std::int64_t>>(&value); list != nullptr && name.ends_with("shape")) rename(*list);
    attributes.set(name, value);
  }
  c.attributes = std::move(attributes);
}

void change_shape(Draws& draw, ir::Shape& shape) {
  const std::uint64_t way = draw.below(5);
  if (way == 0 || shape.empty()) {
    shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(draw.below(shape.size() + 1)), any_dim(draw));
  } else if (way == 1) {
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(draw.below(shape.size())));
  } else if (way == 2) {
    std::swap(shape[draw.below(shape.size())], shape[draw.below(shape.size())]);
  } else {
    shape[draw.below(shape.size())] = any_dim(draw);
  }
}

void change_attribute(Draws& draw, const ir::OpSchema& op, Case& c) {
  if (op.attributes.empty()) return;
  const ir::AttributeSpec& spec = draw.of(op.attributes);
  if (draw.one_in(8)) return c.attributes.erase(spec.name);
  c.attributes.set(spec.name, changed(draw, c.attributes.has(spec.name) ? c.attributes.at(spec.name) : spec.fallback));
}

void change_operand_count(Draws& draw, Case& c) {
  if (draw.one_in(2) && !c.operands.empty()) {
    c.operands[draw.below(c.operands.size())] = std::nullopt;
  } else if (draw.one_in(2) && !c.operands.empty()) {
    c.operands.push_back(draw.of(c.operands));
  } else if (!c.operands.empty()) {
    c.operands.pop_back();
  }
}

void change(Draws& draw, const ir::OpSchema& op, RandomNode& node) {
  Case& c = node.c;
  switch (draw.below(12)) {
    case 0:
    case 1:
      return rename_dimension(draw, c);
    case 2:
      if (Operand* operand = some_operand(draw, c)) change_shape(draw, operand->type.shape);
      return;
    case 3:
      if (Operand* operand = some_operand(draw, c)) operand->type.dtype = draw.of(dtypes);
      return;
    case 4:
      return change_operand_count(draw, c);
    case 5:  // the whole in double precision
      for (std::optional<Operand>& operand : c.operands) {
        if (operand && operand->type.dtype == ir::DType::f32) operand->type.dtype = ir::DType::f64;
      }
      return;
    case 6:
      if (c.operands.size() > 1) std::swap(c.operands[draw.below(c.operands.size())], c.operands[draw.below(c.operands.size())]);
      return;
    case 7:
    case 8:
      if (Operand* operand = some_operand(draw, c)) {
        operand->draw = any_data(draw, operand->type.dtype);
        node.tame = false;
      }
      return;
    default:
      return change_attribute(draw, op, c);
  }
}

// Any operands and attributes.
Case any_case(Draws& draw, const ir::OpSchema& op) {
  Case c{op.name};
  for (std::size_t i = 0; i < op.operands.size() || (!op.operands.empty() && op.operands.back().variadic && !draw.one_in(3)); ++i) {
    ir::Shape shape(draw.below(6));
    for (std::int64_t& dim : shape) dim = any_dim(draw);
    if (draw.one_in(3)) shape = {1};
    Operand operand{{draw.of(dtypes), std::move(shape)}, integers(-3, 300)};
    if (draw.one_in(2)) operand.draw = any_data(draw, operand.type.dtype);
    c.operands.push_back(draw.one_in(8) ? std::nullopt : std::optional(std::move(operand)));
  }
  for (const ir::AttributeSpec& spec : op.attributes) c.attributes.set(spec.name, changed(draw, spec.fallback));
  return c;
}

}  // namespace

RandomNode random_node(const std::string& op, std::uint64_t seed) {
  static const std::map<std::string, std::vector<const Case*>> by_op = [] {
    std::map<std::string, std::vector<const Case*>> map;
    for (const Case& c : cases()) map[c.op].push_back(&c);
    return map;
  }();
  // By the op's name (FNV-1a): other ops leave its graphs as they are.
  std::uint64_t stream = 0xcbf29ce484222325;
  for (const char c : op) stream = (stream ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  Draws draw(seed, stream);
  const ir::OpSchema& schema = ir::op(op);
  RandomNode node;
  if (draw.one_in(8)) {
    node.c = any_case(draw, schema);
    node.tame = false;
  } else {
    node.c = *draw.of(by_op.at(op));
    for (std::uint64_t changes = draw.below(5); changes > 0; --changes) change(draw, schema, node);
  }
  for (std::optional<Operand>& operand : node.c.operands) {
    if (operand) fit(*operand);
    // Zero points, multipliers and tables are constants of a graph that deployment makes; a hostile one may feed them.
    const bool parameter = operand && (operand->type.shape == ir::Shape{1} || &operand != &node.c.operands.front());
    node.constant.push_back(parameter ? !draw.one_in(8) : draw.one_in(8));
  }
  return node;
}

}  // namespace stair::tests
