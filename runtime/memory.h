#pragma once

namespace stair::runtime {

/// Gigabytes a second that this machine moves at most between its memory and so many threads at once, measured: each reads one array and
/// writes another (both count), together 64 MiB a thread, for about 50 ms; the best run counts.
double measure_memory_speed(int threads);

/// The most memory that the process has had at once so far, in MiB.
double peak_rss_mib();

}  // namespace stair::runtime
