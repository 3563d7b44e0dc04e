#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "frontend/verification/exact_integers.h"
#include "frontend/verification/judge_constants.h"
#include "ir/error.h"

// N-HISTOGRAM: ranges of what was seen, by percentiles or by the least squared error.

namespace stair::verification::judges {
namespace {

// That holds something: its edges, and its share of what was seen.
struct Bin {
  double low, high, share;
};

// Of the histogram that the node reads, a state, in order.
std::vector<Bin> bins_of(const Constants& all, const ir::Node& node) {
  constexpr int octaves = 64;
  constexpr int steps = 32;  // of an octave
  const runtime::Tensor* histogram = all.state(node.operands[0]);
  if (histogram == nullptr || histogram->count() != 2 * octaves * steps + 1) throw InternalError("'" + node.name + "' reads no histogram");
  std::vector<Bin> bins;
  for (int at = -octaves * steps; at <= octaves * steps; ++at) {
    const auto share = static_cast<double>(histogram->as<float>()[at + octaves * steps]);
    if (!(share > 0)) continue;
    const int n = std::abs(at) - 1;
    const auto edge = [&](int step) { return std::ldexp(steps + n % steps + step, n / steps - 40 - 5); };
    if (at == 0) {
      bins.push_back({0, 0, share});
    } else if (at > 0) {
      bins.push_back({edge(0), edge(1), share});
    } else {
      bins.push_back({-edge(1), -edge(0), share});
    }
  }
  if (bins.empty()) throw Error("the histogram of '" + node.name + "' has seen no data");
  return bins;
}

// Where so much of what was seen lies below, and how far that is off by `blur` of it.
JudgedRange below(const std::vector<Bin>& bins, double left_out, double blur) {
  for (const Bin& bin : bins) {
    const double width = bin.high - bin.low;
    if (bin.share > left_out) return {bin.low + width * left_out / bin.share, 0, std::min(width, width * blur / bin.share)};
    left_out -= bin.share;
  }
  return {bins.back().high, 0, 0};
}

JudgedRanges percentile_ranges(const Constants& all, const ir::Node& node) {
  std::vector<Bin> bins = bins_of(all, node);
  double sum = 0;
  for (const Bin& bin : bins) sum += bin.share;
  const double left_out = (100 - node.attributes.number("percentile")) / 100 * sum;
  const double blur = 0x1p-40 * sum;  // what sums of 4097 numbers of binary64 may be off
  // Behind a gap the end may be on either side of it.
  const auto ends = [&] {
    return std::vector<JudgedRange>{below(bins, std::max(left_out - blur, 0.0), 2 * blur), below(bins, left_out + blur, 2 * blur)};
  };
  const std::vector<JudgedRange> lows = ends();
  std::reverse(bins.begin(), bins.end());
  for (Bin& bin : bins) bin = {-bin.high, -bin.low, bin.share};
  std::vector<JudgedRange> made;
  for (const JudgedRange& high : ends()) {
    for (const JudgedRange& low : lows) {
      const double rounding = float_unit * std::max(std::abs(low.low), std::abs(high.low));
      made.push_back({low.low, -high.low, std::max(low.error, high.error) + rounding});
    }
  }
  return {made};
}

// A candidate is judged by its quantizer.
struct Quantizer {
  double lo, hi;
  bool symmetric;

  // Of each bin's middle. Where the zero point is at a tie, it may be either: the least and the most.
  std::pair<double, double> error(const std::vector<Bin>& bins, double low, double high) const {
    low = std::min(low, 0.0);
    high = std::max(high, 0.0);
    double s = symmetric ? std::max(-low, high) / hi : (high - low) / (hi - lo);
    if (!(s >= 0x1p-126)) s = 1;
    if (symmetric) return {squared(bins, s, 0), squared(bins, s, 0)};
    const double zero = lo - low / s;
    const double one = squared(bins, s, static_cast<double>(exact::nearest(zero - 0x1p-30, lo, hi)));
    const double other = squared(bins, s, static_cast<double>(exact::nearest(zero + 0x1p-30, lo, hi)));
    return std::minmax(one, other);
  }

 private:
  double squared(const std::vector<Bin>& bins, double s, double zero) const {
    double sum = 0;
    for (const Bin& bin : bins) {
      const double x = (bin.low + bin.high) / 2;
      const double off = x - static_cast<double>(exact::nearest(x / s, lo - zero, hi - zero)) * s;
      sum += bin.share * off * off;
    }
    return sum;
  }
};

JudgedRanges mse_ranges(const Constants& all, const ir::Node& node) {
  constexpr int parts = 100;
  const std::vector<Bin> bins = bins_of(all, node);
  const Quantizer quantizer{static_cast<double>(node.attributes.integer("lo")), static_cast<double>(node.attributes.integer("hi")),
                            node.attributes.boolean("symmetric")};
  const auto part = [&](int n) { return std::pair{n * bins.front().low / parts, n * bins.back().high / parts}; };
  double best = std::numeric_limits<double>::infinity();
  for (int n = 1; n <= parts; ++n) best = std::min(best, quantizer.error(bins, part(n).first, part(n).second).second);
  std::vector<JudgedRange> made;
  for (int n = parts; n > 0; --n) {
    const auto [low, high] = part(n);
    if (quantizer.error(bins, low, high).first > best * (1 + 0x1p-30)) continue;
    made.push_back({low, high, float_unit * std::max(std::abs(low), std::abs(high))});
  }
  return {made};
}

}  // namespace

void histogram(OpJudgeRegistry& registry) {
  registry.add({.name = "percentile_range", .ranges = percentile_ranges});
  registry.add({.name = "mse_range", .ranges = mse_ranges});
}

}  // namespace stair::verification::judges
