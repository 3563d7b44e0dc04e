#include "frontend/verification/op_judge.h"

namespace stair::verification {

ir::ValueId operand_named(const ir::Node& node, std::string_view name) {
  for (std::size_t i = 0; i < node.op->operands.size(); ++i) {
    if (node.op->operands[i].name == name) return node.operand(i);
  }
  return ir::absent;
}

}  // namespace stair::verification
