#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "backends/int8/contraction.h"
#include "ir/error.h"
#include "runtime/peak.h"

// Times the int8 engine on raw memory: a matrix product of 1024^3 and each layer of the networks of examples/models, batch 1, one thread,
// as a share of the products that the variant computes a second on registers alone, measured in the same run.
// usage: bench_int8 [ISA] [THREADS] [NETWORK]

namespace {

using namespace stair;
using namespace stair::backends;
using namespace stair::backends::int8;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Products a second on registers, of so many threads together.
double peak(const Kernels& kernels, int threads) {
  for (const runtime::Peak& peak : runtime::measure_peaks(threads)) {
    if (peak.isa == name_of(kernels.isa) && peak.elements == runtime::PeakLoop::Elements::int8) return peak.gop_per_s * 5e8;
  }
  throw Error("no peak is known of '" + std::string(name_of(kernels.isa)) + "'");
}

struct Layer {
  std::string name;
  Window window;
  int times = 1;  // in its network
};

Layer conv(std::int64_t in, std::int64_t size, std::int64_t out, std::int64_t kernel, std::int64_t stride, int times = 1,
           bool depthwise = false) {
  const std::int64_t result = (size + kernel / 2 * 2 - kernel) / stride + 1;
  Window w{1, in, size, size, out, result, result, kernel, kernel, stride, stride, kernel / 2, kernel / 2};
  w.groups = depthwise ? in : 1;
  return {fmt::format("{}{}x{} s{} {}->{} at {}", depthwise ? "depthwise " : "", kernel, kernel, stride, in, out, size), w, times};
}

Layer linear(std::int64_t in, std::int64_t out, std::int64_t rows = 1, int times = 1) {
  return {fmt::format("linear {}->{} x {}", in, out, rows), Window{1, in, 1, rows, out, 1, rows, 1, 1}, times};
}

struct Network {
  std::string name;
  std::vector<Layer> layers;
};

std::vector<Network> networks() {
  std::vector<Network> all{
      {"gemm", {linear(1024, 1024, 1024)}},
      {"mlp", {linear(784, 1024), linear(1024, 1024, 1, 2), linear(1024, 10)}},
      {"lenet", {conv(1, 28, 32, 5, 1), conv(32, 14, 64, 5, 1), linear(3136, 512), linear(512, 10)}},
      {"resnet8",
       {conv(3, 32, 16, 3, 1), conv(16, 32, 16, 3, 1, 2), conv(16, 32, 32, 3, 2), conv(32, 16, 32, 3, 1), conv(16, 32, 32, 1, 2),
        conv(32, 16, 64, 3, 2), conv(64, 8, 64, 3, 1), conv(32, 16, 64, 1, 2), linear(64, 10)}},
      {"resnet20",
       {conv(3, 32, 16, 3, 1), conv(16, 32, 16, 3, 1, 6), conv(16, 32, 32, 3, 2), conv(32, 16, 32, 3, 1, 5), conv(16, 32, 32, 1, 2),
        conv(32, 16, 64, 3, 2), conv(64, 8, 64, 3, 1, 5), conv(32, 16, 64, 1, 2), linear(64, 10)}},
      {"resnet18",
       {conv(3, 224, 64, 7, 2), conv(64, 56, 64, 3, 1, 4), conv(64, 56, 128, 3, 2), conv(128, 28, 128, 3, 1, 3), conv(64, 56, 128, 1, 2),
        conv(128, 28, 256, 3, 2), conv(256, 14, 256, 3, 1, 3), conv(128, 28, 256, 1, 2), conv(256, 14, 512, 3, 2),
        conv(512, 7, 512, 3, 1, 3), conv(256, 14, 512, 1, 2), linear(512, 1000)}}};
  Network mobilenet{"mobilenet_v1", {conv(3, 224, 32, 3, 2)}};
  std::int64_t in = 32;
  std::int64_t size = 112;
  for (const auto& [out, stride, times] : std::vector<std::tuple<int, int, int>>{
           {64, 1, 1}, {128, 2, 1}, {128, 1, 1}, {256, 2, 1}, {256, 1, 1}, {512, 2, 1}, {512, 1, 5}, {1024, 2, 1}, {1024, 1, 1}}) {
    mobilenet.layers.push_back(conv(in, size, in, 3, stride, times, true));
    size /= stride;
    mobilenet.layers.push_back(conv(in, size, out, 1, 1, times));
    in = out;
  }
  mobilenet.layers.push_back(linear(1024, 1000));
  all.push_back(mobilenet);
  return all;
}

// One layer on memory of its own, with a requantization.
struct Run {
  const Window& window;
  std::unique_ptr<Contraction> convolution;
  std::vector<std::uint8_t> x;
  std::vector<std::int8_t> weights, packed;
  std::vector<std::int32_t> offset;
  std::vector<float> multiplier;
  std::vector<std::byte> y, scratch;
  Epilogue epilogue;

  Run(const Kernels& kernels, const Window& w)
      : window(w),
        convolution(plan_contraction(kernels, w, false)),
        x(static_cast<std::size_t>(w.images * w.in_height * w.in_width * w.in_channels) + 64, 3),
        weights(static_cast<std::size_t>(w.out_channels * w.group_in() * w.kernel_height * w.kernel_width), 5),
        packed(convolution->packed_bytes() + 64),
        offset(static_cast<std::size_t>(w.out_channels) + 16),
        multiplier(offset.size(), 1e-3F),
        y(static_cast<std::size_t>(w.images * w.out_height * w.out_width * w.out_channels) + 64),
        scratch(convolution->scratch_bytes(most_threads) + 64) {
    convolution->pack(weights.data(), 3, aligned(packed), offset.data(), 1);
    epilogue.rescale = Rescale::floating;
    epilogue.offset = offset.data();
    epilogue.multiplier = multiplier.data();
    epilogue.hi = 255;
  }
  template <class T>
  static T* aligned(std::vector<T>& v) {
    return v.data() + (64 - reinterpret_cast<std::uintptr_t>(v.data()) % 64) % 64;
  }
  void operator()(int threads) {
    convolution->run(aligned(x), 3, aligned(packed), epilogue, aligned(y), nullptr, aligned(scratch), threads);
  }
  double products() const {
    return static_cast<double>(window.images * window.out_height * window.out_width * window.out_channels * window.group_in() *
                               window.kernel_height * window.kernel_width);
  }
};

// The least: what others do on the machine meanwhile only adds to it, as it does to the limit.
double least(const std::vector<double>& times) {
  return *std::min_element(times.begin(), times.end());
}

void time_network(const Network& network, const Kernels& kernels, double limit, int threads) {
  // Each layer has memory of its own, and the layers run one after the other as in an inference: weights come from where they would.
  std::vector<std::unique_ptr<Run>> runs;
  std::vector<const Layer*> layers;
  for (const Layer& layer : network.layers) {
    for (int i = 0; i < layer.times; ++i) {
      runs.push_back(std::make_unique<Run>(kernels, layer.window));
      layers.push_back(&layer);
    }
  }
  std::vector<std::vector<double>> times(runs.size());
  const double until = seconds() + 0.4;
  for (int round = 0; round < 5 || seconds() < until; ++round) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const double begin = seconds();
      (*runs[i])(threads);
      times[i].push_back(seconds() - begin);
    }
  }
  double all = 0;
  double products = 0;
  for (std::size_t i = 0; i < runs.size();) {
    double time = 0;
    std::size_t last = i;
    for (; last < runs.size() && layers[last] == layers[i]; ++last) time += least(times[last]);
    const double count = runs[i]->products() * static_cast<double>(last - i);
    fmt::print("  {:<36} x{} {:9.1f} us {:6.1f} %\n", layers[i]->name, last - i, time * 1e6, 100 * count / time / limit);
    all += time;
    products += count;
    i = last;
  }
  fmt::print("{:<38}    {:9.1f} us {:6.1f} % of {:.0f} GOP/s\n", network.name, all * 1e6, 100 * products / all / limit, 2e-9 * limit);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Kernels& kernels = kernels_of(argc > 1 ? isa_named(argv[1]) : chosen_isa());
    if (!is_present(kernels.isa)) throw Error("this machine doesn't run '" + std::string(name_of(kernels.isa)) + "'");
    const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
    const double limit = peak(kernels, threads);
    for (const Network& network : networks()) {
      if (argc > 3 && network.name != argv[3]) continue;
      time_network(network, kernels, limit, threads);
    }
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "bench_int8: {}\n", error.what());
    return 2;
  }
}
