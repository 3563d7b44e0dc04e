#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include "runtime/metric.h"
#include "runtime/tensor.h"
#include "tests/support/seeds.h"

using namespace stair;

namespace {

using Rows = std::vector<std::vector<double>>;

// Outputs and labels of one label each, of a drawn shape, with what the definitions make of them.
struct Drawn {
  runtime::Measured all;
  runtime::Tensor outputs, targets, labels;
  Rows logits;                      // of each label, by class
  std::vector<std::int64_t> truth;  // classes
  runtime::Evaluated rows(std::int64_t first, std::int64_t count) const {
    const auto view = [&](const runtime::Tensor& tensor) {
      ir::TensorView part = tensor.view();
      part.data = tensor.as<std::byte>() + static_cast<std::size_t>(first) * tensor.bytes() / static_cast<std::size_t>(all.examples());
      part.type.shape.front() = all.examples() - first;
      return part;
    };
    return {view(outputs), view(targets), labels.as<std::int32_t>() + first, first, count};
  }
};

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : random_(seed) {}
  std::int64_t operator()(std::int64_t most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random_); }

 private:
  std::mt19937_64 random_;
};

void put(const runtime::Tensor& tensor, std::int64_t i, std::int64_t value) {
  ir::with_element_type(tensor.type().dtype, [&]<class T>(T) { tensor.as<T>()[i] = static_cast<T>(value); });
}

Drawn draw_classes(Draws& draws, std::int64_t classes, std::int64_t positions) {
  const std::int64_t examples = 1 + draws(30);
  const ir::DType dtype = std::vector{ir::DType::f32, ir::DType::s8, ir::DType::u8}[static_cast<std::size_t>(draws(2))];
  ir::Shape of_outputs{examples, classes};
  ir::Shape of_labels{examples};
  if (positions > 1) {
    of_outputs.push_back(positions);
    of_labels.push_back(positions);
  }
  Drawn drawn{{{dtype, of_outputs}, {ir::DType::i32, of_labels}},
              runtime::Tensor({dtype, of_outputs}),
              runtime::Tensor({ir::DType::i32, of_labels}),
              runtime::Tensor({ir::DType::i32, {examples}}),
              {},
              {}};
  for (std::int64_t n = 0; n < examples; ++n) {
    for (std::int64_t p = 0; p < positions; ++p) {
      drawn.logits.emplace_back();
      for (std::int64_t c = 0; c < classes; ++c) {  // few values, so that many are equal
        const std::int64_t value = draws(9);
        put(drawn.outputs, (n * classes + c) * positions + p, value);
        drawn.logits.back().push_back(static_cast<double>(value));
      }
      drawn.truth.push_back(draws(classes - 1));
      put(drawn.targets, n * positions + p, drawn.truth.back());
    }
  }
  return drawn;
}

Drawn draw_values(Draws& draws, std::int64_t width) {
  const std::int64_t examples = 1 + draws(30);
  const ir::Type type{ir::DType::f32, {examples, width}};
  Drawn drawn{{type, type, true}, runtime::Tensor(type), runtime::Tensor(type), runtime::Tensor({ir::DType::i32, {examples}}), {}, {}};
  for (std::int64_t i = 0; i < examples * width; ++i) {
    put(drawn.outputs, i, draws(9));
    put(drawn.targets, i, draws(1));
  }
  for (std::int64_t n = 0; n < examples; ++n) put(drawn.labels, n, draws(2));
  return drawn;
}

// In one part and in two; both agree.
runtime::Score score(const char* name, Drawn& drawn, Draws& draws, const ir::Attributes& options = {}) {
  const runtime::Metric& metric = *runtime::metrics().find(name);
  CAPTURE(metric.name);
  drawn.all.options = options;
  CHECK(metric.expects(drawn.all) == "");
  runtime::Counts whole(static_cast<std::size_t>(metric.counts(drawn.all)));
  runtime::Counts first = whole;
  runtime::Counts second = whole;
  const std::int64_t examples = drawn.all.examples();
  metric.add(drawn.all, drawn.rows(0, examples), whole);
  const std::int64_t cut = draws(examples - 1);
  metric.add(drawn.all, drawn.rows(cut, examples - cut), first);
  if (cut > 0) metric.add(drawn.all, drawn.rows(0, cut), second);
  for (std::size_t i = 0; i < whole.size(); ++i) first[i] += second[i];
  CHECK(first == whole);
  return metric.finish(drawn.all, whole);
}

// The share of the labels that come among the first `most` classes, sorted by their outputs.
double share_by_sorting(const Drawn& drawn, std::int64_t most) {
  double hits = 0;
  for (std::size_t i = 0; i < drawn.truth.size(); ++i) {
    const std::vector<double>& row = drawn.logits[i];
    std::vector<std::int64_t> order(row.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return row[static_cast<std::size_t>(a)] > row[static_cast<std::size_t>(b)]; });
    order.resize(std::min(order.size(), static_cast<std::size_t>(most)));
    hits += std::find(order.begin(), order.end(), drawn.truth[i]) != order.end() ? 1 : 0;
  }
  return hits / static_cast<double>(drawn.truth.size());
}

std::vector<std::int64_t> answers(const Drawn& drawn) {
  std::vector<std::int64_t> taken;
  for (const std::vector<double>& row : drawn.logits) taken.push_back(std::max_element(row.begin(), row.end()) - row.begin());
  return taken;
}

// By looking at every pair.
double area_of_pairs(const std::vector<double>& scores, const std::vector<bool>& positive) {
  double wins = 0, pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (!positive[i] || positive[j]) continue;
      ++pairs;
      wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  }
  return pairs == 0 ? 0.5 : wins / pairs;
}

}  // namespace

TEST_CASE("metrics of classes are those of their definition, and the counts of parts add up to those of the whole") {
  for (const std::uint64_t seed : tests::seeds(100)) {
    INFO(tests::replay(seed));
    Draws draws(seed);
    Drawn drawn = draw_classes(draws, 1 + draws(11), 1 + draws(1) * draws(4));
    CHECK(score("accuracy", drawn, draws).value == share_by_sorting(drawn, 1));
    CHECK(score("top_5", drawn, draws).value == share_by_sorting(drawn, 5));
    CHECK(score("top_k", drawn, draws, {{"k", std::int64_t{3}}}).value == share_by_sorting(drawn, 3));
    const std::vector<std::int64_t> taken = answers(drawn);
    const auto classes = static_cast<std::int64_t>(drawn.logits.front().size());
    Rows matrix(static_cast<std::size_t>(classes), std::vector<double>(static_cast<std::size_t>(classes)));
    std::map<std::int64_t, double> recall, intersection_over_union;
    for (std::size_t i = 0; i < taken.size(); ++i) ++matrix[static_cast<std::size_t>(drawn.truth[i])][static_cast<std::size_t>(taken[i])];
    for (std::int64_t c = 0; c < classes; ++c) {
      double labels = 0, outputs = 0, both = 0;
      for (std::size_t i = 0; i < taken.size(); ++i) {
        labels += drawn.truth[i] == c ? 1 : 0;
        outputs += taken[i] == c ? 1 : 0;
        both += drawn.truth[i] == c && taken[i] == c ? 1 : 0;
      }
      if (labels > 0) recall[c] = both / labels;
      if (labels + outputs > 0) intersection_over_union[c] = both / (labels + outputs - both);
    }
    const auto mean = [](const std::map<std::int64_t, double>& values) {
      double sum = 0;
      for (const auto& [c, value] : values) sum += value;
      return sum / static_cast<double>(values.size());
    };
    const runtime::Score confusion = score("confusion", drawn, draws);
    CHECK(confusion.value == doctest::Approx(mean(recall)));
    CHECK(confusion.tables[0].rows == matrix);
    for (const auto& [c, value] : recall) CHECK(confusion.tables[2].rows[0][static_cast<std::size_t>(c)] == value);
    CHECK(score("iou", drawn, draws).value == doctest::Approx(mean(intersection_over_union)));
  }
}

TEST_CASE("areas under the curve count pairs, whatever says who is positive") {
  for (const std::uint64_t seed : tests::seeds(100)) {
    INFO(tests::replay(seed));
    Draws draws(seed);
    Drawn two = draw_classes(draws, 2, 1);
    std::vector<double> scores;
    std::vector<bool> positive;
    for (std::size_t i = 0; i < two.truth.size(); ++i) {
      scores.push_back(two.logits[i][1] - two.logits[i][0]);
      positive.push_back(two.truth[i] == 1);
    }
    CHECK(score("auc", two, draws).value == doctest::Approx(area_of_pairs(scores, positive)));

    Drawn one = draw_values(draws, 1);
    scores.assign(one.outputs.as<float>(), one.outputs.as<float>() + one.all.examples());
    positive.clear();
    for (std::int64_t i = 0; i < one.all.examples(); ++i) positive.push_back(one.targets.as<float>()[i] == 1);
    CHECK(score("auc", one, draws).value == doctest::Approx(area_of_pairs(scores, positive)));

    Drawn odd = draw_values(draws, 3);
    scores.assign(static_cast<std::size_t>(odd.all.examples()), 0);
    positive.clear();
    for (std::int64_t i = 0; i < odd.all.examples(); ++i) {
      for (std::int64_t k = 3 * i; k < 3 * i + 3; ++k)
        scores[static_cast<std::size_t>(i)] += std::pow(odd.outputs.as<float>()[k] - odd.targets.as<float>()[k], 2);
      positive.push_back(odd.labels.as<std::int32_t>()[i] == 1);
    }
    const ir::Attributes normal{{"normal", std::vector<std::int64_t>{0, 2}}};
    CHECK(score("anomaly_auc", odd, draws, normal).value == doctest::Approx(area_of_pairs(scores, positive)));
  }
}

TEST_CASE("errors of values are means over all elements") {
  for (const std::uint64_t seed : tests::seeds(50)) {
    INFO(tests::replay(seed));
    Draws draws(seed);
    Drawn drawn = draw_values(draws, 1 + draws(5));
    double absolute = 0, square = 0;
    for (std::int64_t i = 0; i < drawn.outputs.count(); ++i) {
      const double d = static_cast<double>(drawn.outputs.as<float>()[i]) - static_cast<double>(drawn.targets.as<float>()[i]);
      absolute += std::abs(d);
      square += d * d;
    }
    const auto count = static_cast<double>(drawn.outputs.count());
    CHECK(score("mae", drawn, draws).value == doctest::Approx(absolute / count));
    CHECK(score("rmse", drawn, draws).value == doctest::Approx(std::sqrt(square / count)));
  }
}

TEST_CASE("a metric says what it can't measure") {
  const runtime::Measured classes{{ir::DType::f32, {4, 3}}, {ir::DType::i32, {4}}};
  const runtime::Measured values{{ir::DType::f32, {4, 3}}, {ir::DType::f32, {4, 3}}};
  const auto expects = [](const char* name, const runtime::Measured& all) { return runtime::metrics().find(name)->expects(all); };
  for (const char* name : {"accuracy", "top_k", "confusion", "iou"}) {
    CHECK(expects(name, classes) == "");
    CHECK(expects(name, values) == "classes");
  }
  for (const char* name : {"mae", "rmse"}) {
    CHECK(expects(name, values) == "");
    CHECK(expects(name, classes) == "float targets");
  }
  CHECK(expects("auc", classes) == "two classes, or one output");
  CHECK(expects("auc", values) == "two classes, or one output");
  CHECK(expects("anomaly_auc", values) == "the input as the target");
  CHECK(runtime::metrics().find("accuracy")->shown(0.125) == "12.50 %");
  CHECK(runtime::metrics().find("rmse")->shown(0.12345) == "0.12345");
}
