#include <fmt/format.h>

#include "frontend/exporter.h"
#include "frontend/exporters/onnx/emitter.h"
#include "ir/error.h"
#include "runtime/file.h"

namespace stair::frontend::exporters_ {
namespace {

constexpr std::int64_t ir_version = 8;
constexpr std::int64_t opset = 17;
constexpr std::size_t largest = 2'147'483'647;  // bytes of a message of protobuf

to_onnx::Message pair(const std::string& key, const std::string& value) {
  to_onnx::Message made;
  made.bytes(1, key);
  made.bytes(2, value);
  return made;
}

void check_settings(const Exported& model, const ir::Attributes& settings) {
  if (model.artifact.recipe.empty() && settings.text("style") != "qdq") throw Error("--style: has no effect on a float model");
  if (!settings.boolean("preprocess")) return;
  for (const runtime::InputForm& form : model.artifact.inputs) {
    if (form.images.element.empty()) throw Error("--preprocess: the checkpoint doesn't say whether it was trained on u8 or f32");
  }
}

Written write_onnx(const Exported& model, const ir::Attributes& settings, const std::string& path) {
  check_settings(model, settings);
  to_onnx::Emitter emit(model, settings.text("style") == "qdq" ? to_onnx::Style::qdq : to_onnx::Style::qlinear,
                        settings.boolean("preprocess"));
  emit.run();
  Written written;
  for (const to_onnx::Inexact& its : emit.inexact()) written.inexact.push_back(fmt::format("'{}' ({}): {}", its.node, its.op, its.why));
  if (!written.inexact.empty() && !settings.boolean("allow_inexact")) return written;

  to_onnx::Message opsets;
  opsets.bytes(1, "");
  opsets.integer(2, opset);
  to_onnx::Message file;
  file.integer(1, ir_version);
  file.bytes(2, "staircase");
  file.message(7, emit.graph_message());
  file.message(8, opsets);
  if (!model.artifact.recipe.empty()) file.message(14, pair("stair.recipe", model.artifact.recipe));
  if (settings.boolean("preprocess")) file.message(14, pair("stair.preprocess", "true"));
  if (file.text().size() > largest) {
    throw Error(fmt::format("{}: the model takes {} bytes, an ONNX file has at most {}", path, file.text().size(), largest));
  }
  runtime::write_file(path, file.text());
  written.bytes = file.text().size();
  return written;
}

}  // namespace

void onnx(ExporterRegistry& registry) {
  registry.add(
      {"onnx",
       "an ONNX model (opset 17) that ONNX Runtime computes with our bits",
       write_onnx,
       true,
       {ir::choice("style", "float layers between DequantizeLinear and QuantizeLinear, or operators on integers", {"qdq", "qlinear"}),
        {"preprocess", "take the inputs as they are in the data, u8 or f32, and normalize them in the model", false},
        {"allow_inexact", "write it also where ONNX Runtime will compute other bits", false}}});
}

}  // namespace stair::frontend::exporters_
