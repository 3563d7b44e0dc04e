#include "frontend/bench/benchmark_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace stair::bench {
namespace {

double images_per_s(const Subject& subject, const Benchmark& benchmark) {
  return 1e3 * static_cast<double>(subject.batch) / benchmark.latency.median_ms;
}

double gop_per_s(const Benchmark& benchmark) {
  return benchmark.operations / (1e6 * benchmark.latency.median_ms);
}

double together_ms(const Benchmark& benchmark) {
  double sum = 0;
  for (const StepTime& step : benchmark.steps) sum += step.median_ms;
  return sum;
}

const char* elements_name(runtime::PeakLoop::Elements elements) {
  return elements == runtime::PeakLoop::Elements::float32 ? "float32" : "int8";
}

// "avx512_vnni (int8, vpdpbusd)"
std::string to_string(const runtime::Peak& peak) {
  return fmt::format("{} ({}, {})", peak.isa, elements_name(peak.elements), peak.instruction);
}

using Row = std::vector<std::string>;

// Columns as wide as what is in them; numbers to the right, the last column as it is.
std::string table(const std::vector<Row>& rows, std::size_t first_number, std::size_t numbers) {
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t column = 0; column + 1 < row.size(); ++column) {
      std::size_t width = 0;
      for (const Row& other : rows) width = std::max(width, other[column].size());
      const bool number = column >= first_number && column < first_number + numbers;
      text += number ? fmt::format("{:>{}}  ", row[column], width) : fmt::format("{:<{}}  ", row[column], width);
    }
    text += row.back();
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

Row row_of(const StepTime& step, const Benchmark& benchmark, double together) {
  const bool multiplies = step.operations > 0;
  return {step.assignment.node,
          step.assignment.op,
          step.assignment.backend,
          step.assignment.kernel,
          step.assignment.isa,
          fmt::format("{:.4f}", step.median_ms),
          fmt::format("{:.1f}", 100 * step.median_ms / together),
          multiplies ? fmt::format("{:.1f}", step.gop_per_s()) : "",
          multiplies && step.peak ? fmt::format("{:.1f}", 100 * step.gop_per_s() / step.peak->gop_per_s) : "",
          fmt::format("{:.3f}", 1e-6 * step.bytes),
          fmt::format("{:.1f}", step.gb_per_s()),
          fmt::format("{:.0f}", 100 * step.gb_per_s() / benchmark.memory_gb_per_s),
          fmt::format("{}", fmt::join(step.assignment.declined, "; "))};
}

// "int8: amx 6512, avx512_vnni 898, avx2 171, scalar 8", fastest first.
std::string peaks_of(const Benchmark& benchmark, runtime::PeakLoop::Elements elements) {
  std::vector<std::string> entries;
  for (auto peak = benchmark.peaks.rbegin(); peak != benchmark.peaks.rend(); ++peak) {
    if (peak->elements == elements) entries.push_back(fmt::format("{} {:.0f}", peak->isa, peak->gop_per_s));
  }
  return fmt::format("{}: {}", elements_name(elements), fmt::join(entries, ", "));
}

ir::Json to_json(const runtime::Peak& peak) {
  return {{"isa", peak.isa}, {"elements", elements_name(peak.elements)}, {"instruction", peak.instruction}, {"gop_per_s", peak.gop_per_s}};
}

ir::Json to_json(const StepTime& step, double together) {
  const bool multiplies = step.operations > 0;
  return {{"node", step.assignment.node},
          {"op", step.assignment.op},
          {"backend", step.assignment.backend},
          {"kernel", step.assignment.kernel},
          {"isa", step.assignment.isa.empty() ? ir::Json() : ir::Json(step.assignment.isa)},
          {"median_ms", step.median_ms},
          {"share", step.median_ms / together},
          {"operations", step.operations},
          {"gop_per_s", multiplies ? ir::Json(step.gop_per_s()) : ir::Json()},
          {"bytes", step.bytes},
          {"gb_per_s", step.gb_per_s()},
          {"peak_fraction", multiplies && step.peak ? ir::Json(step.gop_per_s() / step.peak->gop_per_s) : ir::Json()},
          {"declined", step.assignment.declined}};
}

}  // namespace

std::string benchmark_report(const Subject& subject, const BenchmarkOptions& options, const Benchmark& benchmark) {
  const runtime::Latency& latency = benchmark.latency;
  std::string text = fmt::format("{}: {} ({}), batch {}, {} thread{}\n", subject.name, subject.recipe.empty() ? "float" : "quantized",
                                 subject.note, subject.batch, options.compile.threads, options.compile.threads == 1 ? "" : "s");
  text += fmt::format("latency     median {:.4f} ms, p90 {:.4f} ms, min {:.4f} ms, {} runs\n", latency.median_ms, latency.p90_ms,
                      latency.min_ms, latency.runs);
  text += fmt::format("throughput  {:.1f} images/s, {:.2f} GOP/s", images_per_s(subject, benchmark), gop_per_s(benchmark));
  if (benchmark.peak) text += fmt::format(", {:.1f} % of the peak of {}", 100 * benchmark.peak_fraction, to_string(*benchmark.peak));
  text += fmt::format("\nmemory      arena {} bytes, {} {} bytes", benchmark.arena_bytes, subject.trains ? "states" : "weights",
                      benchmark.state_bytes);
  if (benchmark.packed_bytes != 0) text += fmt::format(" (packed by kernels: {})", benchmark.packed_bytes);
  text += fmt::format(", {:.0f} MiB at most in the process\n", benchmark.peak_rss_mib);
  text +=
      fmt::format("peaks       GOP/s on registers, {}; {}; memory {:.1f} GB/s\n\n", peaks_of(benchmark, runtime::PeakLoop::Elements::int8),
                  peaks_of(benchmark, runtime::PeakLoop::Elements::float32), benchmark.memory_gb_per_s);
  const double together = together_ms(benchmark);
  std::vector<Row> rows{
      {"node", "op", "backend", "kernel", "isa", "ms", "% time", "GOP/s", "% peak", "MB", "GB/s", "% memory", "declined by"}};
  for (const StepTime& step : benchmark.steps) rows.push_back(row_of(step, benchmark, together));
  rows.push_back({"together", "", "", "", "", fmt::format("{:.4f}", together), "", "", "", "", "", "", ""});
  return text + table(rows, 5, 7);
}

ir::Json benchmark_json(const Subject& subject, const BenchmarkOptions& options, const Benchmark& benchmark) {
  ir::Json peaks = ir::Json::array();
  for (const runtime::Peak& peak : benchmark.peaks) peaks.push_back(to_json(peak));
  ir::Json nodes = ir::Json::array();
  const double together = together_ms(benchmark);
  for (const StepTime& step : benchmark.steps) nodes.push_back(to_json(step, together));
  ir::Json json{{"name", subject.name},
                {"recipe", subject.recipe.empty() ? ir::Json() : ir::parse_json(subject.recipe, subject.name + " (recipe)")},
                {"note", subject.note},
                {"batch", subject.batch},
                {"threads", options.compile.threads},
                {"runs", benchmark.latency.runs},
                {"median_ms", benchmark.latency.median_ms},
                {"p90_ms", benchmark.latency.p90_ms},
                {"p99_ms", benchmark.latency.p99_ms},
                {"min_ms", benchmark.latency.min_ms},
                {"images_per_s", images_per_s(subject, benchmark)},
                {"operations", benchmark.operations},
                {"gop_per_s", gop_per_s(benchmark)},
                {"isa", benchmark.peak ? ir::Json(benchmark.peak->isa) : ir::Json()},
                {"peak_fraction", benchmark.peak ? ir::Json(benchmark.peak_fraction) : ir::Json()},
                {"peaks", peaks},
                {"memory_gb_per_s", benchmark.memory_gb_per_s},
                {"peak_rss_mib", benchmark.peak_rss_mib},
                {"arena_bytes", benchmark.arena_bytes},
                {"weights_bytes", benchmark.state_bytes},
                {"packed_bytes", benchmark.packed_bytes},
                {"nodes", nodes}};
  if (subject.trains) {
    json["mode"] = subject.recipe.empty() ? "float" : "qat";
    json["step_ms"] = benchmark.latency.median_ms;
  }
  return json;
}

}  // namespace stair::bench
