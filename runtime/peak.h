#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stair::runtime {

/// A loop of multiply-accumulates on registers alone: what one core of this machine can do at most with an instruction set. One file of
/// runtime/peak states those of an instruction set. Only the loop itself is compiled for that set (by its target attribute), and it runs
/// only where `supported` holds.
struct PeakLoop {
  enum class Elements : std::uint8_t { float32, int8 };
  const char* isa;          ///< "avx512_vnni", by the names of the int8 backend's variants
  const char* instruction;  ///< "vpdpbusd"
  Elements elements;
  bool (*supported)();
  /// Runs the loop so many times; returns the multiply-accumulates done.
  std::int64_t (*run)(std::int64_t times);
};

class PeakRegistry {
 public:
  void add(const PeakLoop& loop);
  const std::vector<PeakLoop>& all() const { return loops_; }

 private:
  std::vector<PeakLoop> loops_;
};
const PeakRegistry& peak_loops();

/// What this machine does at most, measured.
struct Peak {
  std::string isa, instruction;
  PeakLoop::Elements elements = PeakLoop::Elements::int8;
  double gop_per_s = 0;  ///< two operations a multiply-accumulate, all threads together
};

/// Runs the loops that the machine supports, each for about 50 ms on so many threads at once, and takes the best of several runs; slowest
/// first.
std::vector<Peak> measure_peaks(int threads);

}  // namespace stair::runtime
