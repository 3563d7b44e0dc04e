#include "frontend/reports/svg.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include "frontend/importer.h"

using namespace stair;

namespace {

struct Box {
  double left, top, right, bottom;
};

std::vector<Box> boxes_of(const std::string& svg) {
  static const std::regex rectangle("<rect x=\"([0-9.]+)\" y=\"([0-9.]+)\" width=\"([0-9.]+)\" height=\"([0-9.]+)\"");
  std::vector<Box> boxes;
  for (std::sregex_iterator it(svg.begin(), svg.end(), rectangle), end; it != end; ++it) {
    const auto number = [&](std::size_t group) { return std::stod((*it)[group]); };
    boxes.push_back({number(1), number(2), number(1) + number(3), number(2) + number(4)});
  }
  return boxes;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a drawing has a box for each input and node, an arrow for each operand, and nothing lies on a box") {
  for (const char* name : {"lenet", "mixed", "resnet20"}) {
    CAPTURE(name);
    const ir::Graph graph = frontend::import_model(std::string(STAIR_SOURCE_DIR "/examples/models/") + name + ".json", 1).model;
    const std::string svg = reports::to_svg(graph);
    const std::vector<Box> boxes = boxes_of(svg);
    std::size_t operands = 0;
    for (const ir::Node& node : graph.nodes()) {
      operands += static_cast<std::size_t>(std::count_if(node.operands.begin(), node.operands.end(), [&](ir::ValueId operand) {
        return operand != ir::absent && graph.state(operand) == nullptr;
      }));
    }
    CHECK(boxes.size() == graph.nodes().size() + graph.inputs().size());
    CHECK(count(svg, "marker-end") == operands);
    CHECK(count(svg, "stroke-width=\"3\"") == graph.outputs().size());
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const bool apart = boxes[i].right <= boxes[j].left || boxes[j].right <= boxes[i].left || boxes[i].bottom <= boxes[j].top ||
                           boxes[j].bottom <= boxes[i].top;
        CHECK(apart);
      }
    }
    static const std::regex straight_down("<line x1=\"([0-9.]+)\" y1=\"([0-9.]+)\" x2=\"\\1\" y2=\"([0-9.]+)\"");
    for (std::sregex_iterator it(svg.begin(), svg.end(), straight_down), end; it != end; ++it) {
      const double x = std::stod((*it)[1]);
      const double middle = (std::stod((*it)[2]) + std::stod((*it)[3])) / 2;
      CHECK(std::none_of(boxes.begin(), boxes.end(),
                         [&](const Box& box) { return box.left < x && x < box.right && box.top < middle && middle < box.bottom; }));
    }
  }
}
