#pragma once

#include <cstdint>
#include <optional>

#include "ir/graph.h"

namespace stair::runtime {

/// The most that a graph may take at batch 1 where the user says nothing.
constexpr std::uint64_t usual_memory_limit = std::uint64_t{2} << 30;

/// What any graph of this process may take as it runs, at its batch; nothing: usual_memory_limit at batch 1 (a larger batch may take as
/// many times as much for what isn't a state), and no more than the machine has.
void limit_memory(std::optional<std::uint64_t> bytes);

/// Throws Error where the graph takes more than that: its states, its inputs, and `working` bytes of arena and scratch memory. To be asked
/// before any of them is allocated.
void check_memory(const ir::Graph& graph, std::uint64_t working);

/// Gigabytes a second that this machine moves at most between its memory and so many threads at once, measured: each reads one array and
/// writes another (both count), together 64 MiB a thread, for about 50 ms; the best run counts.
double measure_memory_speed(int threads);

/// The most memory that the process has had at once so far, in MiB.
double peak_rss_mib();

}  // namespace stair::runtime
