#include "runtime/example_form.h"

namespace stair::runtime {

const std::vector<ir::AttributeSpec>& example_form_keys() {
  static const std::vector<ir::AttributeSpec> keys{{.name = "element",
                                                    .doc = "type of what the model was trained on",
                                                    .fallback = std::string(),
                                                    .choices = {"u8", "f32", "i32"},
                                                    .optional = true},
                                                   {.name = "shorter_side",
                                                    .doc = "pixels that the shorter side of pictures of other sizes was scaled to",
                                                    .fallback = std::int64_t{1},
                                                    .bounds = ir::within(1, 16384),
                                                    .optional = true}};
  return keys;
}

ExampleForm example_form_of(const ir::Attributes& keys) {
  ExampleForm form;
  if (keys.has("element")) form.element = keys.text("element");
  if (keys.has("shorter_side")) form.shorter_side = keys.integer("shorter_side");
  return form;
}

ir::Json to_json(const ExampleForm& form) {
  ir::Json json = ir::Json::object();
  if (!form.element.empty()) json["element"] = form.element;
  if (form.shorter_side) json["shorter_side"] = *form.shorter_side;
  return json;
}

}  // namespace stair::runtime
