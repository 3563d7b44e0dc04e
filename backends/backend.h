#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/type.h"

namespace stair::backends {

/// Whether a backend can run a node: yes, or why not. The reason is shown to users (`stair backends`, the per-node report).
struct Answer {
  bool yes = false;
  std::string reason;
  static Answer can() { return {true, ""}; }
  static Answer cannot(std::string why) { return {false, std::move(why)}; }
};

/// Operands and results of one execution, dense and row-major, in the node's order. An absent optional operand has data == nullptr.
/// A group's operands are those of its nodes one after another (a value within the group has data == nullptr), its results those of its
/// nodes one after another, without the values within the group: those that its nodes read and nobody else. `scratch` has the bytes that
/// the kernel asked for with so many threads or more, 64-byte aligned.
struct Arguments {
  std::span<const ir::TensorView> operands;
  std::span<const ir::TensorView> results;
  std::byte* scratch = nullptr;
  int threads = 1;
  std::atomic<bool>* not_finite = nullptr;  ///< set by a kernel that watches (Kernel::watches) where a result isn't finite

  /// Of a node alone: in a group an operand that is left out at a node's end has no place, and the next node's stands there.
  bool has(std::size_t operand) const { return operand < operands.size() && operands[operand].data != nullptr; }
};

/// A node made ready to run. run() may be called any number of times, from one thread at a time; results must not depend on `threads`
/// (N-SAME, N-REPEAT). It reads its operands, writes its results whole and keeps no state between calls.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void run(const Arguments& arguments) = 0;
  /// Of the memory that run() needs with at most so many threads.
  virtual std::size_t scratch_bytes(int /*threads*/) const { return 0; }
  /// Of the constants that it keeps in a form of its own, and reads in place of the graph's: packed weights.
  virtual std::size_t packed_bytes() const { return 0; }
  /// Whether run() itself looks for results that aren't finite (N-FINITE) while they are at hand; else who wants to know reads them again.
  virtual bool watches() const { return false; }
  /// What ran, for reports: "sgemm", "loops".
  virtual std::string_view description() const = 0;
  /// The instruction set that it computes on, as runtime/peak has it: "avx512_vnni". "": the kernel doesn't say.
  virtual std::string_view isa() const { return {}; }
};

/// By ValueId: the tensors that never change (the constants of a deployed graph), so that a kernel prepares them once. data == nullptr for
/// all others; empty where nothing is known.
using Constants = std::span<const ir::TensorView>;

/// An executor of nodes. Stateless but for what it prepares.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view summary() const = 0;
  /// Whether it runs this op at all; for the table of `stair backends`.
  virtual Answer supports_op(std::string_view op) const = 0;
  /// Whether it runs this very node, with its types and attributes.
  virtual Answer supports(const ir::Graph& graph, const ir::Node& node) const = 0;
  /// The nodes that it runs as one kernel beginning with `first`, a node that it supports: `first` alone, or a group in the graph's order.
  /// The kernel runs where the last of them stands: all other readers of their results come behind it. `free` tells whether a node is in no
  /// group yet.
  virtual std::vector<ir::NodeId> group(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                        const std::function<bool(ir::NodeId)>& free) const;
  /// A kernel for one node that it supports, or for a group that it formed. `graph` and the memory of `constants` must outlive the kernel.
  virtual std::unique_ptr<Kernel> prepare(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants) const = 0;
  /// Whether it runs integer convolutions and pools on [N,H,W,C], so that graphs should be lowered to that (passes/channels_last).
  virtual bool channels_last() const { return false; }
  /// Whether the layout is all the same to it (it runs none of those nodes), so that the next in the order of preference is asked.
  virtual bool any_layout() const { return false; }
};

/// For Backend::group: the only node that reads the value, if nothing else does and it is in no group yet, or nullptr.
const ir::NodeId* only_reader(const ir::Uses& uses, ir::ValueId value, const std::function<bool(ir::NodeId)>& free);

/// For Backend::group: whether all readers of the nodes' results are among them or come behind the last of them.
bool readers_follow(const ir::Graph& graph, const ir::Uses& uses, std::span<const ir::NodeId> nodes);

/// The loaded plug-ins (backends/plugin.h), then the built-in backends, best first; the last, "reference", runs every node.
std::vector<const Backend*> all();
/// Those, and each of their variants that this machine can run: what a change is tested on, and what `stair verify` compares.
std::vector<const Backend*> every();
/// The backend (or variant) of that name; throws Error with the nearest name.
const Backend& named(std::string_view name);

/// A backend whose kernels are plain functions in files of one folder, by op.
class FunctionKernels {
 public:
  using Function = void (*)(const ir::Node& node, const Arguments& arguments);
  /// Bytes of scratch that the node needs with at most so many threads, or none.
  using Scratch = std::size_t (*)(const ir::Graph& graph, const ir::Node& node, int threads);
  /// Whether the function runs this very node.
  using Accepts = Answer (*)(const ir::Graph& graph, const ir::Node& node);
  /// As Backend::group and Backend::prepare.
  using Group = std::vector<ir::NodeId> (*)(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                            const std::function<bool(ir::NodeId)>& free);
  using Prepare = std::unique_ptr<Kernel> (*)(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants);
  struct Entry {
    Function function;
    std::string_view description = "loops";
    Accepts accepts = nullptr;  ///< nullptr: every node of the op
    Scratch scratch = nullptr;
    Group group = nullptr;      ///< nullptr: the node alone
    Prepare prepare = nullptr;  ///< instead of a function: a kernel with a memory; where there are both, the kernel of groups
    bool watches = false;       ///< as Kernel::watches
    std::string_view isa = {};  ///< as Kernel::isa; "": that of the backend
  };

  void add(std::string op, Entry entry) { entries_.emplace(std::move(op), entry); }
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

/// A backend over such a table. `missing` is the reason it gives for an op that it has no function for, `isa` the instruction set of the
/// functions that name none.
std::unique_ptr<Backend> make_function_backend(std::string name, std::string summary, FunctionKernels kernels, std::string missing,
                                               std::string isa = "");

}  // namespace stair::backends
