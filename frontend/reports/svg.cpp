#include "frontend/reports/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <vector>

#include "ir/op.h"

namespace stair::reports {
namespace {

constexpr double character = 7.3;  // width of one in a monospaced font of 12 px
constexpr double line_height = 16;
constexpr double box_height = 3 * line_height + 8;
constexpr double layer_gap = 36, box_gap = 24, margin = 20;
constexpr int sweeps = 12;

// A layered drawing (Sugiyama, Tagawa, Toda 1981): every box stands below what it reads; a line over several layers gets a bend in each,
// which takes up room like a box, so that lines pass beside boxes.
struct Place {
  std::vector<std::string> lines;  // none: a bend
  bool integers = false, output = false;
  std::size_t layer = 0;
  double width = 0, x = 0;                // x of the middle
  std::vector<std::size_t> above, below;  // neighbours in the layers beside
};
using Edges = std::vector<std::pair<std::size_t, std::size_t>>;  // from, to; in topological order of the second
struct Drawing {
  std::vector<Place> places;
  Edges lines;                                   // pieces from one layer to the next
  std::vector<std::vector<std::size_t>> layers;  // places from left to right
};

std::string escaped_for_svg(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

Place box(const ir::Graph& graph, ir::ValueId value, std::string op) {
  const ir::Type& type = graph.type(value);
  Place place;
  place.lines = {std::move(op), graph.value(value).name, to_string(type)};
  for (const std::string& line : place.lines) place.width = std::max(place.width, character * static_cast<double>(line.size()) + 16);
  place.integers = !ir::is_float(type.dtype);
  return place;
}

Edges add_boxes(const ir::Graph& graph, std::vector<Place>& places) {
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> place_of(graph.values().size(), none);
  for (const ir::ValueId input : graph.inputs()) {
    place_of[static_cast<std::size_t>(input)] = places.size();
    places.push_back(box(graph, input, "input"));
  }
  Edges edges;
  for (const ir::Node& node : graph.nodes()) {
    std::vector<std::size_t> sources;
    for (const ir::ValueId operand : node.operands) {
      if (operand == ir::absent) continue;
      const std::size_t source = place_of[static_cast<std::size_t>(operand)];
      if (source != none && std::find(sources.begin(), sources.end(), source) == sources.end()) sources.push_back(source);
    }
    for (const std::size_t source : sources) edges.emplace_back(source, places.size());
    for (const ir::ValueId result : node.results) place_of[static_cast<std::size_t>(result)] = places.size();
    places.push_back(box(graph, node.results.front(), node.op->name));
  }
  for (const ir::Output& output : graph.outputs()) {
    const std::size_t place = place_of[static_cast<std::size_t>(output.value)];
    if (place != none) places[place].output = true;
  }
  return edges;
}

// Below everything read; what reads nothing stands right above its first reader.
void set_layers(const Edges& edges, std::vector<Place>& places) {
  std::vector<bool> reads(places.size(), false);
  for (const auto& [from, to] : edges) {
    reads[to] = true;
    places[to].layer = std::max(places[to].layer, places[from].layer + 1);
  }
  for (std::size_t place = 0; place < places.size(); ++place) {
    if (reads[place]) continue;
    std::size_t first_reader = 0;
    for (const auto& [from, to] : edges) {
      if (from == place) first_reader = first_reader == 0 ? places[to].layer : std::min(first_reader, places[to].layer);
    }
    if (first_reader > 0) places[place].layer = first_reader - 1;
  }
}

void connect(Drawing& drawing, std::size_t from, std::size_t to) {
  drawing.lines.emplace_back(from, to);
  drawing.places[from].below.push_back(to);
  drawing.places[to].above.push_back(from);
}

void add_lines(const Edges& edges, Drawing& drawing) {
  for (const auto& [from, to] : edges) {
    std::size_t last = from;
    for (std::size_t layer = drawing.places[from].layer + 1; layer < drawing.places[to].layer; ++layer) {
      Place bend;
      bend.layer = layer;
      drawing.places.push_back(bend);
      connect(drawing, last, drawing.places.size() - 1);
      last = drawing.places.size() - 1;
    }
    connect(drawing, last, to);
  }
  for (std::size_t place = 0; place < drawing.places.size(); ++place) {
    const std::size_t layer = drawing.places[place].layer;
    if (layer >= drawing.layers.size()) drawing.layers.resize(layer + 1);
    drawing.layers[layer].push_back(place);
  }
}

double mean_x(const Drawing& drawing, const std::vector<std::size_t>& neighbours, double otherwise) {
  if (neighbours.empty()) return otherwise;
  const double sum = std::accumulate(neighbours.begin(), neighbours.end(), 0.0,
                                     [&](double total, std::size_t neighbour) { return total + drawing.places[neighbour].x; });
  return sum / static_cast<double>(neighbours.size());
}

// Everything of a layer as near to its neighbours above (or below) as the order and the boxes' widths allow.
void settle(Drawing& drawing, std::vector<std::size_t>& layer, bool downwards) {
  std::vector<std::pair<double, std::size_t>> wishes;
  for (const std::size_t place : layer) {
    const Place& p = drawing.places[place];
    wishes.emplace_back(mean_x(drawing, downwards ? p.above : p.below, p.x), place);
  }
  std::stable_sort(wishes.begin(), wishes.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  double end = 0;
  double shift = 0;
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    Place& p = drawing.places[wishes[i].second];
    const double nearest = end + box_gap + p.width / 2;
    p.x = i == 0 ? wishes[i].first : std::max(wishes[i].first, nearest);
    end = p.x + p.width / 2;
    shift += wishes[i].first - p.x;
    layer[i] = wishes[i].second;
  }
  for (const std::size_t place : layer) drawing.places[place].x += shift / static_cast<double>(layer.size());
}

Drawing lay_out(const ir::Graph& graph) {
  Drawing drawing;
  const Edges edges = add_boxes(graph, drawing.places);
  set_layers(edges, drawing.places);
  add_lines(edges, drawing);
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (std::vector<std::size_t>& layer : drawing.layers) settle(drawing, layer, true);
    for (auto layer = drawing.layers.rbegin(); layer != drawing.layers.rend(); ++layer) settle(drawing, *layer, false);
  }
  for (std::vector<std::size_t>& layer : drawing.layers) settle(drawing, layer, true);
  double left = 0;
  for (const Place& place : drawing.places) left = std::min(left, place.x - place.width / 2);
  for (Place& place : drawing.places) place.x += margin - left;
  return drawing;
}

double top_of(const Place& place) {
  return margin + static_cast<double>(place.layer) * (box_height + layer_gap);
}

}  // namespace

std::string to_svg(const ir::Graph& graph) {
  const Drawing drawing = lay_out(graph);
  double right = 0;
  for (const Place& place : drawing.places) right = std::max(right, place.x + place.width / 2);
  std::string svg;
  auto out = std::back_inserter(svg);
  fmt::format_to(
      out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0f}\" height=\"{:.0f}\" font-family=\"monospace\" font-size=\"12\">\n",
      right + margin, 2 * margin + static_cast<double>(drawing.layers.size()) * (box_height + layer_gap) - layer_gap);
  fmt::format_to(out, "<title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n", escaped_for_svg(graph.name));
  svg +=
      "<marker id=\"arrow\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"4\" orient=\"auto\"><path d=\"M0,1 L7,4 L0,7 "
      "z\"/></marker>\n";
  for (const auto& [from, to] : drawing.lines) {
    const Place& a = drawing.places[from];
    const Place& b = drawing.places[to];
    // A bend is a straight line down through its layer.
    if (a.lines.empty()) {
      fmt::format_to(out, "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" stroke=\"black\"/>\n", a.x, top_of(a),
                     top_of(a) + box_height);
    }
    fmt::format_to(out, "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"black\"{}/>\n", a.x, top_of(a) + box_height,
                   b.x, top_of(b), b.lines.empty() ? "" : " marker-end=\"url(#arrow)\"");
  }
  for (const Place& place : drawing.places) {
    if (place.lines.empty()) continue;
    fmt::format_to(
        out,
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.0f}\" rx=\"4\" fill=\"{}\" stroke=\"black\" stroke-width=\"{}\"/>\n",
        place.x - place.width / 2, top_of(place), place.width, box_height, place.integers ? "#d6e8fa" : "#f7f7f2", place.output ? 3 : 1);
    for (std::size_t i = 0; i < place.lines.size(); ++i) {
      fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\"{}>{}</text>\n", place.x,
                     top_of(place) + line_height * static_cast<double>(i + 1), i == 0 ? " font-weight=\"bold\"" : "",
                     escaped_for_svg(place.lines[i]));
    }
  }
  return svg + "</svg>\n";
}

}  // namespace stair::reports
