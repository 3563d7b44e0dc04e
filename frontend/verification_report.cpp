#include "frontend/verification_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace stair::driver {
namespace {

using nlohmann::ordered_json;

std::string place(const Difference& d) {
  const std::string index = d.image < 0 ? fmt::format("element {}", d.index) : fmt::format("image {}, element {}", d.image, d.index);
  return fmt::format("'{}' ({}), {}: training has {}, found {}", d.node, d.op, index, d.expected, d.found);
}

ordered_json json_of(const Difference& d) {
  return {{"node", d.node}, {"op", d.op}, {"image", d.image}, {"index", d.index}, {"expected", d.expected}, {"found", d.found}};
}

}  // namespace

std::string describe(const Verification& report) {
  std::string text;
  std::size_t width = 24;
  for (const IntegerComparison& c : report.integers) width = std::max(width, c.subject.size());
  for (const IntegerComparison& c : report.integers) {
    text += fmt::format("{:<{}} {:>14} integers compared, {} differ\n", c.subject, width, c.elements, c.mismatches);
    if (c.first) text += "  first: " + place(*c.first) + "\n";
  }
  if (!report.simulation.empty()) {
    text += fmt::format("{:<{}} {:>14} integers compared, {} off by one (near ties; at most {:.4f} % may be), {} off by more\n",
                        "double-precision floats", width, report.simulated_elements(), report.off_by_one(), 100 * report.allowed_off_by_one,
                        report.off_by_more());
    for (const SimulationComparison& c : report.simulation) {
      text += fmt::format("  {:<{}} {:>14} compared, {} off by one, {} off by more\n", c.node, width - 2, c.elements, c.off_by_one,
                          c.off_by_more);
      if (c.first) text += "    first: " + place(*c.first) + "\n";
    }
  }
  if (!report.behind_floats.empty()) {
    text += fmt::format("{} integer nodes read sums of floats, whose bits depend on the order of addition: not compared\n",
                        report.behind_floats.size());
  }
  if (report.largest_float_difference > 0) {
    text += fmt::format("float outputs differ by at most {:.2g} of the largest (bound {:.2g})\n", report.largest_float_difference,
                        report.allowed_float_difference);
  }
  text += fmt::format("{}: {} images, {} integers compared, {} differ\n", report.holds() ? "holds" : "DOES NOT HOLD", report.images,
                      report.elements(), report.mismatches());
  return text;
}

ordered_json to_json(const Verification& report) {
  ordered_json comparisons = ordered_json::array();
  for (const IntegerComparison& c : report.integers) {
    comparisons.push_back({{"subject", c.subject}, {"elements", c.elements}, {"mismatches", c.mismatches}});
    if (c.first) comparisons.back()["first"] = json_of(*c.first);
  }
  ordered_json quantizers = ordered_json::array();
  for (const SimulationComparison& c : report.simulation) {
    quantizers.push_back({{"node", c.node}, {"elements", c.elements}, {"off_by_one", c.off_by_one}, {"off_by_more", c.off_by_more}});
    if (c.first) quantizers.back()["first"] = json_of(*c.first);
  }
  return {{"holds", report.holds()},
          {"images", report.images},
          {"elements", report.elements()},
          {"mismatches", report.mismatches()},
          {"simulated_elements", report.simulated_elements()},
          {"off_by_one", report.off_by_one()},
          {"off_by_more", report.off_by_more()},
          {"behind_floats", report.behind_floats},
          {"largest_float_difference", report.largest_float_difference},
          {"comparisons", comparisons},
          {"quantizers", quantizers}};
}

}  // namespace stair::driver
