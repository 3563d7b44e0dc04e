#include "backends/int8/backend.h"

#include <optional>
#include <utility>

#include "backends/int8/node_kernels.h"
#include "ir/op.h"

namespace stair::backends::int8 {

void register_all(NodeKernels& kernels);  // generated from the files of backends/int8/nodes

namespace {

const NodeKernels& node_kernels() {
  static const NodeKernels all = [] {
    NodeKernels kernels;
    register_all(kernels);
    return kernels;
  }();
  return all;
}

class Int8Backend : public Backend {
 public:
  /// Without a variant: the one that is chosen when a kernel is prepared.
  explicit Int8Backend(std::optional<Isa> isa) : isa_(isa), name_(isa ? "int8:" + std::string(name_of(*isa)) : "int8") {}

  std::string_view name() const override { return name_; }
  std::string_view summary() const override {
    return "integer convolution, linear layers and what is around them, exact, on packed weights, with vector instructions";
  }
  Answer supports_op(std::string_view op) const override {
    return node_kernels().entries().contains(op) ? Answer::can() : Answer::cannot("no integer kernel for this op");
  }
  Answer supports(const ir::Graph& graph, const ir::Node& node) const override {
    const auto it = node_kernels().entries().find(node.op->name);
    return it == node_kernels().entries().end() ? supports_op(node.op->name) : it->second.accepts(graph, node);
  }
  std::vector<ir::NodeId> group(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                const std::function<bool(ir::NodeId)>& free) const override {
    const NodeKernels::Entry& entry = entry_of(graph.node(first));
    return entry.group == nullptr ? std::vector<ir::NodeId>{first} : entry.group(kernels(), graph, uses, first, free);
  }
  std::unique_ptr<Kernel> prepare(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants) const override {
    return entry_of(graph.node(nodes.front())).prepare(kernels(), graph, nodes, constants);
  }
  bool channels_last() const override { return true; }

 private:
  static const NodeKernels::Entry& entry_of(const ir::Node& node) { return node_kernels().entries().find(node.op->name)->second; }

  const Kernels& kernels() const { return kernels_of(isa_ ? *isa_ : chosen_isa()); }

  std::optional<Isa> isa_;
  std::string name_;
};

}  // namespace

const Backend& backend() {
  static const Int8Backend chosen(std::nullopt);
  return chosen;
}

std::vector<const Backend*> variants() {
  static const std::vector<std::unique_ptr<Int8Backend>> all = [] {
    std::vector<std::unique_ptr<Int8Backend>> list;
    for (const Isa isa : present_isas()) list.push_back(std::make_unique<Int8Backend>(isa));
    return list;
  }();
  std::vector<const Backend*> list;
  for (const auto& variant : all) list.push_back(variant.get());
  return list;
}

}  // namespace stair::backends::int8
