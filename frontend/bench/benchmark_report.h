#pragma once

#include <string>

#include "frontend/bench/benchmark.h"
#include "frontend/readers/json_file.h"

namespace stair::bench {

/// What was measured, for people: the whole, this machine's peaks, and a table of the steps.
std::string benchmark_report(const Subject& subject, const BenchmarkOptions& options, const Benchmark& benchmark);

/// The same for scripts. A share or speed that isn't known, or of what computes no products, is null.
ir::Json benchmark_json(const Subject& subject, const BenchmarkOptions& options, const Benchmark& benchmark);

}  // namespace stair::bench
