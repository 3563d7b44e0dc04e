#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "ir/op.h"
#include "ir/scanner.h"

// docs/deployed-ops.md against the registry: an op too many or too few, another operand, order, default or result is a failure. What an op
// computes is judged by tests/formats.

using namespace stair;

namespace {

// "add(a, b) {} -> y", as the page explains it.
std::string signature(const ir::OpSchema& op) {
  std::string text = op.name + "(";
  for (const ir::OperandSpec& operand : op.operands) {
    text += (&operand == op.operands.data() ? "" : ", ") + operand.name + (operand.optional ? "?" : operand.variadic ? "..." : "");
  }
  text += ") {";
  for (const ir::AttributeSpec& attribute : op.attributes) {
    text += (&attribute == op.attributes.data() ? "" : ", ") + attribute.name;
    if (!attribute.required) text += "=" + ir::print_literal(attribute.fallback);
  }
  text += "} -> ";
  for (const ir::OperandSpec& result : op.results) text += (&result == op.results.data() ? "" : ", ") + result.name;
  return text;
}

// The page's sections by op: what stands below "### OP".
std::map<std::string, std::string> sections() {
  std::ifstream file(STAIR_SOURCE_DIR "/docs/deployed-ops.md");
  std::map<std::string, std::string> all;
  std::string op;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) op = line.starts_with("### ") ? line.substr(4) : "";
    if (!op.empty()) all[op] += line + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("docs/deployed-ops.md has every op that an artifact may hold, with the signature of its schema") {
  std::map<std::string, std::string> described = sections();
  REQUIRE(!described.empty());
  for (const auto& [key, op] : ir::op_registry().all()) {
    if (!op.deployed) continue;
    const std::string& name = key;  // what messages capture can't be a structured binding
    const ir::OpSchema& schema = op;
    CAPTURE(name);
    const std::string& section = described[name];
    CHECK(section.find("\n```\n" + signature(schema) + "\n```\n") != std::string::npos);
    INFO("signature: " << signature(schema));
    // The text says what each operand and attribute means.
    const std::string text = section.substr(std::min(section.size(), section.rfind("```\n") + 4));
    for (const ir::OperandSpec& operand : schema.operands)
      CHECK_MESSAGE(text.find("`" + operand.name + "`") != std::string::npos, operand.name);
    for (const ir::AttributeSpec& attribute : schema.attributes) {
      if (attribute.name == "axis" || attribute.name == "lo" || attribute.name == "hi") continue;  // said once for all
      CHECK_MESSAGE(text.find("`" + attribute.name + "`") != std::string::npos, attribute.name);
    }
    described.erase(name);
  }
  for (const auto& left : described) CHECK_MESSAGE(false, "'" << left.first << "' may not stand in an artifact");
}
