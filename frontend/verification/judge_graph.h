#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frontend/verification/float_bounds.h"
#include "frontend/verification/op_judge.h"
#include "ir/numerics.h"
#include "passes/pass.h"

namespace stair::verification {

/// An input of the graph in double precision, and where it comes from.
struct JudgeFeed {
  enum class Kind : std::uint8_t { images, state, units, numbers, floats };
  Kind kind = Kind::images;
  bool constant = false;
  ir::ValueId q = ir::absent, scale = ir::absent, zero_point = ir::absent;  ///< units: q - z; numbers: (q - z) * scale; floats: q itself
  std::string state = {};
  std::size_t input = 0;  ///< images: of the model's inputs
};

/// An output of the graph in double precision with the bound of its floats; names, "" for none.
struct JudgeOutput {
  std::string value, error;
};

/// Where integers of activations stand, by the node that computes them: quantizers, and what integers alone decide (`exact`: sums, moves,
/// concatenations; the tables in front of those); and what integers of an order are (`order`: of the number's elements along an axis).
struct JudgeSite {
  enum class Kind : std::uint8_t { floats, sum, average, pair, integers, exact, order };
  Kind kind = Kind::floats;
  const OpJudge::Activations* judge = nullptr;  ///< nullptr: exact
  std::string name;
  const ir::Node* fake = nullptr;    ///< of the simulated graph; nullptr where no quantizer stands
  passes::Integers integers;         ///< of a sum neither scale nor zero point
  passes::Integers x = {}, x2 = {};  ///< that the root reads
  bool constant = false;             ///< no image reaches it: a constant's part of a concatenation
  ir::Range range{};
  const ir::Node* made = nullptr;   ///< of the realized graph
  const ir::Node* clamp = nullptr;  ///< of the simulated graph: what the node takes in
  const ir::Node* root = nullptr;   ///< of the simulated graph
  const passes::IntegerSum* sum = nullptr;
  std::int64_t inner = 1;                    ///< sum: elements of a channel that stand together
  JudgeOutput number;                        ///< floats: what is quantized; sum: acc; average: of the integers; integers, exact: those
  JudgeOutput first, second;                 ///< pair: integers of the operands
  std::vector<JudgeOutput> parameters = {};  ///< integers: of the root's operands from 1 on, which are constants
  double count = 1;                          ///< average, and the sum that it is made of
  std::int64_t table_offset = 0;             ///< integers: the entry of a table that belongs to 0
};

/// A float that an integer constant stands for: weights, the bias of a sum, the factor of its batch-norm.
struct JudgeWeights {
  const ir::Node* fake = nullptr;
  passes::Integers integers;
  JudgeOutput number;
};
struct JudgeSum {
  passes::IntegerSum sum;
  bool alone = false;                       ///< of a batch-norm that folds into no layer (N-AFFINE)
  std::optional<passes::Integers> weights;  ///< before they were fitted
  JudgeOutput factor, bias;                 ///< of batch-norm; "" where there is none
};
struct JudgeFloats {
  std::string name;
  ir::ValueId realized = ir::absent;
  JudgeOutput number;
};

/// The simulated graph in double precision, cut at its quantizers: integers come from the realized graph, and layers run on them.
class JudgeGraph {
 public:
  JudgeGraph(const ir::Graph& simulated, const passes::Result& realized);

  ir::Graph constants, activations;  ///< two graphs of the same inputs
  std::vector<JudgeFeed> feeds;      ///< by input
  std::vector<JudgeSite> sites;
  std::vector<JudgeWeights> weights;
  std::vector<JudgeSum> sums;
  std::vector<JudgeFloats> floats;  ///< outputs

  const passes::Integers& integers_of(ir::ValueId simulated) const { return integers_.at(simulated); }

 private:
  // What the float bounds of a node of the simulated graph are made from.
  std::vector<Bounded> numbers(const ir::Node& node) const;
  bool depends(ir::ValueId value) const { return value != ir::absent && depends_[static_cast<std::size_t>(value)]; }
  ir::ValueId feed(const ir::Type& like, JudgeFeed from);
  Bounded& number(ir::ValueId simulated) { return numbers_[static_cast<std::size_t>(simulated)]; }
  ir::ValueId units(ir::ValueId simulated) const;
  JudgeOutput output(const Bounded& value, std::vector<ir::ValueId>& among);
  void indices(const ir::Node& node);
  void quantizer(const ir::Node& node);
  void activation(const ir::Node& node);
  ir::ValueId concatenated(const ir::Node& node, const JudgeSite& site);
  void read_table(JudgeSite& site, ir::ValueId x);
  void rescaled(JudgeSite& site, ir::ValueId before);
  const ir::Node& layer_of(const ir::Node& node) const;
  void move(const ir::Node& node);
  void exact_site(ir::ValueId q, ir::ValueId zero_point, ir::ValueId number, double count = 1);
  void sum(const ir::Node& node, const passes::IntegerSum& its);

  const ir::Graph& simulated_;
  const passes::Result& realized_;
  std::vector<bool> depends_;
  ir::Graph graph_;
  std::vector<Bounded> numbers_;               // by value of the simulated graph
  std::map<ir::ValueId, ir::ValueId> units_;   // integers less their zero point, of quantized values of the simulated graph
  std::map<ir::ValueId, ir::ValueId> totals_;  // exact sums, of values that have one
  std::map<ir::ValueId, passes::Integers> integers_;
  std::map<ir::ValueId, const passes::IntegerSum*> sums_of_;
  std::vector<ir::ValueId> constant_outputs_, activation_outputs_;
};

}  // namespace stair::verification
