#include <doctest/doctest.h>

#include "runtime/checkpoint.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

// A run of one float epoch, and of an experiment that starts from its checkpoint and moves no weight.
struct Starts {
  TemporaryFolder folder;
  Json json = tests::small_experiment();
  Starts() {
    tests::write_experiment(folder);
    json["stages"] = Json::array({json["stages"][0]});
    json["stages"][0]["epochs"] = 1;
    REQUIRE(train("first").code == 0);
    json["stages"][0]["optimizer"] = {{"learning_rate", 1e-30}};
  }
  Outcome train(const std::string& run) {
    folder.write("exp.json", json.dump());
    return run_stair({"train", "exp.json", "--run", run, "--overwrite", "--threads", "1"}, folder.path());
  }
  bool same(const std::string& here, const std::string& there) const {
    const runtime::Checkpoint a = runtime::load_checkpoint(folder.path() + "/second/float.safetensors");
    const runtime::Checkpoint b = runtime::load_checkpoint(folder.path() + "/first/float.safetensors");
    const runtime::Tensor& x = a.states.find(here)->second;
    const runtime::Tensor& y = b.states.find(there)->second;
    return x.type() == y.type() && std::string(x.as<char>(), x.bytes()) == std::string(y.as<char>(), y.bytes());
  }
  Json& layer(const std::string& op) {
    for (Json& each : json["model"]["layers"]) {
      if (each["op"] == op) return each;
    }
    throw std::runtime_error(op);
  }
};

}  // namespace

TEST_CASE("a pretrained body gets another head: what fits is taken, and what doesn't is told") {
  Starts starts;
  const std::string conv = starts.layer("conv2d")["name"];
  const std::string head = starts.layer("linear")["name"];
  starts.layer("linear")["features"] = 7;
  starts.json["start"] = {{"checkpoint", "first/float.safetensors"}};
  const Outcome outcome = starts.train("second");
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out.find("; begin anew: " + head + ".weight (f32[4,") != std::string::npos);
  CHECK(starts.same(conv + ".weight", conv + ".weight"));
  CHECK_FALSE(starts.same(head + ".weight", head + ".weight"));
}

TEST_CASE("a start takes tensors by pattern, under the names that they have in another model") {
  Starts starts;
  const std::string conv = starts.layer("conv2d")["name"];
  const std::string head = starts.layer("linear")["name"];
  starts.layer("conv2d")["name"] = "body.first";
  starts.json["start"] = {
      {"checkpoint", "first/float.safetensors"}, {"take", {"body.*"}}, {"rename", {{{"from", conv + "."}, {"to", "body.first."}}}}};
  const Outcome outcome = starts.train("second");
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(starts.same("body.first.weight", conv + ".weight"));
  CHECK_FALSE(starts.same(head + ".weight", head + ".weight"));
}

TEST_CASE("a start that takes nothing, or less than it says, is refused") {
  Starts starts;
  const auto error = [&](const Json& start) {
    starts.json["start"] = start;
    const Outcome outcome = starts.train("second");
    CHECK(outcome.code == 2);
    return outcome.err;
  };
  const std::string file = starts.folder.path() + "/first/float.safetensors";
  CHECK(error({{"checkpoint", "first/float.safetensors"}, {"take", {"nothing*"}}}) ==
        "stair: exp.json /start/take/0: found 'nothing*', which takes nothing of " + file + "\n");
  CHECK(error({{"checkpoint", "first/float.safetensors"}, {"rename", {{{"from", "none."}, {"to", "x."}}}}}) ==
        "stair: exp.json /start/rename/0/from: found 'none.', with which no tensor of " + file + " begins\n");
  CHECK(error({{"file", "first/float.safetensors"}}).find("/start/file: unknown key 'file'") != std::string::npos);
  CHECK(error({{"take", {"*"}}}).find("/start: the key 'checkpoint' is missing") != std::string::npos);
  starts.layer("linear")["features"] = 7;
  const std::string whole = error("first/float.safetensors");  // as a text it must hold all of the model
  INFO(whole);
  CHECK(whole.find(file + ": ") != std::string::npos);
  CHECK(whole.find(".weight") != std::string::npos);
}

TEST_CASE("what an experiment starts from is evaluated before anything is trained") {
  Starts starts;
  const auto eval = [&](const std::vector<std::string>& arguments) {
    starts.folder.write("exp.json", starts.json.dump());
    std::vector<std::string> all{"eval"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_stair(all, starts.folder.path());
  };
  CHECK(eval({"exp.json"}).err == "stair: exp.json: starts from no weights, expected an ONNX model as 'model', or 'start'\n");
  starts.json["start"] = "first/float.safetensors";
  const Json expected = Json::parse(eval({"first/float.safetensors", "--json"}).out);
  const Outcome outcome = eval({"exp.json", "--json"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const Json found = Json::parse(outcome.out);
  CHECK(found["arithmetic"] == "float, from the start");
  CHECK(found["test_accuracy"] == expected["test_accuracy"]);
  CHECK(eval({"exp.json", "--float"}).err == "stair: --float: what an experiment starts from is in float anyway\n");
  CHECK(eval({"exp.json", "--data", "exp.json"}).err == "stair: --data: exp.json is an experiment, which has data\n");
  const std::string head = starts.layer("linear")["name"];
  starts.layer("linear")["features"] = 7;
  starts.json["start"] = {{"checkpoint", "first/float.safetensors"}};
  const Outcome partial = eval({"exp.json"});
  CHECK(partial.code == 2);
  CHECK(partial.err.find("stair: exp.json /start: leaves " + head + ".") == 0);
}
