#include "frontend/verification/op_judge.h"

// Of the least and the largest of several operands: the largest of their errors.

namespace stair::verification::judges {
namespace {

using ir::ValueId;

ValueId largest_error(BoundedNode& n) {
  std::vector<ValueId> errors;
  bool none = true;
  for (std::size_t i = 0; i < n.operand_count(); ++i) {
    none = none && n.e(i) == ir::absent;
    errors.push_back(n.e(i) != ir::absent ? n.e(i) : n.times(n.size(i), 0));
  }
  return none ? ir::absent : n.emit("maximum", std::move(errors));
}

}  // namespace

void extrema(OpJudgeRegistry& registry) {
  for (const char* name : {"minimum", "maximum"}) registry.add({.name = name, .bound = largest_error});
}

}  // namespace stair::verification::judges
