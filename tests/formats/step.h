#pragma once

// What the evaluator's ops share: deployed-ops.md, "How to read the signatures".

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "tests/formats/artifact_reader.h"

namespace reader {

inline float real(double x) {
  return static_cast<float>(x);
}
inline std::int64_t whole(double x) {
  return static_cast<std::int64_t>(x);
}

/// A node with its operands at hand.
class Step {
 public:
  Step(const Node& node, const std::map<std::string, Tensor>& values) : node_(node), values_(values) {}

  bool has(std::size_t i) const { return i < node_.operands.size() && !node_.operands[i].empty(); }
  const Tensor& operator[](std::size_t i) const { return values_.at(node_.operands.at(i)); }
  std::size_t operands() const { return node_.operands.size(); }
  const std::string& op() const { return node_.op; }
  std::int64_t scalar(std::size_t i) const { return whole((*this)[i].values.at(0)); }
  float real_scalar(std::size_t i) const { return real((*this)[i].values.at(0)); }

  double number(const char* key, double fallback) const { return has_attribute(key) ? attribute(key).numbers.at(0) : fallback; }
  double number(const char* key) const { return attribute(key).numbers.at(0); }
  std::string text(const char* key, const char* fallback) const { return has_attribute(key) ? attribute(key).text : fallback; }
  bool flag(const char* key) const { return text(key, "false") == "true"; }
  Shape list(const char* key, const Shape& fallback) const { return has_attribute(key) ? list(key) : fallback; }
  Shape list(const char* key) const {
    Shape items;
    for (const double item : attribute(key).numbers) items.push_back(whole(item));
    return items;
  }
  /// The attribute as an axis of a tensor of that rank.
  std::size_t axis(double axis, std::size_t rank) const {
    return static_cast<std::size_t>(axis < 0 ? axis + static_cast<double>(rank) : axis);
  }
  std::set<std::size_t> axes(std::size_t rank) const {
    std::set<std::size_t> all;
    for (const std::int64_t item : list("axes")) all.insert(axis(static_cast<double>(item), rank));
    return all;
  }

 private:
  bool has_attribute(const char* key) const { return node_.attributes.count(key) != 0; }
  const Literal& attribute(const char* key) const { return node_.attributes.at(key); }

  const Node& node_;
  const std::map<std::string, Tensor>& values_;
};

/// Calls body(index) for each index of the shape, row-major.
template <class Body>
void each(const Shape& shape, Body&& body) {
  Shape index(shape.size(), 0);
  for (std::int64_t left = count(shape); left > 0; --left) {
    body(index);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

// ---- How to read the signatures ----------------------------------------------------------------------------------------

/// "[1] or [C]"
inline double of_channel(const Tensor& parameter, const Shape& index, std::size_t axis) {
  return parameter.values.size() == 1 ? parameter.values[0] : parameter.values.at(static_cast<std::size_t>(index.at(axis)));
}

inline Shape broadcast(const Shape& a, const Shape& b) {
  Shape y(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 1; i <= y.size(); ++i) {
    const std::int64_t da = i <= a.size() ? a[a.size() - i] : 1;
    const std::int64_t db = i <= b.size() ? b[b.size() - i] : 1;
    if (da != db && da != 1 && db != 1) throw std::runtime_error("shapes that don't broadcast");
    y[y.size() - i] = da == 1 ? db : da;
  }
  return y;
}
/// The index into an operand of that shape, of the index into the result.
inline Shape within(const Shape& shape, const Shape& index) {
  Shape at(shape.size());
  for (std::size_t i = 1; i <= shape.size(); ++i) at[shape.size() - i] = shape[shape.size() - i] == 1 ? 0 : index[index.size() - i];
  return at;
}

constexpr std::int64_t int32_low = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t int32_high = std::numeric_limits<std::int32_t>::max();
inline double sum32(std::int64_t sum) {
  if (sum < int32_low || sum > int32_high) throw std::runtime_error("a sum that leaves int32");
  return static_cast<double>(sum);
}

/// body(a, b) for each pair of broadcast elements.
template <class Body>
Tensor pairs(Tensor y, const Step& s, Body&& body) {
  each(y.shape, [&](const Shape& i) { y.at(i) = body(s[0].at(within(s[0].shape, i)), s[1].at(within(s[1].shape, i))); });
  return y;
}
inline float combined(const std::string& function, float a, float b) {
  return function == "add" ? a + b : function == "sub" ? a - b : function == "div" ? a / b : a * b;
}

using Results = std::vector<Tensor>;

struct Op {
  std::function<Results(const Step&)> run;
  bool settled = true;  ///< false: the last bits aren't laid down
};
using Ops = std::map<std::string, Op>;

inline Op one(Tensor (*function)(const Step&), bool settled = true) {
  return {[function](const Step& s) -> Results { return {function(s)}; }, settled};
}

// The page's sections.
void quantizing_ops(Ops& ops);
void summing_ops(Ops& ops);
void moving_ops(Ops& ops);
void float_ops(Ops& ops);

}  // namespace reader
