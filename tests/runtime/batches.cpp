#include "runtime/batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "ir/random.h"
#include "tests/runtime/support.h"

using namespace stair;
using runtime::Batches;
using runtime::Dataset;
using tests::error_of;

namespace {

// Random pictures. The label of a picture is its index, so that a batch tells which ones it holds.
Dataset numbered(const ir::Type& type, std::uint64_t seed = 0) {
  runtime::Tensor images(type);
  for (std::int64_t i = 0; i < images.count(); ++i) {
    const std::uint64_t bits = ir::random_bits(seed, 5, 0, static_cast<std::uint64_t>(i));
    if (type.dtype == ir::DType::u8) {
      images.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(bits);
    } else {
      images.as<float>()[i] = static_cast<float>(bits >> 40) * 0x1p-22F - 2;
    }
  }
  Dataset dataset{std::move(images), runtime::Tensor({ir::DType::i32, {type.shape.front()}}), "FILE"};
  for (std::int64_t i = 0; i < dataset.count(); ++i) dataset.labels.front().as<std::int32_t>()[i] = static_cast<std::int32_t>(i);
  return dataset;
}

std::vector<std::int32_t> labels_of(const Batches& batches) {
  const ir::TensorView labels = batches.loaded().labels.front().view();
  return {labels.as<std::int32_t>(), labels.as<std::int32_t>() + labels.count()};
}

std::vector<std::int32_t> epoch_of(Batches& batches, std::int64_t epoch) {
  std::vector<std::int32_t> all;
  for (std::int64_t i = 0; i < batches.training_batches(); ++i) {
    batches.load_training(epoch, i);
    const std::vector<std::int32_t> labels = labels_of(batches);
    all.insert(all.end(), labels.begin(), labels.end());
  }
  return all;
}

// Picture `image` shifted and flipped by definition: an enlarged picture of zeros around it, a window of that, mirrored, normalized.
std::vector<float> window(const Dataset& dataset, std::int64_t image, std::int64_t padding, std::int64_t top, std::int64_t left, bool flip,
                          const std::vector<float>& mean, const std::vector<float>& deviation) {
  const ir::Shape& s = dataset.inputs.front().type().shape;
  const std::byte* const elements = dataset.inputs.front().read(image, nullptr);
  const std::int64_t height = s[2] + 2 * padding;
  const std::int64_t width = s[3] + 2 * padding;
  std::vector<float> result;
  for (std::int64_t c = 0; c < s[1]; ++c) {
    std::vector<float> enlarged(static_cast<std::size_t>(height * width), 0.0F);
    for (std::int64_t h = 0; h < s[2]; ++h) {
      for (std::int64_t w = 0; w < s[3]; ++w) {
        const std::int64_t at = (c * s[2] + h) * s[3] + w;
        const bool bytes = dataset.inputs.front().type().dtype == ir::DType::u8;
        enlarged[static_cast<std::size_t>((h + padding) * width + w + padding)] =
            bytes ? static_cast<float>(reinterpret_cast<const std::uint8_t*>(elements)[at]) / 255.0F
                  : reinterpret_cast<const float*>(elements)[at];
      }
    }
    const auto channel = static_cast<std::size_t>(c);
    for (std::int64_t h = 0; h < s[2]; ++h) {
      for (std::int64_t w = 0; w < s[3]; ++w) {
        const std::int64_t column = left + (flip ? s[3] - 1 - w : w);
        result.push_back((enlarged[static_cast<std::size_t>((top + h) * width + column)] - mean[channel]) / deviation[channel]);
      }
    }
  }
  return result;
}

ir::Attributes augmentation(bool flip, std::int64_t crop_padding) {
  return {{"flip", flip}, {"crop_padding", crop_padding}};
}

std::vector<float> image_of(const Batches& batches, std::int64_t index) {
  const ir::TensorView images = batches.inputs().front();
  const std::int64_t count = images.count() / images.dim(0);
  return {images.as<float>() + index * count, images.as<float>() + (index + 1) * count};
}

}  // namespace

TEST_CASE("an epoch of training takes whole batches, each image at most once") {
  for (const std::int64_t count : {1, 7, 32, 50}) {
    const Dataset dataset = numbered({ir::DType::u8, {count, 1, 2, 2}});
    for (const std::int64_t batch : {1, 5, 7, 32}) {
      if (batch > count) continue;
      CAPTURE(count);
      CAPTURE(batch);
      Batches batches(dataset, batch, {}, {}, 3);
      CHECK(batches.inputs().front().type == ir::Type{ir::DType::f32, {batch, 1, 2, 2}});
      CHECK(batches.training_batches() == count / batch);
      const std::vector<std::int32_t> epoch = epoch_of(batches, 0);
      CHECK(static_cast<std::int64_t>(epoch.size()) == count / batch * batch);
      CHECK(std::set<std::int32_t>(epoch.begin(), epoch.end()).size() == epoch.size());
      CHECK(*std::min_element(epoch.begin(), epoch.end()) >= 0);
      CHECK(*std::max_element(epoch.begin(), epoch.end()) < count);
    }
  }
}

TEST_CASE("the order is a function of seed and epoch") {
  const Dataset dataset = numbered({ir::DType::u8, {60, 1, 2, 2}});
  Batches batches(dataset, 10, {}, {}, 3);
  Batches again(dataset, 10, {}, {}, 3);
  Batches other_seed(dataset, 10, {}, {}, 4);
  Batches other_batch(dataset, 6, {}, {}, 3);
  const std::vector<std::int32_t> first = epoch_of(batches, 0);
  const std::vector<std::int32_t> second = epoch_of(batches, 1);
  CHECK(first != second);
  CHECK(!std::is_sorted(first.begin(), first.end()));
  CHECK(epoch_of(again, 1) == second);
  CHECK(epoch_of(again, 0) == first);
  CHECK(epoch_of(other_seed, 0) != first);
  CHECK(epoch_of(other_batch, 0) == first);
  again.load_training(1, 4);  // right in the middle, as a resumed run does
  CHECK(labels_of(again) == std::vector<std::int32_t>(second.begin() + 40, second.begin() + 50));
}

TEST_CASE("shuffling gives every image every place") {
  const Dataset dataset = numbered({ir::DType::u8, {6, 1, 1, 1}});
  Batches batches(dataset, 6, {}, {}, 8);
  std::map<std::pair<std::size_t, std::int32_t>, int> seen;
  for (std::int64_t epoch = 0; epoch < 1200; ++epoch) {
    const std::vector<std::int32_t> order = epoch_of(batches, epoch);
    for (std::size_t i = 0; i < order.size(); ++i) ++seen[{i, order[i]}];
  }
  CHECK(seen.size() == 36);
  for (const auto& [place, times] : seen) CHECK((times > 130 && times < 275));  // 200 ± 13
}

TEST_CASE("evaluation covers all images in order and pads the last batch with its first image") {
  const Dataset dataset = numbered({ir::DType::u8, {11, 2, 3, 3}});
  Batches batches(dataset, 4, {}, augmentation(true, 2), 3);
  CHECK(batches.evaluation_batches() == 3);
  std::vector<std::int32_t> all;
  std::vector<std::int64_t> counts;
  for (std::int64_t b = 0; b < 3; ++b) {
    counts.push_back(batches.load_evaluation(b));
    const std::vector<std::int32_t> labels = labels_of(batches);
    all.insert(all.end(), labels.begin(), labels.end());
    for (std::int64_t i = 0; i < 4; ++i) {
      const std::int32_t image = labels[static_cast<std::size_t>(i)];
      CHECK(image_of(batches, i) == window(dataset, image, 0, 0, 0, false, {0, 0}, {1, 1}));
    }
  }
  CHECK(counts == std::vector<std::int64_t>{4, 4, 3});
  CHECK(all == std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 8});
  CHECK(Batches(dataset, 11, {}, {}, 0).evaluation_batches() == 1);
}

TEST_CASE("bytes are divided by 255 and normalized by channel, each operation rounded to a float") {
  runtime::Tensor pictures({ir::DType::u8, {1, 2, 16, 16}});
  for (int i = 0; i < 512; ++i) pictures.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(i);
  const Dataset dataset{std::move(pictures), runtime::Tensor({ir::DType::i32, {1}}), "FILE"};
  const auto check = [&](const runtime::Normalization& normalization, const std::vector<float>& mean, const std::vector<float>& deviation) {
    Batches batches(dataset, 1, {normalization}, {}, 0);
    batches.load_evaluation(0);
    const std::vector<float> found = image_of(batches, 0);
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i] == (static_cast<float>(i % 256) / 255.0F - mean[i / 256]) / deviation[i / 256]);
    }
  };
  check({{0.4914, 0.4465}, {0.247, 0.2616}}, {0.4914F, 0.4465F}, {0.247F, 0.2616F});
  check({{0.1307}, {0.3081}}, {0.1307F, 0.1307F}, {0.3081F, 0.3081F});
  check({{0.5, 0.25}, {}}, {0.5F, 0.25F}, {1, 1});
  check({}, {0, 0}, {1, 1});
}

TEST_CASE("floats are normalized but not divided, whatever their shape") {
  const Dataset dataset = numbered({ir::DType::f32, {5, 3}});
  Batches batches(dataset, 2, {{{0.5, 1, -2}, {2, 3, 0.7}}}, {}, 0);
  CHECK(batches.inputs().front().type == ir::Type{ir::DType::f32, {2, 3}});
  batches.load_evaluation(1);
  const runtime::Tensor elements = tests::all_examples(dataset.inputs.front());
  const float mean[] = {0.5F, 1, -2};
  const float deviation[] = {2, 3, 0.7F};
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(batches.inputs().front().as<float>()[i] == (elements.as<float>()[6 + i] - mean[i % 3]) / deviation[i % 3]);
  }
}

TEST_CASE("flips and crops are those of the definition, and all of them happen") {
  constexpr std::int64_t count = 40;
  for (const ir::DType dtype : {ir::DType::u8, ir::DType::f32}) {
    const Dataset dataset = numbered({dtype, {count, 2, 5, 4}});
    for (const auto& setting : std::vector<std::pair<bool, std::int64_t>>{{true, 0}, {false, 1}, {true, 2}}) {
      const bool flips = setting.first;
      const std::int64_t padding = setting.second;
      INFO(padding);
      Batches batches(dataset, 8, {{{0.3, 0.6}, {0.5, 0.25}}}, augmentation(flips, padding), 21);
      std::map<std::tuple<std::int64_t, std::int64_t, bool>, int> seen;
      int images = 0;
      for (std::int64_t epoch = 0; epoch < 12; ++epoch) {
        for (std::int64_t b = 0; b < batches.training_batches(); ++b) {
          batches.load_training(epoch, b);
          for (std::int64_t i = 0; i < 8; ++i, ++images) {
            const std::vector<float> found = image_of(batches, i);
            const std::int32_t image = labels_of(batches)[static_cast<std::size_t>(i)];
            int fits = 0;
            for (std::int64_t top = 0; top <= 2 * padding; ++top) {
              for (std::int64_t left = 0; left <= 2 * padding; ++left) {
                for (const bool flip : {false, true}) {
                  if (found != window(dataset, image, padding, top, left, flip, {0.3F, 0.6F}, {0.5F, 0.25F})) continue;
                  ++fits;
                  ++seen[{top, left, flip}];
                }
              }
            }
            CHECK(fits == 1);
          }
        }
      }
      const auto choices = (2 * padding + 1) * (2 * padding + 1) * (flips ? 2 : 1);
      CHECK(images == count * 12);
      CHECK(static_cast<std::int64_t>(seen.size()) >= choices - 1);  // 480 draws of up to 50
      for (const auto& [choice, times] : seen) {
        if (!flips) CHECK(!std::get<2>(choice));
        CHECK(times < 480 / choices * 2 + 20);
      }
    }
  }
}

TEST_CASE("an augmented picture depends on seed, epoch and image only") {
  const Dataset dataset = numbered({ir::DType::u8, {20, 1, 6, 6}});
  const auto pictures = [&](std::int64_t batch, std::int64_t epoch, std::uint64_t seed) {
    Batches batches(dataset, batch, {}, augmentation(true, 2), seed);
    std::map<std::int32_t, std::vector<float>> found;
    for (std::int64_t b = 0; b < batches.training_batches(); ++b) {
      batches.load_training(epoch, b);
      for (std::int64_t i = 0; i < batch; ++i) found[labels_of(batches)[static_cast<std::size_t>(i)]] = image_of(batches, i);
    }
    return found;
  };
  const auto expected = pictures(5, 1, 9);
  CHECK(pictures(10, 1, 9) == expected);
  CHECK(pictures(5, 2, 9) != expected);
  CHECK(pictures(5, 1, 10) != expected);
}

TEST_CASE("each of several inputs is what it is alone, pictures changed by the same draws, and labels stay beside them") {
  const Dataset bytes = numbered({ir::DType::u8, {14, 2, 5, 4}}, 1);
  const Dataset floats = numbered({ir::DType::f32, {14, 3, 6, 6}}, 2);
  const Dataset numbers = numbered({ir::DType::f32, {14, 7}}, 3);
  Dataset all = numbered({ir::DType::u8, {14, 2, 5, 4}}, 1);
  for (const Dataset* more : {&floats, &numbers}) {
    all.inputs.push_back(more->inputs.front());
    all.input_files.emplace_back("MORE");
    all.labels.push_back(more->labels.front().clone());
  }
  const runtime::Normalizations normalizations{{{0.3, 0.6}, {0.5}}, {{}, {2, 3, 4}}, {{100}, {}}};
  for (const bool augments : {false, true}) {
    const ir::Attributes changes = augments ? augmentation(true, 1) : ir::Attributes();
    Batches together(all, 4, normalizations, changes, 21);
    Batches alone[] = {Batches(bytes, 4, {normalizations[0]}, changes, 21), Batches(floats, 4, {normalizations[1]}, changes, 21),
                       Batches(numbers, 4, {normalizations[2]}, {}, 21)};
    for (std::int64_t b = 0; b < 3; ++b) {
      together.load_training(b, b);
      for (std::size_t i = 0; i < 3; ++i) {
        alone[i].load_training(b, b);
        CHECK(tests::same_bytes(together.inputs()[i], alone[i].inputs().front()));
        CHECK(tests::same_bytes(together.loaded().labels[i].view(), alone[i].loaded().labels.front().view()));
      }
    }
    CHECK(together.load_evaluation(3) == 2);
    for (std::size_t i = 0; i < 3; ++i) {
      alone[i].load_evaluation(3);
      CHECK(tests::same_bytes(together.inputs()[i], alone[i].inputs().front()));
    }
  }
  CHECK(error_of([&] { Batches(all, 4, {{}, {}, {{}, {1e-39}}}, {}, 0); }).starts_with("MORE: with mean 0 and std "));
}

TEST_CASE("what can't be batched is refused") {
  const Dataset pictures = numbered({ir::DType::u8, {4, 3, 2, 2}});
  const Dataset flat = numbered({ir::DType::f32, {4, 6}});
  const auto error = [](const Dataset& dataset, std::int64_t batch, const runtime::Normalization& n, const ir::Attributes& a) {
    return error_of([&] { Batches(dataset, batch, {n}, a, 0); });
  };
  CHECK(error(pictures, 5, {}, {}) == "a batch of 5 images of a data set of 4 (FILE)");
  CHECK(error(pictures, 2, {{0.5, 0.5}, {}}, {}) == "/mean: found 2 numbers, expected 1 or 3, one a channel");
  CHECK(error(pictures, 2, {{}, {1, 1, 1, 1}}, {}) == "/std: found 4 numbers, expected 1 or 3, one a channel");
  CHECK(error(pictures, 2, {{}, {1, 0, 1}}, {}) == "/std/1: found 0, expected a finite number above 0 in binary32");
  CHECK(error(flat, 2, {}, {{"flip", true}}) == "augmentation of images f32[4,6], expected pictures [N,C,H,W]");
  CHECK(error(flat, 2, {}, augmentation(false, 1)) == "augmentation of images f32[4,6], expected pictures [N,C,H,W]");
}

TEST_CASE("a normalization that doesn't fit, or makes something infinite of the data, is refused") {
  const Dataset bytes = numbered({ir::DType::u8, {4, 2, 3, 3}});
  Dataset floats = numbered({ir::DType::f32, {4, 2, 3, 3}});
  const auto error = [](const Dataset& dataset, const runtime::Normalization& normalization, std::int64_t padding = 0) {
    return error_of([&] { Batches(dataset, 2, {normalization}, augmentation(false, padding), 0); });
  };
  for (const Dataset* dataset : {&bytes, &std::as_const(floats)}) {
    CHECK(error(*dataset, {}) == "no error");
    CHECK(error(*dataset, {{0.5, 0.25}, {1e-37}}) == "no error");
    CHECK(error(*dataset, {{0.5, 0.25, 0}, {}}) == "/mean: found 3 numbers, expected 1 or 2, one a channel");
    CHECK(error(*dataset, {{}, {1, 2, 3}}) == "/std: found 3 numbers, expected 1 or 2, one a channel");
    CHECK(error(*dataset, {{0, 1e39}, {}}) == "/mean/1: found 1e+39, expected a finite number in binary32");
    CHECK(error(*dataset, {{NAN}, {}}) == "/mean/0: found nan, expected a finite number in binary32");
    for (const double wrong : {0.0, -1.0, 1e-50, 1e39, static_cast<double>(NAN)}) {
      CHECK(error(*dataset, {{}, {1, wrong}}).starts_with("/std/1: found "));
    }
    CHECK(error(*dataset, {{}, {1, 1e-40}}).starts_with("FILE: with mean 0 and std 1e-40 the value "));
  }
  runtime::Tensor changed = tests::all_examples(floats.inputs.front());
  changed.as<float>()[3 * 18 + 9 + 4] = 3e38F;  // channel 1 of image 3
  floats.inputs.front() = changed.clone();
  CHECK(error(floats, {{0, 3e38}, {}}) == "no error");
  CHECK(error(floats, {{3e38, -3e38}, {}}) ==
        "FILE: with mean -3e+38 and std 1 the value 3e+38 of channel 1 becomes inf, expected finite numbers");
  CHECK(error(floats, {{0}, {1, 0.5}}) ==
        "FILE: with mean 0 and std 0.5 the value 3e+38 of channel 1 becomes inf, expected finite numbers");
  // A crop brings zeros where the data has none.
  std::fill_n(changed.as<float>(), changed.count(), 3e38F);
  floats.inputs.front() = std::move(changed);
  CHECK(error(floats, {{3e38}, {0.5}}) == "no error");
  CHECK(error(floats, {{3e38}, {0.5}}, 1) ==
        "FILE: with mean 3e+38 and std 0.5 the value 0 of channel 0 becomes -inf, expected finite numbers");
}

TEST_CASE("normalizations are the same where they do the same") {
  using runtime::same_normalization;
  CHECK(same_normalization({}, {{0}, {1}}));
  CHECK(same_normalization({{0.5}, {}}, {{0.5, 0.5, 0.5}, {1}}));
  CHECK(same_normalization({{0.1}, {0.3}}, {{0.1F}, {0.3F}}));
  CHECK(!same_normalization({{0.5}, {}}, {{0.5, 0.5, 0.4}, {}}));
  CHECK(!same_normalization({{0.5}, {}}, {}));
  CHECK(!same_normalization({{}, {2}}, {}));
}

TEST_CASE("mixtures are shares of two examples, each augmented by itself, and say whose labels") {
  const Dataset dataset = numbered({ir::DType::u8, {40, 2, 3, 3}});
  ir::Attributes augmentation{{"flip", true}};
  Batches plain(dataset, 40, {{{0.25}, {0.5}}}, augmentation, 3);
  plain.load_training(1, 0);
  std::map<std::int32_t, std::vector<float>> alone;  // by label
  for (std::int64_t i = 0; i < 40; ++i) alone[labels_of(plain)[static_cast<std::size_t>(i)]] = image_of(plain, i);
  augmentation.set("mixup", 0.5);
  Batches mixing(dataset, 8, {{{0.25}, {0.5}}}, augmentation, 3);
  std::set<std::int32_t> partners;
  for (std::int64_t b = 0; b < 5; ++b) {
    mixing.load_training(1, b);
    for (std::int64_t i = 0; i < 8; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const float share = mixing.loaded().shares->as<float>()[i];
      const std::int32_t partner = mixing.loaded().partners.front().as<std::int32_t>()[i];
      partners.insert(partner);
      CHECK(labels_of(mixing)[at] == labels_of(plain)[static_cast<std::size_t>(8 * b) + at]);
      const std::vector<float>& own = alone.at(labels_of(mixing)[at]);
      const std::vector<float>& other = alone.at(partner);
      const std::vector<float> mixed = image_of(mixing, i);
      for (std::size_t e = 0; e < mixed.size(); ++e) CHECK(mixed[e] == doctest::Approx(share * own[e] + (1 - share) * other[e]));
    }
  }
  CHECK(partners.size() > 15);
  const Dataset indices{runtime::Tensor({ir::DType::i32, {4, 2}}), runtime::Tensor({ir::DType::i32, {4}}), "FILE"};
  CHECK(error_of([&] {
          Batches(indices, 2, {}, {{"mixup", 0.5}}, 3);
        }) == "augmentation 'mixup': FILE holds indices, which can't be mixed");
}
