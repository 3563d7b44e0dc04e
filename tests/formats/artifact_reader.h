#pragma once

// A reader of artifacts that was written from the pages docs/format-artifact.md, format-checkpoint.md (the container), format-sir.md and
// deployed-ops.md alone. It is the judge of those pages and of the program, so it includes nothing of the project. Slow and short.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace reader {

using Shape = std::vector<std::int64_t>;

/// Elements of every type are kept as doubles, which hold each of them exactly.
struct Tensor {
  std::string element;  ///< "f32", "s8", "u8", "i32"
  Shape shape;
  std::vector<double> values;

  Tensor() = default;
  Tensor(std::string type, Shape dimensions);
  /// The element at that index.
  double& at(const Shape& index);
  double at(const Shape& index) const;
};

std::int64_t count(const Shape& shape);

/// An attribute: true, false or a string as text; a number or a list as numbers.
struct Literal {
  std::string text;
  std::vector<double> numbers;
};

struct Node {
  std::string op;
  std::vector<std::string> results;
  std::vector<std::string> operands;  ///< "" for an absent one
  std::map<std::string, Literal> attributes;
};

struct Artifact {
  std::map<std::string, std::string> metadata;
  std::vector<std::string> inputs;             ///< names of values
  std::map<std::string, std::string> outputs;  ///< and of the values that they are
  std::map<std::string, Tensor> constants;
  std::vector<Node> nodes;
};

/// std::runtime_error for what isn't an artifact of version 1 or 2.
Artifact read_artifact(const std::string& bytes);

/// Pictures of bytes as that input of the graph: format-artifact.md, "Inputs".
Tensor normalized(const Artifact& artifact, const std::string& input, const Tensor& pictures);

/// Called with results whose last bits aren't laid down (sums of floats, exp, tanh, erf); what it gives back is what the nodes behind read.
using Settle = std::function<Tensor(const std::string& value, const Tensor& computed)>;

/// Every value of the graph by its name, for any batch.
std::map<std::string, Tensor> evaluate(const Artifact& artifact, const std::map<std::string, Tensor>& inputs, const Settle& settle);

/// The ops that evaluate() knows.
std::set<std::string> known_ops();

}  // namespace reader
