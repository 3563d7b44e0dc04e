#include "backends/int8/convolution.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <optional>

#include "backends/int8/contraction.h"
#include "tests/int8/random_epilogue.h"
#include "tests/support/seeds.h"

using namespace stair;
using namespace stair::backends;
using namespace stair::backends::int8;

namespace {

Window random_window(tests::Random& random) {
  Window w{};
  w.images = random(1, 3);
  w.groups = random.pick<std::int64_t>({1, 1, 1, 2, 3});
  w.in_channels = w.groups * random.pick<std::int64_t>({1, 2, 3, 4, 5, 8, 16, 20, 31, 32, 64, 68, 96, 130});
  w.out_channels = w.groups * random.pick<std::int64_t>({1, 2, 5, 8, 15, 16, 17, 24, 32, 33, 47, 64, 65, 100});
  w.kernel_height = random.pick<std::int64_t>({1, 1, 2, 3, 3, 5});
  w.kernel_width = random.pick<std::int64_t>({1, 1, 2, 3, 3, 5, 7});
  w.stride_h = random(1, 3);
  w.stride_w = random(1, 3);
  w.dilation_h = random.pick<std::int64_t>({1, 1, 1, 2});
  w.dilation_w = random.pick<std::int64_t>({1, 1, 1, 2});
  w.top = random(0, 2);
  w.left = random(0, 2);
  w.out_height = random(1, 9);
  w.out_width = random.pick<std::int64_t>({1, 3, 7, 8, 14, 16, 17, 33});
  // Some of the last window's rows and columns may lie in the padding.
  const std::int64_t height = (w.out_height - 1) * w.stride_h + (w.kernel_height - 1) * w.dilation_h + 1;
  const std::int64_t width = (w.out_width - 1) * w.stride_w + (w.kernel_width - 1) * w.dilation_w + 1;
  w.in_height = std::max<std::int64_t>(1, height - w.top - random(0, 2));
  w.in_width = std::max<std::int64_t>(1, width - w.left - random(0, 2));
  return w;
}

// N-ACC by plain loops.
std::int32_t sum_at(const Window& w, const std::uint8_t* x, bool is_signed, std::int32_t zero_point, const std::int8_t* weights,
                    std::int64_t image, std::int64_t oh, std::int64_t ow, std::int64_t o) {
  std::int32_t sum = 0;
  const std::int64_t group = o / w.group_out();
  for (std::int64_t c = 0; c < w.group_in(); ++c) {
    for (std::int64_t kh = 0; kh < w.kernel_height; ++kh) {
      for (std::int64_t kw = 0; kw < w.kernel_width; ++kw) {
        const std::int64_t h = w.in_row(oh, kh);
        const std::int64_t v = w.in_column(ow, kw);
        if (!w.row_inside(h) || !w.column_inside(v)) continue;
        const std::uint8_t byte = x[((image * w.in_height + h) * w.in_width + v) * w.in_channels + group * w.group_in() + c];
        const std::int32_t value = is_signed ? static_cast<std::int8_t>(byte) : byte;
        sum += (value - zero_point) * weights[((o * w.group_in() + c) * w.kernel_height + kh) * w.kernel_width + kw];
      }
    }
  }
  return sum;
}

// Integers at random, or all at their extremes, 255 x -127 in every product, which a saturating intermediate would show (N-SIMD); weights
// of so many bits, or any.
void fill(tests::Random& random, std::vector<std::uint8_t>& x, std::vector<std::int8_t>& weights, bool is_signed,
          std::optional<int> narrow) {
  const std::int64_t bits = narrow ? *narrow : random(2, 8);
  const std::int64_t hi = (std::int64_t{1} << (bits - 1)) - 1;
  const bool extreme = random(0, 3) == 0;
  for (std::uint8_t& v : x) v = extreme ? (is_signed ? 0x80 : 255) : static_cast<std::uint8_t>(random(0, 255));
  for (std::int8_t& v : weights) v = static_cast<std::int8_t>(!extreme ? random(-hi - 1, hi) : narrow || bits == 8 ? -hi - 1 : -127);
}

// The epilogues for which variants have ways of their own.
bool is_usual(const Epilogue& e) {
  return e.rescale == Rescale::floating && e.steps == nullptr && e.residual.join != Join::fixed;
}

// What a case is about, beside its shape.
struct Of {
  std::optional<int> narrow;  // weights of so many bits, packed as such
  bool usual = false;         // an epilogue of those above
  bool channels_first = false;
};

void check(Isa isa, const Window& w, std::uint64_t seed, tests::Random& random, const Of& of = {}) {
  const std::optional<int> narrow = of.narrow;
  const bool is_signed = random.coin();
  const auto zero_point = static_cast<std::int32_t>(is_signed ? random(-128, 127) : random(0, 255));
  // Exactly as large as the tensor: a sanitizer sees reads behind it.
  std::vector<std::uint8_t> x(static_cast<std::size_t>(w.images * w.in_height * w.in_width * w.in_channels));
  std::vector<std::int8_t> weights(static_cast<std::size_t>(w.out_channels * w.group_in() * w.kernel_height * w.kernel_width));
  fill(random, x, weights, is_signed, narrow);
  const std::int64_t k = w.group_in() * w.kernel_height * w.kernel_width;
  std::optional<tests::RandomEpilogue> made;
  do made.emplace(random, w.out_channels, 300 + k * random.pick<std::int64_t>({100, 2000}));
  while ((of.usual && !is_usual(made->epilogue)) || (of.channels_first && made->epilogue.rescale != Rescale::logits));
  const tests::RandomEpilogue& e = *made;
  const std::int64_t pixels = w.images * w.out_height * w.out_width;
  const auto other = random.integers<std::uint8_t>(pixels * w.out_channels, 0, 255);

  const std::unique_ptr<Contraction> plan = narrow ? std::make_unique<Convolution>(kernels_of(isa), w, is_signed, *narrow)
                                                   : plan_contraction(kernels_of(isa), w, is_signed, {}, of.channels_first);
  const Contraction& convolution = *plan;
  if (of.channels_first && w.groups == 1) REQUIRE(convolution.channels_first() == kernels_of(isa).planes);
  std::vector<std::int8_t> packed(convolution.packed_bytes());
  std::vector<std::int32_t> offset(e.epilogue.offset, e.epilogue.offset + w.out_channels);
  offset.resize(offset.size() + 16);
  convolution.pack(weights.data(), zero_point, packed.data(), offset.data(), 1);
  Epilogue epilogue = e.epilogue;
  epilogue.offset = offset.data();
  const std::int64_t bytes = e.result_bytes();
  for (const int threads : {1, 2}) {
    std::vector<std::byte> scratch(convolution.scratch_bytes(threads));
    std::vector<std::byte> result(static_cast<std::size_t>(pixels * w.out_channels * bytes) + 1, std::byte{0x5a});
    convolution.run(x.data(), zero_point, packed.data(), epilogue, result.data(), other.data(), scratch.data(), threads);
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < pixels * w.out_channels; ++i) {
      const std::int64_t o = convolution.channels_first() ? i / pixels : i % w.out_channels;
      const std::int64_t pixel = convolution.channels_first() ? i % pixels : i / w.out_channels;
      const std::int32_t sum = sum_at(w, x.data(), is_signed, zero_point, weights.data(), pixel / w.out_width / w.out_height,
                                      pixel / w.out_width % w.out_height, pixel % w.out_width, o);
      std::uint32_t found = 0;
      std::memcpy(&found, result.data() + i * bytes, static_cast<std::size_t>(bytes));
      if (found != e.expected(sum, o, other[static_cast<std::size_t>(i)])) ++wrong;
    }
    CAPTURE(name_of(isa));
    INFO(tests::replay(seed));
    CAPTURE(threads);
    REQUIRE(wrong == 0);
    REQUIRE(result.back() == std::byte{0x5a});
  }
}

}  // namespace

TEST_CASE("convolution: random shapes, strides, paddings, dilations, groups and epilogues, by plain loops") {
  for (const Isa isa : present_isas()) {
    for (const std::uint64_t seed : tests::seeds(60)) {
      tests::Random random(seed);
      Window w = random_window(random);
      check(isa, w, seed, random);
    }
  }
}

TEST_CASE("convolution: whole panels of channels with the usual epilogues") {
  for (const Isa isa : present_isas()) {
    for (const std::uint64_t seed : tests::seeds(60)) {
      tests::Random random(seed);
      Window w = random_window(random);
      w.groups = 1;
      w.in_channels = random.pick<std::int64_t>({3, 16, 64, 96});
      w.out_channels = random.pick<std::int64_t>({16, 32, 48, 64, 112, 208});
      check(isa, w, seed, random, {.narrow = {}, .usual = true});
    }
    if (!kernels_of(isa).tiles) continue;
    tests::Random random(0);
    check(isa, Window{1, 1024, 1, 40, 1072, 1, 40, 1, 1}, 0, random,
          {.narrow = {}, .usual = true});  // more weights than are walked at once
  }
}

TEST_CASE("convolution: floats with their channels first") {
  for (const Isa isa : present_isas()) {
    for (const std::uint64_t seed : tests::seeds(120)) {
      tests::Random random(seed);
      Window w = random_window(random);
      w.images = 1;
      if (random.coin()) w.out_channels = w.groups * random.pick<std::int64_t>({16, 32, 64});
      check(isa, w, seed, random, {.narrow = {}, .channels_first = true});
    }
  }
}

TEST_CASE("convolution: depthwise") {
  for (const Isa isa : present_isas()) {
    for (const std::uint64_t seed : tests::seeds(60)) {
      tests::Random random(seed);
      Window w = random_window(random);
      w.groups = w.in_channels = w.out_channels = random.pick<std::int64_t>({2, 3, 16, 31, 32, 64, 65, 100, 128, 200});
      check(isa, w, seed, random);
    }
  }
}

TEST_CASE("convolution: linear layers, that is images of one row without padding") {
  for (const Isa isa : present_isas()) {
    for (const std::uint64_t seed : tests::seeds(30)) {
      tests::Random random(seed);
      const std::int64_t rows = random.pick<std::int64_t>({1, 2, 3, 4, 7, 16, 19, 40});
      const std::int64_t in = random.pick<std::int64_t>({1, 3, 10, 64, 100, 128, 300, 784});
      const std::int64_t out = random.pick<std::int64_t>({1, 10, 16, 64, 100, 130, 200});
      check(isa, Window{1, in, 1, rows, out, 1, rows, 1, 1}, seed, random);
    }
  }
}

TEST_CASE("convolution: weights of 4 and 2 bits, that share bytes") {
  for (const Isa isa : present_isas()) {
    for (const std::uint64_t seed : tests::seeds(60)) {
      tests::Random random(seed);
      const std::int64_t rows = random(1, kernels_of(isa).narrow_rows);
      const std::int64_t in = random.pick<std::int64_t>({1, 3, 10, 64, 68, 100, 128, 301, 784});
      const std::int64_t out = random.pick<std::int64_t>({1, 10, 16, 33, 64, 130});
      const int bits = random.pick<int>({2, 4});
      check(isa, Window{1, in, 1, rows, out, 1, rows, 1, 1}, seed, random, {bits});
      // Two runs of the kernel, and two rows.
      check(isa, Window{1, in % 64 + 1, 3, 2, out, 2, 1, 2, 2}, seed, random, {bits});
    }
  }
}

TEST_CASE("convolution: weights are packed in as few bits as hold them, where there are few rows") {
  for (const Isa isa : present_isas()) {
    CAPTURE(name_of(isa));
    const Kernels& kernels = kernels_of(isa);
    for (const std::int64_t bits : {2, 3, 4, 5, 6, 8}) {
      CAPTURE(bits);
      std::vector<std::int8_t> weights(512 * 256, static_cast<std::int8_t>((1 << (bits - 1)) - 1));
      const auto packed_bits = [&](std::int64_t rows) {
        const Window w{1, 512, rows, 1, 256, rows, 1, 1, 1};
        return 8 * plan_contraction(kernels, w, false, weights)->packed_bytes() / weights.size();
      };
      const std::size_t fewest = bits == 2 ? 2 : bits <= 4 ? 4 : 8;
      CHECK(packed_bits(1) == fewest);
      CHECK(packed_bits(kernels.narrow_rows) == fewest);
      CHECK(packed_bits(kernels.narrow_rows + 1) == 8);
      weights.back() = static_cast<std::int8_t>(-(1 << (bits - 1)));
      CHECK(packed_bits(1) == fewest);
      weights.back() = -128;
      CHECK(packed_bits(1) == 8);
    }
  }
}

TEST_CASE("convolution: enough work for several threads, by rows and by channels") {
  for (const Isa isa : present_isas()) {
    if (isa == Isa::scalar) continue;
    for (const std::uint64_t seed : tests::seeds(2)) {
      tests::Random random(seed);
      Window w = seed == 0 ? Window{1, 16, 40, 40, 64, 40, 40, 3, 3} : Window{1, 256, 4, 4, 256, 4, 4, 3, 3};
      w.top = w.left = 1;
      check(isa, w, seed, random);
    }
  }
}
