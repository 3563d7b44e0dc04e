#include <stdexcept>

#include "tests/formats/artifact_reader.h"
#include "tests/formats/step.h"

namespace reader {
namespace {

const Ops& all_ops() {
  static const Ops all = [] {
    Ops ops;
    quantizing_ops(ops);
    summing_ops(ops);
    moving_ops(ops);
    float_ops(ops);
    return ops;
  }();
  return all;
}

}  // namespace

std::map<std::string, Tensor> evaluate(const Artifact& artifact, const std::map<std::string, Tensor>& inputs, const Settle& settle) {
  std::map<std::string, Tensor> values = artifact.constants;
  for (const std::string& input : artifact.inputs) values[input] = inputs.at(input);
  for (const Node& node : artifact.nodes) {
    const auto op = all_ops().find(node.op);
    if (op == all_ops().end()) throw std::runtime_error("unknown op '" + node.op + "'");
    const Results results = op->second.run(Step(node, values));
    for (std::size_t i = 0; i < node.results.size(); ++i) {
      values[node.results[i]] = op->second.settled ? results.at(i) : settle(node.results[i], results.at(i));
    }
  }
  return values;
}

std::set<std::string> known_ops() {
  std::set<std::string> names;
  for (const auto& [name, op] : all_ops()) names.insert(name);
  return names;
}

}  // namespace reader
