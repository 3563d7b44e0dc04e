#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "ir/check_data.h"
#include "ir/error.h"
#include "ir/op.h"
#include "passes/accumulators.h"
#include "tests/ops/check.h"
#include "tests/ops/random_nodes.h"
#include "tests/support/seeds.h"

// Graphs of one node, as a file with a right checksum may hold them: whatever inference and the checks of data let through runs on every
// backend without touching memory that isn't its own (which sanitizers see), and gives the reference's integers. STAIR_ONE_OP_GRAPHS says
// how many an op.

namespace stair::tests {
namespace {

constexpr std::int64_t most_bytes = std::int64_t{1} << 20;
constexpr std::int64_t most_work = 2'000'000;
constexpr std::size_t most_scratch = std::size_t{64} << 20;

struct Counts {
  int accepted = 0, refused = 0, refused_by_data = 0, too_large = 0;
};

// Memory of exactly so many bytes, so that a sanitizer sees the first byte behind it.
class Exact {
 public:
  explicit Exact(std::size_t bytes, int garbage = 0xa5) {
    if (posix_memalign(&memory_, 64, std::max<std::size_t>(bytes, 1)) != 0) throw std::bad_alloc();
    std::memset(memory_, garbage, bytes);
  }
  ~Exact() { std::free(memory_); }
  Exact(Exact&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
  Exact& operator=(Exact&&) = delete;
  void* data() const { return memory_; }

 private:
  void* memory_ = nullptr;
};

struct OwnTensor {
  explicit OwnTensor(const ir::Type& type) : memory(ir::byte_count(type)), view{type, memory.data()} {}
  Exact memory;
  ir::TensorView view;
};

ir::Graph graph_of(const RandomNode& node) {
  ir::Graph graph;
  std::vector<ir::ValueId> operands;
  for (std::size_t i = 0; i < node.c.operands.size(); ++i) {
    const std::optional<Operand>& operand = node.c.operands[i];
    if (!operand) {
      operands.push_back(ir::absent);
    } else if (node.constant[i]) {
      operands.push_back(graph.add_state(operand_name(i), operand->type, {ir::absent, ir::StateRole::constant, {}, {}}));
    } else {
      operands.push_back(graph.add_input(operand_name(i), operand->type));
    }
  }
  graph.add(node.c.op, operands, node.c.attributes, "n");
  return graph;
}

// Elements that the node computes, and what it sums up for each.
double work_of(const ir::Graph& graph) {
  const ir::Node& node = graph.node(0);
  double work = 0;
  for (const ir::ValueId result : node.results) work += static_cast<double>(ir::element_count(graph.type(result).shape));
  if (node.op->multiply_accumulates) {
    double products = 1;  // in floating point: the op's own count is for graphs that can be run
    for (const ir::ValueId operand : node.operands) {
      if (operand != ir::absent) products *= std::max<double>(1, static_cast<double>(ir::element_count(graph.type(operand).shape)));
    }
    work += std::min(products, static_cast<double>(node.op->multiply_accumulates(graph, node)));
  }
  if (node.attributes.has("kernel")) {
    for (const std::int64_t size : node.attributes.integers("kernel")) work *= static_cast<double>(size);
  }
  return work;
}

bool small_enough(const ir::Graph& graph) {
  std::size_t bytes = 0;
  for (const ir::Value& value : graph.values()) bytes += ir::byte_count(value.type);
  return bytes <= static_cast<std::size_t>(most_bytes) && work_of(graph) <= static_cast<double>(most_work);
}

using OwnTensors = std::vector<OwnTensor>;

// Nothing where the kernel asks for more scratch than the test has.
std::optional<OwnTensors> run(const ir::Graph& graph, const std::vector<ir::TensorView>& operands,
                              const std::vector<ir::TensorView>& constants, const backends::Backend& backend, int threads) {
  const std::unique_ptr<backends::Kernel> kernel = backend.prepare(graph, std::vector<ir::NodeId>{0}, constants);
  if (kernel->scratch_bytes(threads) > most_scratch) return std::nullopt;
  OwnTensors results;
  for (const ir::ValueId id : graph.node(0).results) results.emplace_back(graph.type(id));
  std::vector<ir::TensorView> result_views;
  for (const OwnTensor& result : results) result_views.push_back(result.view);
  const Exact scratch(kernel->scratch_bytes(threads));
  kernel->run({operands, result_views, static_cast<std::byte*>(scratch.data()), threads});
  return results;
}

double element(const ir::TensorView& tensor, std::int64_t i) {
  return tensor.type.dtype == ir::DType::f64 ? tensor.as<double>()[i] : static_cast<double>(tensor.as<float>()[i]);
}

double largest_magnitude(const ir::TensorView& tensor) {
  double largest = 0;
  for (std::int64_t i = 0; i < tensor.count(); ++i) largest = std::max(largest, std::abs(element(tensor, i)));
  return largest;
}

// Integers are the same; floats are near where the data is tame.
void compare(const OwnTensors& found, const OwnTensors& expected, const std::vector<ir::TensorView>& operands, bool tame) {
  for (std::size_t r = 0; r < found.size(); ++r) {
    CAPTURE(r);
    const ir::TensorView& ours = found[r].view;
    const ir::TensorView& theirs = expected[r].view;
    if (!ir::is_float(ours.type.dtype)) {
      CHECK(std::memcmp(ours.data, theirs.data, ir::byte_count(ours.type)) == 0);
      continue;
    }
    if (!tame) continue;
    double largest = largest_magnitude(theirs);
    for (const ir::TensorView& operand : operands) {
      if (operand.data != nullptr && ir::is_float(operand.type.dtype)) largest = std::max(largest, largest_magnitude(operand));
    }
    if (!std::isfinite(largest)) continue;
    double off = 0;
    for (std::int64_t i = 0; i < ours.count(); ++i) {
      const double x = element(ours, i);
      const double y = element(theirs, i);
      if (x == y || (std::isnan(x) && std::isnan(y))) continue;
      off = std::isnan(x - y) ? infinity : std::max(off, std::abs(x - y));
    }
    CHECK(off <= 1e-3 * largest);
  }
}

void check_node(const std::string& op, std::uint64_t seed, Counts& counts) {
  const RandomNode node = random_node(op, seed);
  const std::string what = describe(node.c);
  CAPTURE(what);
  std::optional<ir::Graph> graph;
  try {
    graph = graph_of(node);
  } catch (const Error& error) {
    ++counts.refused;
    const std::string message = error.what();
    const bool one_named_line =
        (message.starts_with(op + " 'n': ") || message.starts_with("value '")) && message.find('\n') == std::string::npos;
    CHECK_MESSAGE(one_named_line, message);
    return;
  }
  if (!small_enough(*graph)) {
    ++counts.too_large;
    return;
  }
  const runtime::Tensors drawn = draw_operands(node.c);
  OwnTensors tensors;
  tensors.reserve(node.c.operands.size());
  std::vector<ir::TensorView> operands;
  std::vector<ir::TensorView> constants(graph->values().size());
  for (std::size_t i = 0; i < graph->node(0).operands.size(); ++i) {
    const ir::ValueId id = graph->node(0).operands[i];
    operands.emplace_back();
    if (id == ir::absent) continue;
    tensors.emplace_back(graph->type(id));
    operands.back() = tensors.back().view;
    std::memcpy(operands.back().data, drawn.find(operand_name(i))->second.view().data, ir::byte_count(graph->type(id)));
    if (node.constant[i]) constants[static_cast<std::size_t>(id)] = operands.back();
  }
  try {
    ir::check_data(*graph, [&](const ir::State& state) { return constants[static_cast<std::size_t>(state.value)]; });
    passes::prove_accumulators(*graph, [&](const std::string& name) { return constants[static_cast<std::size_t>(graph->find(name))]; });
  } catch (const Error& error) {
    ++counts.refused_by_data;
    const std::string message = error.what();
    CHECK_MESSAGE(message.starts_with(op + " 'n': ") != message.starts_with(op + " 'n' "), message);
    return;
  }
  ++counts.accepted;
  const backends::Backend& reference = backends::named("reference");
  const std::optional<OwnTensors> expected = run(*graph, operands, constants, reference, 1);
  REQUIRE(expected.has_value());
  for (const backends::Backend* backend : tested_backends()) {
    if (backend == &reference || !backend->supports(*graph, graph->node(0)).yes) continue;
    const std::string on(backend->name());
    CAPTURE(on);
    const std::optional<OwnTensors> found = run(*graph, operands, constants, *backend, seed % 8 == 0 ? 2 : 1);
    if (found) compare(*found, *expected, operands, node.tame);
  }
}

std::uint64_t graphs_an_op() {
  const char* count = std::getenv("STAIR_ONE_OP_GRAPHS");
  return count == nullptr ? 40 : std::strtoull(count, nullptr, 10);
}

}  // namespace

TEST_CASE("graphs of one op that inference and the checks of data accept run on every backend, and give one result") {
  Counts all;
  int graphs = 0;
  for (const auto& [name, schema] : ir::op_registry().all()) {
    const std::string& op = name;
    CAPTURE(op);
    Counts counts;
    const auto fewest = static_cast<int>(graphs_an_op() / 20);
    // Some ops accept few graphs: for them there are more.
    for (std::uint64_t i = 0; i < graphs_an_op() || (counts.accepted < fewest && i < 5 * graphs_an_op()); ++i) {
      const std::uint64_t seed = i;
      CAPTURE(seed);
      if (std::getenv("STAIR_VERBOSE") != nullptr)
        std::fprintf(stderr, "%s %d %s\n", op.c_str(), static_cast<int>(i), describe(random_node(op, seed).c).c_str());
      check_node(op, seed, counts);
      ++graphs;
    }
    // An op that is never accepted isn't tested.
    CHECK(counts.accepted >= fewest);
    all.accepted += counts.accepted;
    all.refused += counts.refused;
    all.refused_by_data += counts.refused_by_data;
    all.too_large += counts.too_large;
  }
  MESSAGE(graphs << " graphs of one op: " << all.accepted << " accepted and run, " << all.refused << " refused by inference, "
                 << all.refused_by_data << " for their data, " << all.too_large << " too large to run here");
}

}  // namespace stair::tests
