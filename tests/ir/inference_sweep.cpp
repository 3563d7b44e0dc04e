#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/error.h"
#include "ir/op.h"
#include "ir/random.h"

using namespace stair;

namespace {

const std::vector<ir::Type> types{{ir::DType::f32, {}},        {ir::DType::f32, {1}},          {ir::DType::f32, {3}},
                                  {ir::DType::f32, {2, 3}},    {ir::DType::f32, {2, 3, 4}},    {ir::DType::f32, {2, 3, 4, 4}},
                                  {ir::DType::f32, {1, 3, 1}}, {ir::DType::f32, {3, 3, 1, 1}}, {ir::DType::u8, {}},
                                  {ir::DType::u8, {2, 3}},     {ir::DType::s8, {3, 3, 1, 1}},  {ir::DType::i32, {}},
                                  {ir::DType::i32, {1}},       {ir::DType::i32, {2, 3, 4, 4}}, {ir::DType::i64, {1}}};
const std::vector<std::vector<std::int64_t>> lists{{},     {0},       {1},          {-1},    {1, 1},      {0, 0},
                                                   {2, 2}, {0, 2, 1}, {1, 1, 1, 1}, {-9, 9}, {2, 3, 4, 4}};
const std::vector<std::int64_t> integers{0, 1, -1, 2, 255, 1000, -1000};

// A value of the fallback's kind: the fallback, or another.
ir::Attribute some(const ir::Attribute& fallback, std::uint64_t draw) {
  if (draw % 3 == 0) return fallback;
  if (std::holds_alternative<std::int64_t>(fallback)) return integers[draw % integers.size()];
  if (std::holds_alternative<std::vector<std::int64_t>>(fallback)) return lists[draw % lists.size()];
  if (std::holds_alternative<bool>(fallback)) return draw % 2 == 0;
  return fallback;
}

}  // namespace

TEST_CASE("every op answers operands and attributes of any kind with types or with an error that names the node") {
  for (const auto& [key, schema] : ir::op_registry().all()) {
    const std::string& name = key;
    CAPTURE(name);
    for (std::uint64_t round = 0; round < 1500; ++round) {
      std::uint64_t draws = 0;
      const auto draw = [&] { return ir::random_bits(round, 11, 0, draws++); };
      ir::Graph graph;
      std::vector<ir::ValueId> operands;
      for (const ir::OperandSpec& spec : schema.operands) {
        const bool left_out = spec.optional && draw() % 2 == 0;
        operands.push_back(left_out ? ir::absent : graph.add_input(graph.unique_name("x"), types[draw() % types.size()]));
      }
      ir::Attributes attributes;
      for (const ir::AttributeSpec& spec : schema.attributes) attributes.set(spec.name, some(spec.fallback, draw()));
      try {
        const std::size_t results = graph.add(name, operands, attributes, "n").results.size();
        CHECK(results == schema.results.size());
      } catch (const Error& error) {
        const std::string message = error.what();
        const bool named = message.starts_with(name + " 'n': ") || message.starts_with("value 'n");
        CHECK_MESSAGE(named, message);
      }
    }
  }
}
