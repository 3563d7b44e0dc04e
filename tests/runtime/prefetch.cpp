#include "runtime/prefetch.h"

#include <doctest/doctest.h>

#include <stdexcept>

#include "ir/error.h"
#include "tests/runtime/support.h"

using namespace stair;
using runtime::Batch;
using runtime::Batches;
using runtime::Prefetch;
using tests::error_of;

namespace {

runtime::Dataset random_pictures(std::int64_t count) {
  runtime::Dataset dataset{runtime::Tensor({ir::DType::u8, {count, 3, 9, 7}}), runtime::Tensor({ir::DType::i32, {count}}), "FILE"};
  dataset.inputs.front() = tests::random_bytes(dataset.inputs.front().type(), 4);
  for (std::int64_t i = 0; i < count; ++i) dataset.labels.front().as<std::int32_t>()[i] = static_cast<std::int32_t>(i);
  return dataset;
}

Batches augmented(const runtime::Dataset& dataset) {
  return {dataset, 8, {{{0.5}, {0.25}}}, {{"flip", true}, {"crop_padding", std::int64_t{2}}}, 6};
}

}  // namespace

TEST_CASE("batches that are loaded ahead are those that are loaded on demand, from any step on") {
  const runtime::Dataset dataset = random_pictures(44);
  Batches expected = augmented(dataset);
  const std::int64_t per_epoch = expected.training_batches();
  for (const std::int64_t first : {0, 1, 4, 5, 13}) {
    CAPTURE(first);
    Batches batches = augmented(dataset);
    const std::int64_t count = 4 * per_epoch - first;
    Prefetch ahead(batches, count, [&](std::int64_t n) { return Prefetch::Place{(first + n) / per_epoch, (first + n) % per_epoch}; });
    for (std::int64_t step = first; step < first + count; ++step) {
      CAPTURE(step);
      const Batch& found = ahead.next();
      expected.load_training(step / per_epoch, step % per_epoch);
      CHECK(tests::same_bytes(found.inputs.front().view(), expected.inputs().front()));
      CHECK(tests::same_bytes(found.labels.front().view(), expected.loaded().labels.front().view()));
    }
  }
}

TEST_CASE("whoever stops early waits for no batch but the one that is being made") {
  const runtime::Dataset dataset = random_pictures(44);
  for (const int used : {0, 1, 3}) {
    Batches batches = augmented(dataset);
    std::int64_t asked = 0;
    {
      Prefetch ahead(batches, 1'000'000'000, [&](std::int64_t n) {
        asked = n + 1;
        return Prefetch::Place{n, 0};
      });
      for (int i = 0; i < used; ++i) ahead.next();
    }
    CHECK(asked <= used + 1);
  }
  Batches batches = augmented(dataset);
  const Prefetch none(batches, 0, [](std::int64_t) -> Prefetch::Place { throw std::logic_error("nothing was asked for"); });
}

TEST_CASE("what the loading of a batch throws comes with that batch, each time") {
  const runtime::Dataset dataset = random_pictures(44);
  Batches batches = augmented(dataset);
  Prefetch ahead(batches, 5, [](std::int64_t n) {
    if (n == 2) throw Error("batch 2");
    return Prefetch::Place{0, n};
  });
  ahead.next();
  ahead.next();
  CHECK(error_of([&] { ahead.next(); }) == "batch 2");
  CHECK(error_of([&] { ahead.next(); }) == "batch 2");
}
