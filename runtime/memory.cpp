#include "runtime/memory.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "ir/error.h"
#include "runtime/clock.h"
#include "runtime/sum_over_threads.h"

namespace stair::runtime {
namespace {

std::optional<std::uint64_t>& asked_limit() {
  static std::optional<std::uint64_t> bytes;
  return bytes;
}

std::uint64_t machine_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Sizes of values are below 2^43 (ir/graph.cpp); sums of many, or what a plug-in says, may be anything.
std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
  return a > ~std::uint64_t{0} - b ? ~std::uint64_t{0} : a + b;
}

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  if (bytes < 1024 * 1024) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

}  // namespace

void limit_memory(std::optional<std::uint64_t> bytes) {
  asked_limit() = bytes;
}

void check_memory(const ir::Graph& graph, std::uint64_t working) {
  std::uint64_t states = 0;
  for (const ir::State& state : graph.states()) states = saturating_sum(states, ir::byte_count(graph.type(state.value)));
  for (const ir::ValueId input : graph.inputs()) working = saturating_sum(working, ir::byte_count(graph.type(input)));
  const auto fail = [&](std::uint64_t takes, const std::string& at, std::uint64_t most, const char* whose) {
    const bool alike = size_text(takes) == size_text(most);  // to the digits that are shown
    const auto text = [&](std::uint64_t bytes) { return alike ? fmt::format("{} bytes", bytes) : size_text(bytes); };
    throw Error(fmt::format("graph '{}' takes {}{} (states {}), expected at most {}{}; --memory SIZE allows more", graph.name, text(takes),
                            at, size_text(states), text(most), whose));
  };
  const std::uint64_t whole = saturating_sum(states, working);
  if (asked_limit()) {
    if (whole > *asked_limit()) fail(whole, "", *asked_limit(), "");
    return;
  }
  const auto batch = static_cast<std::uint64_t>(std::max<std::int64_t>(graph.batch(), 1));
  const std::uint64_t single = saturating_sum(states, working / batch);
  if (single > usual_memory_limit) fail(single, batch > 1 ? " for each example of its batch" : "", usual_memory_limit, "");
  if (whole > machine_memory()) fail(whole, fmt::format(" at a batch of {}", batch), machine_memory(), ", which is all this machine has");
}

double measure_memory_speed(int threads) {
  constexpr std::size_t floats = 8 * 1024 * 1024;  // 32 MiB an array: beyond the second-level cache
  return sum_over_threads(threads, [] {
    std::vector<float> from(floats, 1.0F);
    std::vector<float> to(floats, 0.0F);
    const Clock::time_point begin = Clock::now();
    double best = 0;
    do {
      const Clock::time_point start = Clock::now();
      std::copy(from.begin(), from.end(), to.begin());
      best = std::max(best, 2e-9 * static_cast<double>(floats * sizeof(float)) / seconds_since(start));
      from[0] += to[floats - 1];
    } while (seconds_since(begin) < 0.05);
    return best;
  });
}

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace stair::runtime
