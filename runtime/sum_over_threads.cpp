#include "runtime/sum_over_threads.h"

#include <numeric>
#include <thread>
#include <vector>

namespace stair::runtime {

double sum_over_threads(int threads, const std::function<double()>& measure) {
  std::vector<double> measured(static_cast<std::size_t>(threads));
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < measured.size(); ++i) others.emplace_back([&, i] { measured[i] = measure(); });
  measured[0] = measure();
  for (std::thread& other : others) other.join();
  return std::accumulate(measured.begin(), measured.end(), 0.0);
}

}  // namespace stair::runtime
