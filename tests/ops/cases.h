#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "ir/attributes.h"
#include "ir/graph.h"
#include "ir/type.h"
#include "runtime/tensor.h"

namespace stair::tests {

/// How the elements of an operand are drawn. Deterministic: a function of the case and the operand's place.
struct Draw {
  enum class Kind : std::uint8_t {
    uniform,   ///< reals in [low, high], at least `margin` away from each of `values` (kinks)
    integers,  ///< whole numbers in [low, high]
    extremes,  ///< low or high
    distinct,  ///< equally spaced over [low, high], in random order: a maximum has no ties
    listed     ///< `values`, over and over
  };
  Kind kind = Kind::uniform;
  double low = -1;
  double high = 1;
  std::vector<double> values = {};
};
inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double margin = 0.05;

Draw uniform(double low = -1, double high = 1);
Draw away_from(std::vector<double> kinks, double low, double high);
Draw integers(double low, double high);
Draw extremes(double low, double high);
Draw distinct(double low = -1, double high = 1);
Draw listed(std::vector<double> values);

struct Operand {
  ir::Type type;
  Draw draw;
};
using Values = std::vector<double>;
Operand reals(const Values& values);  ///< f32, a vector of those
Operand f32(ir::Shape shape, Draw draw = uniform());
Operand u8(ir::Shape shape, Draw draw = integers(0, 255));
Operand s8(ir::Shape shape, Draw draw = integers(-127, 127));
Operand i32(ir::Shape shape, Draw draw);
Operand i64(ir::Shape shape, Draw draw);

/// One node to test: an op with operands and attributes.
struct Case {
  std::string op;
  std::vector<std::optional<Operand>> operands = {};  ///< nullopt: an optional operand that is absent
  ir::Attributes attributes = {};
  std::vector<std::size_t> gradient_results = {0};  ///< results that a loss depends on in the gradient test
};

/// Every case that is written down; at least one for every op.
const std::vector<Case>& cases();
/// `count` cases of an op with shapes and attributes drawn from the seed: of conv2d, conv2d_integer, linear, matmul, matmul_integer,
/// max_pool, avg_pool.
std::vector<Case> random_cases(const std::string& op, std::uint64_t seed, int count);

/// "conv2d(f32[1,2,5,5], f32[3,2,3,3]) stride=[2,1]": for messages.
std::string describe(const Case& c);
/// A graph of the case's node alone (node 0), its operands inputs named "operand0"…; f32 operands become `real`.
ir::Graph graph_of(const Case& c, ir::DType real = ir::DType::f32);
/// The operands' values by the same names. Floats are of 24 bits, in f64 too, so that both graphs compute from the same numbers.
runtime::Tensors draw_operands(const Case& c, ir::DType real = ir::DType::f32);
std::string operand_name(std::size_t i);

/// Elements as doubles (exact for all but large i64), and back.
std::vector<double> to_doubles(const runtime::Tensor& tensor);
void from_doubles(const std::vector<double>& values, runtime::Tensor& tensor);

}  // namespace stair::tests
