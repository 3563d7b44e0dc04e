// What the driver says to bad input: exit code 2, one line on stderr, and every file as it was.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "runtime/checkpoint.h"
#include "runtime/npy.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::Process;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

using Arguments = std::vector<std::string>;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The experiment with one value put at the pointer.
std::string experiment_with(const std::string& pointer, const Json& value) {
  Json json = tests::small_experiment();
  json[Json::json_pointer(pointer)] = value;
  return json.dump();
}

// A short run, and beside it all kinds of files that are no good.
const TemporaryFolder& bad_files() {
  static const TemporaryFolder folder;
  static const bool made = [] {
    tests::write_experiment(folder);
    const Arguments short_run{"--set", "stages.0.epochs=1", "--set", "stages.2.epochs=1", "--set", "checkpoint_every=0", "--threads", "1"};
    Arguments train{"train", "exp.json", "--run", "run"};
    train.insert(train.end(), short_run.begin(), short_run.end());
    REQUIRE(run_stair(train, folder.path()).code == 0);
    folder.write("model.json", tests::small_model().dump());

    const std::string images = folder.read("train.images");
    folder.write("truncated.images", images.substr(0, 1000));
    folder.write("header.images", images.substr(0, 9));
    folder.write("corrupt.gz", "\x1f\x8b\x08" + std::string(100, 'x'));
    folder.write("short.labels", folder.read("test.labels"));
    std::string labels = folder.read("train.labels");
    labels[8 + 17] = 9;
    folder.write("range.labels", labels);
    folder.write("pictures.txt", "no pictures");
    tests::write_pictures(folder, "large", 96, 14);

    const std::string checkpoint = folder.read("run/qat.safetensors");
    std::string damaged = checkpoint;
    damaged[damaged.size() - 10] = static_cast<char>(damaged[damaged.size() - 10] ^ 4);
    folder.write("damaged.safetensors", damaged);
    folder.write("truncated.safetensors", checkpoint.substr(0, 500));
    folder.write("foreign.safetensors",
                 std::string("\x44\0\0\0\0\0\0\0", 8) + R"({"t": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}       )" + "abcd");
    runtime::Checkpoint changed = runtime::load_checkpoint(folder / "run/qat.safetensors");
    changed.recipe = R"({"weights": {"bits": 99}})";
    runtime::save_checkpoint(changed, folder / "recipe.safetensors");
    changed.states.erase(changed.states.find("bn.mean"));
    runtime::save_checkpoint(changed, folder / "lacking.safetensors");
    folder.write("newer.stair", replaced(folder.read("run/qat.stair"), R"("version":"2")", R"("version":"3")"));

    Json other = tests::small_experiment();
    other["model"]["layers"][0]["name"] = "first";
    other["stages"] = Json::parse(R"([{"kind": "calibrate", "batches": 1}])");
    for (const char* key : {"augmentation", "checkpoint_every"}) other.erase(key);
    folder.write("other.json", other.dump());
    REQUIRE(run_stair({"train", "other.json", "--run", "other"}, folder.path()).code == 0);

    // Sums over 160,000 products of 8-bit integers exceed 32 bits.
    tests::write_pictures(folder, "huge", 4, 400);
    Json wide = other;
    wide["model"] = Json::parse(
        R"({"input": {"shape": [1, 400, 400]}, "layers": [{"op": "flatten"}, {"op": "linear", "name": "wide", "features": 4}]})");
    for (const char* part : {"train", "test"}) wide["data"][part] = {{"images", "huge.images"}, {"labels", "huge.labels"}};
    wide["batch"] = 4;
    folder.write("wide.json", wide.dump());

    folder.write("comma.json", "{\n  \"model\": {},\n}");
    folder.write("deep.json", std::string(100'000, '[') + std::string(100'000, ']'));
    folder.write("number.json", R"({"batch": 1e999})");
    folder.write("newline.json", R"({"a\nb": 1})");
    folder.write("bits.json", experiment_with("/recipe", {{"weights", {{"bits", 9}}}}));
    folder.write("run_name.json", experiment_with("/name", "../run"));
    folder.write("late.json", experiment_with("/stages/1/batches", 13));
    folder.write("recipe.json", R"({"weights": {"bits": 1}})");
    folder.write("no_input.sir", "sir 1\ngraph \"g\"\n");
    folder.write("no_input.json", experiment_with("/model", "no_input.sir"));
    folder.write("mixes.sir", "sir 1\ngraph \"g\"\n%x = input : f32[1,4]\n%s = softmax(%x) {axis=0}\noutput logits = %s\n");
    folder.write("mixes.json", experiment_with("/model", "mixes.sir"));
    runtime::Tensor picture({ir::DType::u8, {1, 1, 13, 12}});
    runtime::write_npy(picture.view(), folder / "wrong.npy");
    return true;
  }();
  static_cast<void>(made);
  return folder;
}

struct BadInput {
  const char* what;
  Arguments arguments;
  std::vector<std::string> says;
  Process::Options options = {};
};

void check_refused(const BadInput& bad) {
  CAPTURE(std::string(bad.what));
  const TemporaryFolder& folder = bad_files();
  const auto before = folder.files();
  const Outcome outcome = run_stair(bad.arguments, folder.path(), bad.options);
  CAPTURE(outcome.err);
  CHECK(outcome.signal == 0);
  CHECK(outcome.code == 2);
  CHECK(outcome.err.starts_with("stair: "));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  for (const std::string& part : bad.says) {
    CAPTURE(part);
    CHECK(outcome.err.find(part) != std::string::npos);
  }
  const auto after = folder.files();
  CHECK(after.size() == before.size());
  CHECK(after == before);
}

// Training with one value of the experiment changed.
Arguments train_with(const std::string& assignment) {
  return {"train", "exp.json", "--run", "new", "--set", assignment};
}

}  // namespace

TEST_CASE("bad command lines are told in one line") {
  const BadInput table[] = {
      {"no command", {}, {"expected a command: 'backends', 'bench', 'calibrate', "}},
      {"an unknown command", {"trian", "exp.json"}, {"unknown command 'trian' (did you mean 'train'?), expected 'backends'"}},
      {"a flag without command", {"--verson"}, {"unknown flag '--verson'"}},
      {"an unknown flag", {"train", "exp.json", "--sed", "3"}, {"unknown flag '--sed' (did you mean '--seed'?)"}},
      {"an unknown flag with value", {"train", "exp.json", "--thread=3"}, {"unknown flag '--thread' (did you mean '--threads'?)"}},
      {"an argument too many", {"eval", "run", "run"}, {"eval: unexpected argument 'run'"}},
      {"an argument missing", {"export", "run"}, {"export: ", "--output is required"}},
      {"no threads", {"eval", "run", "--threads", "0"}, {"--threads", "0", "1 to 1024"}},
      {"threads in words", {"eval", "run", "--threads", "two"}, {"--threads", "two"}},
      {"an unknown backend", {"eval", "run", "--backend", "refrence"}, {"'refrence' (did you mean 'reference'?), expected 'int8', "}},
      {"no backend", {"eval", "run", "--backend", ","}, {"unknown backend ''"}},
      {"an unknown pass", {"opt", "model.json", "--passes", "inference_mod"}, {"'inference_mod' (did you mean 'inference_mode'?)"}},
      {"an unknown option of a pass", {"opt", "model.json", "--passes", "dead_code{a=1}"}, {"pass 'dead_code': unknown option 'a'"}},
      {"a batch out of bounds", {"opt", "model.json", "--batch", "100000000000000000"}, {"--batch", "1000000"}},
      {"opt without graph", {"opt"}, {"expected a model JSON (.json) or an ONNX model (.onnx) or the text of a graph (.sir)"}},
      {"an unknown format",
       {"export", "run", "-o", "a.stair", "--to", "onxx"},
       {"--to onxx (did you mean 'onnx'?)", "expected 'onnx' or 'stair'"}},
      {"--set without value", train_with("batch"), {"--set batch: expected path=value, like stages.0.epochs=1"}},
      {"--set of an unknown key", train_with("batchs=3"), {"exp.json /batchs: unknown key 'batchs' (did you mean 'batch'?)"}},
      {"--set of no UTF-8", train_with("name=\xff"), {"isn't UTF-8"}},
      {"a negative seed", {"train", "exp.json", "--seed", "-3"}, {"--seed"}},
      {"two seeds", {"train", "exp.json", "--seed", "3", "--set", "seed=4"}, {"--seed: --set says the seed, too"}},
      {"an instruction set of a backend that is left out",
       {"eval", "run", "--backend", "reference", "--isa", "scalar"},
       {"--isa: is of the backend 'int8', which --backend reference leaves out"}},
      {"a plan instead of a file", {"opt", "model.json", "--plan", "-o", "a.sir"}, {"--plan", "--output"}},
      {"a list of passes, of a graph", {"opt", "model.json", "--list"}, {"--list"}},
      {"a plan of so many runs", {"bench", "model.json", "--plan", "--runs", "3"}, {"--plan", "--runs"}},
      {"a plan of so many seconds", {"bench", "model.json", "--plan", "--seconds", "3"}, {"--plan", "--seconds"}},
      {"resume and overwrite", {"train", "exp.json", "--run", "run", "--resume", "--overwrite"}, {"--overwrite", "--resume"}},
  };
  for (const BadInput& bad : table) check_refused(bad);
}

TEST_CASE("bad experiments and models are told with file and place") {
  const BadInput table[] = {
      {"no file", {"train", "nosuch.json"}, {"nosuch.json: can't be opened: No such file or directory"}},
      {"a folder", {"train", "run"}, {"run: is a folder, expected a file"}},
      {"no JSON", {"train", "comma.json"}, {"comma.json:3:1: is not JSON: "}},
      {"JSON without end", {"inspect", "deep.json"}, {"deep.json: is nested more than 100 deep"}},
      {"a number without end", {"train", "number.json"}, {"number.json: is not JSON: number overflow"}},
      {"a key of two lines", {"train", "newline.json"}, {"unknown key 'a b'"}},
      {"bits out of range", {"train", "bits.json"}, {"bits.json /recipe/weights/bits: found 9, expected at most 8"}},
      {"a name that leaves runs/",
       {"train", "run_name.json"},
       {"run_name.json /name: found '../run', expected the name of a folder in runs/"}},
      {"a graph that mixes examples",
       {"train", "mixes.json"},
       {"mixes.sir: softmax 's' mixes the examples of a batch, which lie along dimension 0 of 'x' [N,4]"}},
      {"a graph without input",
       {"train", "no_input.json"},
       {"no_input.json /model: has 0 inputs and 0 outputs, expected at least one of each"}},
      {"an empty path", train_with("start="), {"is a folder, expected a file"}},
      {"a model that isn't there", train_with("model=nosuch.json"), {"nosuch.json: can't be opened"}},
      {"a name too long for files", {"train", "exp.json", "--run", std::string(300, 'a')}, {"File name too long"}},
      {"a file as the run's folder", {"train", "exp.json", "--run", "exp.json"}, {"exp.json: can't be made: Not a directory"}},
      {"a run that is there", {"train", "exp.json", "--run", "run"}, {"run: holds a run already, expected --resume", "or --overwrite"}},
      {"resuming what isn't there", {"train", "exp.json", "--run", "new", "--resume"}, {"new/last.safetensors: isn't there"}},
      {"resuming another experiment",
       {"train", "other.json", "--run", "run", "--resume"},
       {"run/last.safetensors: is of another experiment"}},
      {"too few pictures to calibrate",
       {"train", "late.json", "--run", "new"},
       {"late.json /stages/1/batches: found 13, the training data has 12 batches of 8 images"}},
      {"sums that may overflow",
       {"train", "wide.json", "--run", "new"},
       {"linear_integer 'wide.sum': an int32 overflow can't be excluded: sums of 160000 terms"}},
      {"a key of another optimizer",
       train_with("stages.0.optimizer.beta1=0.8"),
       {"exp.json /stages/0/optimizer/beta1: has no effect with the optimizer 'sgd', only with 'adam' or 'adamw'"}},
      {"an override that matches nothing",
       train_with(R"(recipe={"overrides": [{"pattern": "convv", "weight_bits": 4}]})"),
       {"exp.json /recipe/overrides/0/pattern: found 'convv', which matches no layer and no input of the model (did you mean 'conv'?)"}},
      {"the same of a calibration",
       {"calibrate", "run", "-o", "a", "--recipe", R"({"overrides": [{"pattern": "relu", "weight_bits": 4}]})"},
       {"--recipe: recipe /overrides/0/weight_bits: found 4, which has no effect: 'relu' has no weights"}},
      {"the same of a measurement",
       {"bench", "model.json", "--recipe", R"({"weights": {"stochastic": true}})"},
       {"--recipe: recipe /weights/stochastic: has no effect with the method 'uniform', only with 'binary'"}},
      {"a freeze behind the end",
       train_with(R"(recipe={"schedule": {"freeze_observers_epoch": 2}})"),
       {"exp.json /recipe/schedule/freeze_observers_epoch: found 2, which no qat stage reaches: the longest has 2 epochs of 12 steps"}},
      {"a delay behind the end",
       train_with(R"(recipe={"schedule": {"activation_delay_steps": 24}})"),
       {"exp.json /recipe/schedule/activation_delay_steps: found 24, which no qat stage reaches"}},
      {"observers that are frozen before they have seen anything",
       {"train", "exp.json", "--run", "new", "--set", R"(recipe={"schedule": {"freeze_observers_epoch": 0}})", "--set",
        R"(stages.1={"kind": "float", "name": "again", "epochs": 1, "optimizer": {"learning_rate": 0.1}})"},
       {"exp.json /recipe/schedule/freeze_observers_epoch: found 0, but the quantizer of 'x' has seen nothing when the stage 'qat' "
        "begins"}},
      {"a start without ranges, and frozen observers",
       {"train", "exp.json", "--run", "new", "--set", R"(recipe={"schedule": {"freeze_observers_epoch": 0}})", "--set",
        R"(stages=[{"kind": "qat", "epochs": 1, "optimizer": {"learning_rate": 0.1}}])", "--set", "start=run/float.safetensors"},
       {"exp.json /recipe/schedule/freeze_observers_epoch: found 0, but the quantizer of 'x' has seen nothing when the stage 'qat' "
        "begins"}},
      {"batch-norm that divides by nothing", train_with("model.layers.1.eps=0"), {"exp.json /model /layers/1/eps: found 0, expected "}},
      {"batch-norm whose statistics stand still",
       train_with("model.layers.1.momentum=0"),
       {"exp.json /model /layers/1/momentum: found 0, expected "}},
      {"batch-norm whose statistics run away",
       train_with("model.layers.1.momentum=1.5"),
       {"exp.json /model /layers/1/momentum: found 1.5, expected at most 1"}},
      {"an optimizer that divides by nothing",
       train_with("stages.2.optimizer.eps=0"),
       {"exp.json /stages/2/optimizer/eps: found 0, expected at least 1e-37"}},
      {"two experiments of one name", {"compare", "exp.json", "exp.json"}, {"exp.json /name: another experiment is named 'small' too"}},
  };
  for (const BadInput& bad : table) check_refused(bad);
}

TEST_CASE("bad data is told with file, place, and what was expected") {
  const BadInput table[] = {
      {"no file", train_with("data.train.images=nosuch"), {"nosuch: can't be opened: No such file or directory"}},
      {"a folder", train_with("data.train.images=run"), {"run: is a folder, expected a file"}},
      {"no IDX", train_with("data.train.images=pictures.txt"), {"pictures.txt: is no IDX file: expected two zero bytes at byte 0"}},
      {"a truncated file", train_with("data.train.images=truncated.images"), {"truncated.images: has 984 bytes", "[96,12,12] says 13824"}},
      {"a truncated header",
       train_with("data.train.images=header.images"),
       {"header.images: is truncated: its header needs 16 bytes, found 9"}},
      {"a corrupt gzip", train_with("data.train.images=corrupt.gz"), {"corrupt.gz: is a corrupt or truncated gzip file, after 0 bytes"}},
      {"a label out of range", train_with("data.train.labels=range.labels"), {"range.labels: the label of image 17 is 9, expected 0 to 3"}},
      {"counts that disagree",
       train_with("data.train.labels=short.labels"),
       {"short.labels has 50 labels, but ", "train.images has 96 images"}},
      {"images as labels",
       train_with("data.train.labels=train.images"),
       {"train.images: has elements [96,12,12], expected labels [count]"}},
      {"labels as images", train_with("data.train.images=train.labels"), {"train.labels: has 1 dimensions (byte 3), expected "}},
      {"pictures of another size",
       train_with("data.train.images=large.images"),
       {"large.images: its images are [1,14,14], the model's input 'x' expects [1,12,12]"}},
      {"a format of other keys", train_with("data.format=cifar10"), {"exp.json /data/train: ", "unknown key 'images'", "'batches'"}},
      {"a batch larger than the data",
       train_with("batch=1000"),
       {"exp.json /batch: found 1000, the training data has 96 images (", "train.labels)"}},
      {"a flipped vector",
       {"run", "run/qat.stair", "--input", "wrong.npy"},
       {"wrong.npy: holds u8[1,1,13,12], the model expects [1,12,12]"}},
      {"no .npy", {"run", "run/qat.stair", "--input", "exp.json"}, {"exp.json: is no .npy file"}},
  };
  for (const BadInput& bad : table) check_refused(bad);
}

TEST_CASE("bad checkpoints and artifacts are told with what is wrong with them") {
  const BadInput table[] = {
      {"a damaged checkpoint", {"eval", "damaged.safetensors"}, {"damaged.safetensors: is damaged: its checksum is "}},
      {"a truncated checkpoint", {"inspect", "truncated.safetensors"}, {"truncated.safetensors: is truncated"}},
      {"a foreign safetensors",
       {"eval", "foreign.safetensors"},
       {"foreign.safetensors: is a safetensors file of another program, expected a staircase checkpoint"}},
      {"an artifact as checkpoint",
       {"export", "run/qat.stair", "-o", "a.stair"},
       {"run/qat.stair: is a staircase artifact, expected a staircase checkpoint"}},
      {"a checkpoint as artifact",
       {"verify", "run", "run/qat.safetensors"},
       {"run/qat.safetensors: is a staircase checkpoint, expected a staircase artifact"}},
      {"more images than there are",
       {"verify", "run", "run/qat.stair", "--images", "1000"},
       {"--images 1000: the test data has 50 images\n"}},
      {"less memory than anything takes",
       {"eval", "run/qat.stair", "--data", "exp.json", "--memory", "100"},
       {" KiB (states 696 bytes), expected at most 100 bytes; --memory SIZE allows more\n"}},
      {"a newer artifact",
       {"inspect", "newer.stair"},
       {"newer.stair: is a staircase artifact of version 3, this program reads versions 1 to 2"}},
      {"a folder without run", {"eval", "."}, {"./last.safetensors: can't be opened"}},
      {"another model's artifact",
       {"verify", "run", "other/calibrate.stair"},
       {"other/calibrate.stair and run: ", "has no counterpart in the training graph"}},
      {"a checkpoint to start from, of another model",
       {"train", "exp.json", "--run", "new", "--set", "start=other/calibrate.safetensors"},
       {"other/calibrate.safetensors: has no tensor 'conv.weight', which the model expects"}},
      {"a checkpoint without a tensor", {"eval", "lacking.safetensors"}, {"lacking.safetensors: has no tensor 'bn.mean'"}},
      {"a checkpoint with a recipe that is none",
       {"eval", "recipe.safetensors"},
       {"recipe.safetensors: recipe /weights/bits: found 99, expected at most 8"}},
      {"float weights", {"export", "run/float.safetensors", "-o", "a.stair"}, {"run/float.safetensors: has seen no quantization"}},
      {"an artifact without data", {"eval", "run/qat.stair"}, {"run/qat.stair: an artifact holds no data, expected --data"}},
      {"a recipe's bits",
       {"calibrate", "run", "-o", "a", "--recipe", "recipe.json"},
       {"recipe.json: recipe /weights/bits: found 1, expected at least 2"}},
      {"an unknown recipe", {"calibrate", "run", "-o", "a", "--recipe", "int9"}, {"--recipe: ", "\"int9\" (did you mean 'int8'?)"}},
      {"too many batches", {"calibrate", "run", "-o", "a", "--batches", "99"}, {"--batches 99: the training data has 12 batches"}},
  };
  for (const BadInput& bad : table) check_refused(bad);
}

TEST_CASE("output that can't be written leaves everything as it was") {
  const BadInput table[] = {
      {"a full device", {"export", "run", "-o", "/dev/full"}, {"/dev/full: can't be written: No space left on device"}},
      {"a full device for text", {"opt", "model.json", "-o", "/dev/full"}, {"/dev/full: can't be written: No space left on device"}},
      {"a full standard output", {"opt", "model.json"}, {"standard output can't be written"}, {"/dev/full", 0}},
      {"a folder that isn't there", {"export", "run", "-o", "new/a.stair"}, {"new/a.stair: can't be written: No such file or directory"}},
      {"a file as folder", {"export", "run", "-o", "exp.json/a.stair"}, {"exp.json/a.stair: can't be written: Not a directory"}},
      {"a folder as file", {"export", "run", "-o", "run"}, {"run: is a folder, expected a file to write"}},
      {"a file that may not grow",
       {"export", "run", "-o", "run/qat.stair"},
       {"run/qat.stair: can't be written: File too large"},
       {"", 2000}},
      {"a checkpoint that may not grow",
       {"calibrate", "run", "-o", "run/ptq.safetensors", "--batches", "1"},
       {"run/ptq.safetensors: can't be written: File too large"},
       {"", 2000}},
  };
  for (const BadInput& bad : table) check_refused(bad);
  CHECK(std::filesystem::is_character_file("/dev/full"));
}

TEST_CASE("a training whose disk is full keeps the last checkpoint and no temporary files") {
  const TemporaryFolder folder;
  tests::write_experiment(folder);
  const Outcome outcome = run_stair({"train", "exp.json", "--run", "run", "--quiet"}, folder.path(), {"", 3500});
  CAPTURE(outcome.err);
  CHECK(outcome.code == 2);
  CHECK(outcome.err.find("can't be written: File too large") != std::string::npos);
  for (const auto& [name, bytes] : folder.files()) CHECK(name.find(".tmp") == std::string::npos);
}
