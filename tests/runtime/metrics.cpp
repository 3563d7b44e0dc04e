#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "runtime/metric.h"
#include "runtime/tensor.h"
#include "tests/support/seeds.h"

using namespace stair;

namespace {

// The share of the rows whose label comes among the first `most` classes, sorted by their outputs.
double share_by_sorting(const std::vector<float>& outputs, const std::vector<std::int32_t>& labels, std::int64_t most) {
  const auto classes = static_cast<std::int64_t>(outputs.size() / labels.size());
  double hits = 0;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(classes));
    std::iota(order.begin(), order.end(), 0);
    const float* of_row = outputs.data() + static_cast<std::ptrdiff_t>(row) * classes;
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return of_row[a] > of_row[b]; });
    const auto first = order.begin();
    hits += std::find(first, first + std::min(most, classes), labels[row]) != first + std::min(most, classes) ? 1 : 0;
  }
  return hits / static_cast<double>(labels.size());
}

}  // namespace

TEST_CASE("metrics are those of their definition, and the counts of parts add up to those of the whole") {
  for (const std::uint64_t seed : tests::seeds(100)) {
    INFO(tests::replay(seed));
    std::mt19937_64 random(seed);
    const auto pick = [&](std::int64_t most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
    const std::int64_t rows = 1 + pick(30);
    const std::int64_t classes = 1 + pick(12);
    const ir::DType dtype = std::vector{ir::DType::f32, ir::DType::s8, ir::DType::u8}[static_cast<std::size_t>(pick(2))];
    const runtime::Tensor tensor({dtype, {rows, classes}});
    std::vector<float> outputs;
    for (std::int64_t i = 0; i < rows * classes; ++i) {  // few values, so that many are equal
      const std::int64_t value = pick(9);
      outputs.push_back(static_cast<float>(value));
      if (dtype == ir::DType::f32) tensor.as<float>()[i] = static_cast<float>(value);
      if (dtype == ir::DType::s8) tensor.as<std::int8_t>()[i] = static_cast<std::int8_t>(value);
      if (dtype == ir::DType::u8) tensor.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(value);
    }
    std::vector<std::int32_t> labels;
    for (std::int64_t i = 0; i < rows; ++i) labels.push_back(static_cast<std::int32_t>(pick(classes - 1)));

    for (const auto& kind : runtime::metrics().all()) {
      const runtime::Metric& metric = kind.second;
      CAPTURE(metric.name);
      runtime::Counts whole(metric.counts);
      metric.add(tensor.view(), labels.data(), rows, whole);
      const std::int64_t cut = pick(rows);
      const auto size = static_cast<std::ptrdiff_t>(ir::size_of(dtype));
      const ir::TensorView rest{{dtype, {rows - cut, classes}}, tensor.as<std::byte>() + cut * classes * size};
      runtime::Counts parts(metric.counts);
      metric.add(rest, labels.data() + cut, rows - cut, parts);
      metric.add(tensor.view(), labels.data(), cut, parts);
      CHECK(parts == whole);
      const double value = metric.finish(whole);
      if (metric.name == "accuracy") CHECK(value == share_by_sorting(outputs, labels, 1));
      if (metric.name == "top_5") CHECK(value == share_by_sorting(outputs, labels, 5));
    }
  }
}
