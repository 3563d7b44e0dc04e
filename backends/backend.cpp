#include "backends/backend.h"

#include <algorithm>
#include <utility>

#include "backends/int8/backend.h"
#include "backends/plugin.h"
#include "ir/error.h"
#include "ir/op.h"

namespace stair::backends {

namespace reference {
void register_all(FunctionKernels& kernels);  // generated from the files of backends/reference/kernels
}
namespace openblas {
void register_all(FunctionKernels& kernels);  // generated from the files of backends/openblas/kernels
}

namespace {

class FunctionKernel : public Kernel {
 public:
  FunctionKernel(const ir::Graph& graph, const ir::Node& node, const FunctionKernels::Entry& entry, std::string_view isa)
      : graph_(graph), node_(node), entry_(entry), isa_(entry.isa.empty() ? isa : entry.isa) {}
  void run(const Arguments& arguments) override { entry_.function(node_, arguments); }
  std::size_t scratch_bytes(int threads) const override { return entry_.scratch == nullptr ? 0 : entry_.scratch(graph_, node_, threads); }
  bool watches() const override { return entry_.watches; }
  std::string_view description() const override { return entry_.description; }
  std::string_view isa() const override { return isa_; }

 private:
  const ir::Graph& graph_;
  const ir::Node& node_;
  const FunctionKernels::Entry& entry_;
  std::string_view isa_;
};

class FunctionBackend : public Backend {
 public:
  FunctionBackend(std::string name, std::string summary, FunctionKernels kernels, std::string missing, std::string isa)
      : name_(std::move(name)),
        summary_(std::move(summary)),
        kernels_(std::move(kernels)),
        missing_(std::move(missing)),
        isa_(std::move(isa)) {}

  std::string_view name() const override { return name_; }
  std::string_view summary() const override { return summary_; }
  Answer supports_op(std::string_view op) const override {
    return kernels_.entries().contains(op) ? Answer::can() : Answer::cannot(missing_);
  }
  Answer supports(const ir::Graph& graph, const ir::Node& node) const override {
    const auto it = kernels_.entries().find(node.op->name);
    if (it == kernels_.entries().end()) return Answer::cannot(missing_);
    return it->second.accepts == nullptr ? Answer::can() : it->second.accepts(graph, node);
  }
  std::vector<ir::NodeId> group(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                const std::function<bool(ir::NodeId)>& free) const override {
    const FunctionKernels::Entry& entry = entry_of(graph.node(first));
    return entry.group == nullptr ? Backend::group(graph, uses, first, free) : entry.group(graph, uses, first, free);
  }
  std::unique_ptr<Kernel> prepare(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants) const override {
    const ir::Node& node = graph.node(nodes.front());
    const FunctionKernels::Entry& entry = entry_of(node);
    if (entry.function == nullptr || nodes.size() > 1) return entry.prepare(graph, nodes, constants);
    return std::make_unique<FunctionKernel>(graph, node, entry, isa_);
  }

 private:
  const FunctionKernels::Entry& entry_of(const ir::Node& node) const { return kernels_.entries().find(node.op->name)->second; }

  std::string name_, summary_;
  FunctionKernels kernels_;
  std::string missing_, isa_;
};

template <class Register>
std::unique_ptr<Backend> built_in(std::string name, std::string summary, Register register_all, std::string missing, std::string isa = "") {
  FunctionKernels kernels;
  register_all(kernels);
  return make_function_backend(std::move(name), std::move(summary), std::move(kernels), std::move(missing), std::move(isa));
}

}  // namespace

std::vector<ir::NodeId> Backend::group(const ir::Graph&, const ir::Uses&, ir::NodeId first, const std::function<bool(ir::NodeId)>&) const {
  return {first};
}

const ir::NodeId* only_reader(const ir::Uses& uses, ir::ValueId value, const std::function<bool(ir::NodeId)>& free) {
  if (!uses.single(value)) return nullptr;
  const ir::NodeId& reader = uses.nodes[static_cast<std::size_t>(value)].front();
  return free(reader) ? &reader : nullptr;
}

bool readers_follow(const ir::Graph& graph, const ir::Uses& uses, std::span<const ir::NodeId> nodes) {
  for (const ir::NodeId node : nodes) {
    for (const ir::ValueId result : graph.node(node).results) {
      for (const ir::NodeId reader : uses.nodes[static_cast<std::size_t>(result)]) {
        if (reader <= nodes.back() && std::find(nodes.begin(), nodes.end(), reader) == nodes.end()) return false;
      }
    }
  }
  return true;
}

std::unique_ptr<Backend> make_function_backend(std::string name, std::string summary, FunctionKernels kernels, std::string missing,
                                               std::string isa) {
  return std::make_unique<FunctionBackend>(std::move(name), std::move(summary), std::move(kernels), std::move(missing), std::move(isa));
}

std::vector<const Backend*> all() {
  static const std::unique_ptr<Backend> blas =
      built_in("openblas", "float GEMM for convolution, linear and matmul; exact integers through it where provable; threaded loops",
               openblas::register_all, "no kernel of its own: the reference is not the bottleneck");
  static const std::unique_ptr<Backend> oracle =
      built_in("reference", "plain loops, every op: the oracle", reference::register_all, "the reference must run every op", "scalar");
  std::vector<const Backend*> backends = plugins();
  backends.insert(backends.end(), {&int8::backend(), blas.get(), oracle.get()});
  return backends;
}

std::vector<const Backend*> every() {
  std::vector<const Backend*> list = all();
  for (const Backend* variant : int8::variants()) list.push_back(variant);
  return list;
}

const Backend& named(std::string_view name) {
  std::vector<std::string> names;
  for (const Backend* backend : every()) {
    if (backend->name() == name) return *backend;
    names.emplace_back(backend->name());
  }
  throw Error("unknown backend '" + std::string(name) + "'" + did_you_mean(name, names) + ", expected " + one_of(names));
}

}  // namespace stair::backends
