#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "frontend/importers/onnx/model.h"
#include "frontend/verification/onnx/node_layers.h"
#include "frontend/verification/onnx/operator.h"

namespace stair::verification::onnx {

/// An ONNX model, evaluated node by node from the definitions of its operators, whoever wrote it: operators on integers to the bit, and
/// what stands between DequantizeLinear and QuantizeLinear as runtimes compute it, on integers. It knows neither of exporters nor of
/// backends; operators on floats are the layers that the importer makes of them.
class Evaluation {
 public:
  /// `keep`: values that can be asked for after a run, beside the outputs. `model` must outlive it. Error naming the file and the node for
  /// what can't be evaluated; nodes that lead to nothing are left out.
  Evaluation(const frontend::onnx::Model& model, const std::set<std::string, std::less<>>& keep);

  /// One value an input of the model that has no initializer, of the same shapes in each run.
  void run(const std::map<std::string, Value>& inputs);
  /// Error where the file has no such value.
  const Value& value(const std::string& name) const;
  bool has(const std::string& name) const;
  /// The sums of the last run.
  const Sums& sums() const { return sums_; }

 private:
  using Shared = std::shared_ptr<const Value>;
  Shared find(const std::string& name) const;
  void run_node(std::size_t i);
  void find_uses(const std::set<std::string, std::less<>>& keep);
  void add_node(const frontend::onnx::Node& node);

  const frontend::onnx::Model& model_;
  std::vector<frontend::onnx::Node> nodes_;  // the file's; what is defined by others in their place
  std::vector<bool> used_;
  std::vector<std::vector<std::string>> last_used_;  // by node: what nobody reads behind it
  std::vector<NodeLayers> layers_;                   // by node
  std::map<std::string, Shared, std::less<>> constants_;
  std::map<std::string, Shared, std::less<>> values_;
  Sums sums_;
};

}  // namespace stair::verification::onnx
