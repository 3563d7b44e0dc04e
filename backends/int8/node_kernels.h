#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "backends/int8/kernels.h"

namespace stair::backends::int8 {

/// How the int8 backend runs nodes, by op: each file nodes/NAME.cpp defines `void NAME(NodeKernels&)` and adds its ops.
class NodeKernels {
 public:
  struct Entry {
    /// Whether it runs this very node.
    Answer (*accepts)(const ir::Graph& graph, const ir::Node& node);
    /// A kernel for the node, or for the group that `group` formed from it.
    std::unique_ptr<Kernel> (*prepare)(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes,
                                       Constants constants);
    /// See Backend::group; nullptr: each node is alone.
    std::vector<ir::NodeId> (*group)(const Kernels& kernels, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                     const std::function<bool(ir::NodeId)>& free) = nullptr;
  };

  void add(std::string op, Entry entry) { entries_.emplace(std::move(op), entry); }
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace stair::backends::int8
