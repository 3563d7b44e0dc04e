#include "tests/int8/node_group.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/int8/backend.h"

namespace stair::tests {

ir::ValueId NodeGroup::input(ir::DType dtype, ir::Shape shape, double lo, double hi) {
  const ir::Type type{dtype, std::move(shape)};
  inputs_.emplace_back(type);
  const ir::TensorView tensor = inputs_.back().view();
  for (std::int64_t i = 0; i < tensor.count(); ++i) {
    if (dtype == ir::DType::f32) {
      tensor.as<float>()[i] = lo < hi ? random_.real(static_cast<float>(lo), static_cast<float>(hi)) : static_cast<float>(lo);
      continue;
    }
    const std::int64_t value = random_(static_cast<std::int64_t>(lo), static_cast<std::int64_t>(hi));
    if (dtype == ir::DType::i32) {
      tensor.as<std::int32_t>()[i] = static_cast<std::int32_t>(value);
    } else {
      tensor.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(value);
    }
  }
  return graph_.add_input("x" + std::to_string(inputs_.size()), type);
}

ir::ValueId NodeGroup::floats(ir::Shape shape, const std::function<float()>& draw) {
  const ir::ValueId id = input(ir::DType::f32, std::move(shape), 0, 0);
  const ir::TensorView tensor = inputs_.back().view();
  std::generate_n(tensor.as<float>(), tensor.count(), draw);
  return id;
}

ir::ValueId NodeGroup::integers(const std::vector<std::int64_t>& values) {
  const ir::ValueId id = input(ir::DType::i32, {static_cast<std::int64_t>(values.size())}, 0, 0);
  std::transform(values.begin(), values.end(), inputs_.back().as<std::int32_t>(),
                 [](auto value) { return static_cast<std::int32_t>(value); });
  return id;
}

ir::ValueId NodeGroup::emit(const std::string& op, std::vector<ir::ValueId> operands, ir::Attributes attributes) {
  return graph_.emit(op, std::move(operands), std::move(attributes));
}

std::vector<ir::TensorView> NodeGroup::views(const std::vector<ir::ValueId>& ids, const std::vector<ir::TensorView>& values) const {
  std::vector<ir::TensorView> list;
  for (const ir::ValueId id : ids) list.push_back(id == ir::absent ? ir::TensorView{} : values[static_cast<std::size_t>(id)]);
  return list;
}

runtime::Tensor NodeGroup::expected() const {
  const backends::Backend& reference = backends::named("reference");
  std::vector<ir::TensorView> values(graph_.values().size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) values[static_cast<std::size_t>(graph_.inputs()[i])] = inputs_[i].view();
  std::vector<runtime::Tensor> results;
  for (std::size_t n = 0; n < graph_.nodes().size(); ++n) {
    const ir::Node& node = graph_.nodes()[n];
    results.emplace_back(graph_.type(node.results[0]));
    values[static_cast<std::size_t>(node.results[0])] = results.back().view();
    const std::vector<ir::NodeId> alone{static_cast<ir::NodeId>(n)};
    const auto kernel = reference.prepare(graph_, alone, {});
    const std::vector<ir::TensorView> operands = views(node.operands, values);
    const std::vector<ir::TensorView> result{results.back().view()};
    kernel->run({operands, result, nullptr, 1});
  }
  return std::move(results.back());
}

void NodeGroup::check() const {
  const runtime::Tensor reference = expected();
  const ir::Uses uses(graph_);
  // Copies that end at the end of an allocation, so that a sanitizer sees what is read behind them.
  std::vector<std::vector<std::byte>> memory;
  std::vector<ir::TensorView> values(graph_.values().size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto* bytes = inputs_[i].as<std::byte>();
    memory.emplace_back(bytes, bytes + inputs_[i].bytes());
    values[static_cast<std::size_t>(graph_.inputs()[i])] = {inputs_[i].type(), memory.back().data()};
  }
  for (const backends::Backend* backend : backends::int8::variants()) {
    CAPTURE(backend->name());
    REQUIRE(backend->supports(graph_, graph_.node(0)).yes);
    const std::vector<ir::NodeId> nodes = backend->group(graph_, uses, 0, [](ir::NodeId) { return true; });
    REQUIRE(nodes.size() == graph_.nodes().size());
    const auto kernel = backend->prepare(graph_, nodes, {});
    std::vector<ir::TensorView> operands;
    for (const ir::NodeId node : nodes) {
      for (const ir::TensorView& view : views(graph_.node(node).operands, values)) operands.push_back(view);
    }
    for (const int threads : {1, 2, 3}) {
      CAPTURE(threads);
      std::vector<std::byte> result(reference.bytes(), std::byte{0x5a});
      const runtime::Buffer scratch(kernel->scratch_bytes(threads));
      std::memset(scratch.data(), 0x5a, kernel->scratch_bytes(threads));
      const std::vector<ir::TensorView> results{{reference.type(), result.data()}};
      kernel->run({operands, results, scratch.data(), threads});
      REQUIRE(std::memcmp(result.data(), reference.view().data, result.size()) == 0);
    }
  }
}

}  // namespace stair::tests
