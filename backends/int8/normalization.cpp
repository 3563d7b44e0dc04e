#include "backends/int8/normalization.h"

#include <algorithm>
#include <vector>

#include "backends/batch_statistics.h"
#include "backends/int8/memory.h"
#include "backends/int8/parallel_for.h"
#include "backends/moments.h"
#include "backends/multiversion.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

// Moments and bounds of channels become those of more elements.
STAIR_MULTIVERSION void merge_channels(double* means, double* squares, float* lows, float* highs, double before, const double* more_means,
                                       const double* more_squares, const float* more_lows, const float* more_highs, double more,
                                       std::int64_t channels) {
  STAIR_SIMD
  for (std::int64_t c = 0; c < channels; ++c) {
    Moments moments{means[c], squares[c]};
    merge(moments, before, {more_means[c], more_squares[c]}, more);
    means[c] = moments.mean;
    squares[c] = moments.squares;
    lows[c] = more_lows[c] < lows[c] ? more_lows[c] : lows[c];
    highs[c] = more_highs[c] > highs[c] ? more_highs[c] : highs[c];
  }
}

float normalized(float x, const NormalizedChannel& channel) {
  return (x - channel.mean) * channel.scale + channel.shift;
}

STAIR_MULTIVERSION void normalize(const float* x, NormalizedChannel channel, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = (x[i] - channel.mean) * channel.scale + channel.shift;
}

}  // namespace

// Moments and bounds of rows, [image][channel].
struct Normalization::Rows {
  double* means;
  double* squares;
  float* lows;
  float* highs;

  Rows(std::byte* memory, std::int64_t rows)
      : means(reinterpret_cast<double*>(memory)),
        squares(means + rows),
        lows(reinterpret_cast<float*>(squares + rows)),
        highs(lows + rows) {}
  static std::size_t bytes(std::int64_t rows) { return static_cast<std::size_t>(rows) * 2 * (sizeof(double) + sizeof(float)); }
};

void Normalization::append(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId x, const std::function<bool(ir::NodeId)>& free,
                           std::vector<ir::NodeId>& nodes) {
  const ir::Type& type = graph.type(x);
  if (type.shape.size() != 4 || type.dtype != ir::DType::f32) return;
  std::vector<ir::NodeId> group = nodes;
  for (const ir::NodeId reader : uses.nodes[static_cast<std::size_t>(x)]) {
    if (graph.node(reader).op->name == "batch_norm" && free(reader)) group.push_back(reader);
  }
  if (group.size() != nodes.size() + 1) return;
  ir::ValueId y = graph.node(group.back()).results[0];
  const ir::NodeId* clamp = only_reader(uses, y, free);
  if (clamp != nullptr && clamp_of(graph.node(*clamp)) != nullptr) {
    group.push_back(*clamp);
    y = graph.node(*clamp).results[0];
  }
  if (Quantizer::append(graph, uses, y, free, group) && !uses.within(x, group)) nodes = group;
}

std::unique_ptr<Normalization> Normalization::among(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes) {
  for (const ir::NodeId node : nodes) {
    if (graph.node(node).op->name != "batch_norm") continue;
    const GroupArguments values(graph, nodes);
    return std::unique_ptr<Normalization>(new Normalization(kernels, graph, nodes, node, values));
  }
  return nullptr;
}

Normalization::Normalization(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, ir::NodeId batch_norm,
                             const GroupArguments& values)
    : batch_norm_(graph.node(batch_norm)), operands_(values.operands_of(batch_norm)), quantizer_(kernels, graph, nodes, values) {
  const ir::Shape& shape = graph.type(batch_norm_.operands[0]).shape;
  images_ = shape[0];
  channels_ = shape[1];
  pixels_ = shape[2] * shape[3];
  for (std::size_t i = 0; i < std::size(statistics_); ++i) statistics_[i] = values.result(batch_norm_.results[1 + i]);
  for (const ir::NodeId node : nodes) {
    if (clamp_of(graph.node(node)) != nullptr) clamp_ = clamp_of(graph.node(node));
    if (graph.node(node).op->name == "relu6") most_ = 6;
  }
}

std::size_t Normalization::scratch_bytes() const {
  return whole_lines(Rows::bytes(images_ * channels_));
}

void Normalization::see(const float* image, std::int64_t index, std::byte* scratch, int threads) const {
  const Rows rows(scratch, images_ * channels_);
  parallel_for(channels_, 1, elements_of_piece / pixels_, threads, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t c = first; c < last; ++c) {
      const std::int64_t row = index * channels_ + c;
      const float* x = image + c * pixels_;
      MinMax extent;
      const Moments moments = quantizer_.observes() ? moments_of(x, pixels_, extent) : moments_of(x, pixels_);
      rows.means[row] = moments.mean;
      rows.squares[row] = moments.squares;
      rows.lows[row] = extent.low;
      rows.highs[row] = extent.high;
    }
  });
}

void Normalization::run(const Arguments& a, std::byte* scratch) const {
  const Rows rows(scratch, images_ * channels_);
  const auto operand = [&](std::size_t i) { return a.operands[operands_ + i].as<float>(); };
  const auto n = static_cast<double>(images_ * pixels_);
  std::vector<NormalizedChannel> channels(static_cast<std::size_t>(channels_));
  for (std::int64_t image = 1; image < images_; ++image) {
    const std::int64_t row = image * channels_;
    merge_channels(rows.means, rows.squares, rows.lows, rows.highs, static_cast<double>(image * pixels_), rows.means + row,
                   rows.squares + row, rows.lows + row, rows.highs + row, static_cast<double>(pixels_), channels_);
  }
  const BatchStatistics statistics(batch_norm_, images_ * pixels_);
  MinMax seen;
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const auto mean = static_cast<float>(rows.means[c]);
    const auto variance = static_cast<float>(std::max(rows.squares[c] / n, 0.0));
    const BatchStatistics::Channel of = statistics.of(mean, variance, operand(3)[c], operand(4)[c]);
    const float results[] = {of.new_mean, of.new_var, mean, of.inv_std};
    for (std::size_t i = 0; i < std::size(results); ++i) {
      if (statistics_[i]) a.results[*statistics_[i]].as<float>()[c] = results[i];
    }
    channels[c] = {mean, operand(1)[c] * of.inv_std, operand(2)[c]};
    float ends[] = {normalized(rows.lows[c], channels[c]), normalized(rows.highs[c], channels[c])};
    if (clamp_ != nullptr) clamp_(ends, 0.0F, ends, std::ssize(ends));
    seen.see(ends, std::ssize(ends));
  }
  const Quantizer::Parameters parameters = quantizer_.parameters(a, seen);
  const float* x = a.results[0].as<float>();
  if (quantizer_.takes_rows(pixels_)) {
    parallel_for(images_ * channels_, 1, elements_of_piece / pixels_, a.threads, [&](std::int64_t first, std::int64_t last) {
      const std::int64_t element = first * pixels_;
      quantizer_.quantize(a, parameters,
                          {x + element, last - first, pixels_, channels.data(), channels_, first % channels_, clamp_ != nullptr, most_},
                          element);
    });
    return;
  }
  for_elements(a.results[0].count(), a.threads, [&](std::int64_t begin, std::int64_t end) {
    float y[part];
    for (std::int64_t first = begin; first < end; first += part) {
      const std::int64_t count = std::min(part, end - first);
      for (std::int64_t i = 0; i < count;) {
        const std::int64_t row = (first + i) / pixels_;
        const std::int64_t some = std::min(count - i, (row + 1) * pixels_ - first - i);
        normalize(x + first + i, channels[static_cast<std::size_t>(row % channels_)], y + i, some);
        i += some;
      }
      if (clamp_ != nullptr) clamp_(y, 0.0F, y, count);
      quantizer_.quantize(a, parameters, y, first, count);
    }
  });
}

}  // namespace stair::backends::int8
