#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "passes/pass.h"
#include "runtime/tensor.h"

namespace stair::verification {

/// The first element that differs, in the order of the graph.
struct Difference {
  std::string node, op;
  std::int64_t image = -1;  ///< -1 in a constant
  std::int64_t index = 0;   ///< within the image (or the constant), row-major
  double expected = 0, found = 0;
};

/// What the judge says of the integers (or floats) of one value.
struct Judgement {
  std::string node;
  std::string what;                ///< "activation", "weights", "bias", "table"…
  bool constant = false;           ///< judged once, not for each image
  ir::ValueId value = ir::absent;  ///< of the realized graph; absent for constants
  std::int64_t elements = 0;
  std::int64_t near_ties = 0;  ///< off by one from double precision, at a tie, within what the roundings can do
  std::int64_t wrong = 0;
  std::optional<Difference> first = {};  ///< that is wrong
};

/// Holds integers against what they stand for (docs/numerics.md, N-CHECK): the simulated graph, from before realize_integers, evaluated in
/// double precision, node by node, on the integers that stand before each node. It shares no arithmetic with what it judges: floats run on
/// the reference's kernels in double precision, integers in exact_integers.h.
///
/// An integer is right where it is the rounding of a number within t ± e, t being its value in double precision in steps of its own
/// scale, e what the roundings of float32 can do. With u = 2^-24 (float_bounds.h), and the sums T = acc + q_b exact:
///   N-REQ-FLOAT, N-REQ-POW2  t = T step / s_y: float(T) rounds, step / s_y rounds, their product rounds            e = 3 u |t|
///     with a float bias      t = T step / s_y + b / s_y: also the quotient and the sum                e = 3 u |T step / s_y| + u |b / s_y|
///     + u |t|
///   N-AVG                    t = S m, m being the multiplier: float(S), the product                                 e = 2 u |t|
///   N-POINT, N-QUANT         t = x / s_y: the roundings of x (float_bounds.h: from (q - z) s on), the quotient       e = e(x) / s_y + u
///   |t|
/// and e grows by 2^-40 (1 + |t|) for double precision itself. T may be as large as 2^31: its rounding to float is the u of float(T).
/// With fixed point nothing is granted: the integer must be that of exact_integers.h, from the mantissas and shifts, which are held against
/// double precision themselves. A table's entries are held against double precision, and then looked up.
///
/// Constants: a scale within 2 u of its range's, a state's or a histogram's (with powers of two: the power above); a zero point, a weight
/// and an end of a clamp's range as N-QUANT; the fitted weights exactly round(±q 2^-e) with their scale within 2 u and the error of k; a
/// step within u; an integer bias |q_b step - b| <= step / 2, and b within the error of its fold; a multiplier within 3 u; a mantissa to
/// the nearest.
class Judge {
 public:
  /// Where the realized graph's values are: of an execution, of a file, or planted.
  using Values = std::function<ir::TensorView(ir::ValueId)>;

  /// `realized` is realize_integers' result on `simulated`; both at the batch of the images, `states` as they are deployed.
  Judge(const ir::Graph& simulated, const passes::Result& realized, const runtime::Tensors& states, int threads);
  ~Judge();

  /// What it reads of the realized graph: constants, and what images flow through.
  const std::vector<ir::ValueId>& constants() const;
  const std::vector<ir::ValueId>& activations() const;

  /// Judges the constants.
  void judge_constants(const Values& values, std::vector<Judgement>& into);
  /// Judges the first `count` images, of which `inputs` has a tensor for each input of the graph; adds to `into`, an entry a value.
  void judge(std::span<const ir::TensorView> inputs, const Values& values, std::int64_t first_image, std::int64_t count,
             std::vector<Judgement>& into);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stair::verification
