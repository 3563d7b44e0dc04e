#include "runtime/checkpoint.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/artifact.h"
#include "runtime/file.h"
#include "runtime/safetensors.h"
#include "tests/runtime/support.h"

using namespace stair;
using runtime::Checkpoint;
using tests::error_of;

namespace {

Checkpoint small_checkpoint() {
  Checkpoint c;
  c.states.emplace("w", tests::random_bytes({ir::DType::f32, {2, 2}}, 5));
  c.states.emplace("step", tests::random_bytes({ir::DType::i64, {1}}, 6));
  c.model = "sir 1\ngraph \"m\"\n";
  c.recipe = R"({"name": "int8"})";
  c.experiment = "{}";
  c.data = "00000001 00000002 00000003 00000004";
  c.stage = 2;
  c.stage_name = "qat";
  c.step = 1234567890123;
  c.seed = std::numeric_limits<std::uint64_t>::max();
  c.loss_sum = 0.1 + 0.2;
  c.correct = 77;
  c.best = 1.0 / 3;
  return c;
}

std::string checkpoint_error(const std::string& path) {
  return error_of([&] { runtime::load_checkpoint(path); });
}

// The metadata of small_checkpoint() but for one key, in a file whose checksum fits.
std::string with_metadata(const std::string& path, const std::string& key, const char* value) {
  runtime::save_checkpoint(small_checkpoint(), path);
  runtime::Safetensors contents = runtime::from_safetensors(tests::get(path), path, "staircase checkpoint", 1);
  if (value == nullptr) {
    contents.metadata.erase(key);
  } else {
    contents.metadata[key] = value;
  }
  tests::put(path, runtime::to_safetensors(contents, "staircase checkpoint", 1));
  return checkpoint_error(path);
}

}  // namespace

TEST_CASE("a checkpoint comes back as it was saved") {
  const tests::TemporaryFolder folder;
  const Checkpoint saved = small_checkpoint();
  runtime::save_checkpoint(saved, folder / "c");
  const Checkpoint c = runtime::load_checkpoint(folder / "c");
  CHECK(tests::differing(c.states, saved.states) == "");
  CHECK(c.model == saved.model);
  CHECK(c.recipe == saved.recipe);
  CHECK(c.experiment == saved.experiment);
  CHECK(c.data == saved.data);
  CHECK(c.stage == saved.stage);
  CHECK(c.stage_name == saved.stage_name);
  CHECK(c.step == saved.step);
  CHECK(c.seed == saved.seed);
  CHECK(c.loss_sum == saved.loss_sum);
  CHECK(c.correct == saved.correct);
  CHECK(c.best == saved.best);
}

TEST_CASE("what a checkpoint says of one input, of several, and of their losses comes back") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "c";
  Checkpoint saved = small_checkpoint();
  saved.inputs = {{"u8", 40}};
  runtime::save_checkpoint(saved, path);
  CHECK(tests::get(path).find("\"images\":\"u8\"") != std::string::npos);  // as it was before there were several
  REQUIRE(runtime::load_checkpoint(path).inputs.size() == 1);
  CHECK(runtime::load_checkpoint(path).inputs.front().element == "u8");
  CHECK(runtime::load_checkpoint(path).inputs.front().shorter_side == 40);
  saved.inputs = {{"u8", 40}, {"f32"}, {""}};
  saved.sums = {{0.1 + 0.2, 5}, {1e-300, 0}};
  runtime::save_checkpoint(saved, path);
  const Checkpoint c = runtime::load_checkpoint(path);
  REQUIRE(c.inputs.size() == 3);
  CHECK(c.inputs[0].shorter_side == 40);
  CHECK(c.inputs[1].element == "f32");
  CHECK_FALSE(c.inputs[1].shorter_side);
  CHECK(c.inputs[2].element == "");
  REQUIRE(c.sums.size() == 2);
  CHECK(c.sums[0].loss == 0.1 + 0.2);
  CHECK(c.sums[0].correct == 5);
  CHECK(c.sums[1].loss == 1e-300);
  const std::string where = path + " (metadata) /";
  CHECK(with_metadata(path, "inputs", R"([{"element": "u9"}])") ==
        where + R"(inputs/0/element: found "u9" (did you mean 'u8'?), expected 'u8', 'f32' or 'i32')");
  CHECK(with_metadata(path, "inputs", R"({"x": {}})") == where + "inputs: found an object, expected a list of objects");
  CHECK(with_metadata(path, "inputs", R"([{"shorter_side": 0}])") == where + "inputs/0/shorter_side: found 0, expected at least 1");
  const std::string expected = R"(, expected a list of {"loss": a number, "correct": an integer})";
  CHECK(with_metadata(path, "losses", "3") == where + "losses: found 3" + expected);
  CHECK(with_metadata(path, "losses", R"([{"loss": null, "correct": 3}])") == where + "losses: found an object" + expected);
}

TEST_CASE("sums that can't be written in decimals at a glance survive a checkpoint") {
  const tests::TemporaryFolder folder;
  const double limits[] = {1e-310, -0.0, 1e300, std::numeric_limits<double>::infinity(), std::nextafter(2.0, 3.0)};
  for (const double value : limits) {
    Checkpoint saved = small_checkpoint();
    saved.loss_sum = value;
    runtime::save_checkpoint(saved, folder / "c");
    const double found = runtime::load_checkpoint(folder / "c").loss_sum;
    CHECK(found == value);
    CHECK(std::signbit(found) == std::signbit(value));
  }
}

TEST_CASE("a checkpoint that is missing, cut off or changed is an error that names it") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "c";
  CHECK(checkpoint_error(path) == path + ": can't be opened: No such file or directory");
  CHECK(checkpoint_error(folder.path()) == folder.path().string() + ": is a folder, expected a file");
  CHECK(checkpoint_error(folder / std::string(300, 'n')) == folder / std::string(300, 'n') + ": can't be opened: File name too long");
  runtime::save_checkpoint(small_checkpoint(), path);
  const std::string bytes = tests::get(path);
  for (std::size_t length = 0; length < bytes.size(); length += 1 + length / 100) {
    CAPTURE(length);
    tests::put(path, bytes.substr(0, length));
    CHECK(checkpoint_error(path).starts_with(path + ": "));
  }
  // A sample; that every byte counts is the test of safetensors.
  for (std::size_t at = 0; at < bytes.size(); at += 5) {
    CAPTURE(at);
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 7));
    tests::put(path, damaged);
    CHECK(checkpoint_error(path).starts_with(path + ": "));
  }
  tests::put(path, bytes + "\n");
  CHECK(checkpoint_error(path) == path + ": has 1 bytes behind its tensors, expected none");
}

TEST_CASE("an artifact is no checkpoint, and neither is a newer one") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "c";
  runtime::save_artifact({}, path);
  CHECK(checkpoint_error(path) == path + ": is a staircase artifact, expected a staircase checkpoint");
  tests::put(path, runtime::to_safetensors({}, "staircase checkpoint", 2));
  CHECK(checkpoint_error(path) == path + ": is a staircase checkpoint of version 2, this program reads version 1");
}

TEST_CASE("numbers in the metadata of a checkpoint must be there, and be numbers") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "c";
  for (const char* key : {"stage", "step", "seed", "loss_sum", "correct", "best_accuracy"}) {
    const std::string quoted = "'" + std::string(key) + "'";
    CHECK(with_metadata(path, key, nullptr) == path + ": its metadata has no " + quoted);
    for (const std::string value : {"", "x", "1 ", "99999999999999999999x"}) {
      CHECK(with_metadata(path, key, value.c_str()) == path + ": " + quoted + " in its metadata is '" + value + "'");
    }
  }
  CHECK(with_metadata(path, "step", "99999999999999999999") == path + ": 'step' in its metadata is '99999999999999999999'");
  CHECK(with_metadata(path, "loss_sum", "1e999") == path + ": 'loss_sum' in its metadata is '1e999'");
}

TEST_CASE("a checkpoint says which states hold averages of which, and is used with them") {
  const tests::TemporaryFolder folder;
  Checkpoint c = small_checkpoint();
  c.states.emplace("w.average", tests::random_bytes({ir::DType::f32, {2, 2}}, 7));
  c.averages = {{"w", "w.average"}};
  const auto holds_average = [&](const runtime::Tensors& states) {
    const runtime::Tensor expected = tests::random_bytes({ir::DType::f32, {2, 2}}, 7);
    return states.size() == 2 && std::equal(expected.as<char>(), expected.as<char>() + expected.bytes(), states.at("w").as<char>());
  };
  CHECK(holds_average(runtime::averaged(c)));
  runtime::save_checkpoint(c, folder / "used", true);
  CHECK(holds_average(runtime::load_checkpoint(folder / "used").states));
  runtime::save_checkpoint(c, folder / "c");
  Checkpoint read = runtime::load_checkpoint(folder / "c");
  CHECK(read.averages == c.averages);
  CHECK_FALSE(holds_average(read.states));
  runtime::take_averages(read);
  CHECK(holds_average(read.states));
  CHECK(read.averages.empty());
  const std::string path = folder / "bad";
  for (const char* text :
       {R"({"w": "step"})", R"({"w": "w"})", R"({"v": "w"})", R"({"w": 3})", R"({"w": "v"})", R"({"w": "step", "step": "w"})"}) {
    CAPTURE(std::string(text));
    CHECK(with_metadata(path, "averages", text).find("'averages' name no average of '") != std::string::npos);
  }
  CHECK(with_metadata(path, "averages", "[]") == path + ": its metadata's 'averages' is no object");
}
