// Times themselves are measured, never asserted; what is asserted is what they are of.

#include "runtime/timing.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "frontend/compile.h"
#include "runtime/peak.h"
#include "tests/support/model_builder.h"

using namespace stair;

namespace {

struct Measured {
  runtime::Tensors states;
  runtime::Executor executor = frontend::compile(tests::small_lenet(1), passes::float_evaluation(), 1, states, frontend::CompileOptions{});
  runtime::Tensor input{executor.graph().type(executor.graph().inputs().front())};
  std::vector<ir::TensorView> inputs{input.view()};
};

}  // namespace

TEST_CASE("latency is that of as many runs as were asked for, and its quantiles are in order") {
  Measured measured;
  const runtime::Latency latency = runtime::measure_latency(measured.executor, measured.inputs, {60, 7});
  CHECK(latency.runs == 7);
  CHECK(latency.min_ms > 0);
  CHECK(latency.min_ms <= latency.median_ms);
  CHECK(latency.median_ms <= latency.p90_ms);
  CHECK(latency.p90_ms <= latency.p99_ms);
  CHECK(runtime::measure_latency(measured.executor, measured.inputs, {1e-9, 0}).runs == 3);
}

TEST_CASE("each step has a time, and nothing watches the executor afterwards") {
  Measured measured;
  const std::vector<double> steps = runtime::measure_steps(measured.executor, measured.inputs, {60, 3});
  CHECK(steps.size() == measured.executor.assignments().size());
  for (const double ms : steps) CHECK(ms >= 0);
  CHECK(*std::max_element(steps.begin(), steps.end()) > 0);
  measured.executor.run(measured.inputs);  // a hook that is still set would write behind its table
}

TEST_CASE("the machine's peaks are those that the processor has, slowest first") {
  const std::vector<runtime::Peak> peaks = runtime::measure_peaks(2);
  const auto has = [&](std::string_view isa, runtime::PeakLoop::Elements elements) {
    return std::any_of(peaks.begin(), peaks.end(), [&](const runtime::Peak& p) { return p.isa == isa && p.elements == elements; });
  };
  CHECK(has("scalar", runtime::PeakLoop::Elements::int8));
  const bool floats =
      std::any_of(peaks.begin(), peaks.end(), [](const runtime::Peak& p) { return p.elements == runtime::PeakLoop::Elements::float32; });
  CHECK(floats);
#if defined(__x86_64__)
  CHECK(has("avx2", runtime::PeakLoop::Elements::int8) == (__builtin_cpu_supports("avx2") != 0));
  CHECK(has("avx2", runtime::PeakLoop::Elements::float32) == (__builtin_cpu_supports("avx2") != 0));
  CHECK(has("avx512", runtime::PeakLoop::Elements::float32) == (__builtin_cpu_supports("avx512f") != 0));
  CHECK(has("avx512_vnni", runtime::PeakLoop::Elements::int8) == (__builtin_cpu_supports("avx512vnni") != 0));
#endif
  for (std::size_t i = 0; i < peaks.size(); ++i) {
    CHECK(peaks[i].gop_per_s > 0);
    if (i > 0) CHECK(peaks[i - 1].gop_per_s <= peaks[i].gop_per_s);
  }
}
