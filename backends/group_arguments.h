#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>

#include "ir/graph.h"

namespace stair::backends {

/// Where the values of a group's nodes lie among its Arguments.
class GroupArguments {
 public:
  GroupArguments(const ir::Graph& graph, std::span<const ir::NodeId> nodes);

  /// Of a node's operands the first one; the others follow.
  std::size_t operands_of(ir::NodeId node) const { return operands_.at(node); }
  /// A node's result; none where the value stays within the group.
  std::optional<std::size_t> result(ir::ValueId value) const;

 private:
  std::map<ir::NodeId, std::size_t> operands_;
  std::map<ir::ValueId, std::size_t> results_;
};

}  // namespace stair::backends
