#include "frontend/verification/verification_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace stair::verification {
namespace {

using nlohmann::ordered_json;

std::string place(const Difference& d) {
  const std::string index = d.image < 0 ? fmt::format("element {}", d.index) : fmt::format("image {}, element {}", d.image, d.index);
  return fmt::format("'{}' ({}), {}: training has {}, found {}", d.node, d.op, index, d.expected, d.found);
}

std::int64_t of_training(const Verification& report, std::int64_t Judgement::*count) {
  std::int64_t sum = 0;
  for (const Judgement& j : report.judgements) sum += j.*count;
  return sum;
}

// What nobody looked at: said with every verdict.
std::string unchecked(const Verification& report) {
  std::vector<std::string> parts;
  if (report.not_stored() > 0) parts.push_back(fmt::format("{} integers that fused kernels don't store", report.not_stored()));
  if (!report.unchecked.empty()) parts.push_back(fmt::format("{} nodes behind sums of floats", report.unchecked.size()));
  if (report.judgements.empty()) parts.emplace_back("the integers of training themselves (--no-simulation)");
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
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
  for (const IntegerComparison& c : report.integers) {
    if (c.judged == 0) continue;
    text += fmt::format("{:<{}} {:>14} numbers behind sums of floats judged, {} wrong\n", c.subject, width, c.judged, c.judged_wrong);
  }
  if (!report.judgements.empty()) {
    text += fmt::format("{:<{}} {:>14} numbers judged in double precision, {} at ties, {} wrong\n", "training", width,
                        of_training(report, &Judgement::elements), report.near_ties(), of_training(report, &Judgement::wrong));
    Judgement constants{"constants", "", true};
    for (const Judgement& j : report.judgements) {
      if (!j.constant) continue;
      constants.elements += j.elements;
      constants.near_ties += j.near_ties;
      constants.wrong += j.wrong;
    }
    const auto line = [&](const Judgement& j, const std::string& name) {
      text += fmt::format("  {:<{}} {:>14} judged, {} at ties, {} wrong\n", name, width - 2, j.elements, j.near_ties, j.wrong);
      if (j.first) text += "    first: " + place(*j.first) + "\n";
    };
    line(constants, "constants");
    for (const Judgement& j : report.judgements) {
      if (!j.constant) line(j, j.node);
      if (j.constant && j.wrong > 0) line(j, j.node + ": " + j.what);
    }
  }
  text += fmt::format("{}: {} images, {} integers compared, {} differ; {} numbers judged, {} wrong; unchecked: {}\n",
                      report.holds() ? "holds" : "DOES NOT HOLD", report.images, report.elements(), report.mismatches(), report.judged(),
                      report.wrong(), unchecked(report));
  return text;
}

ordered_json to_json(const Verification& report) {
  ordered_json comparisons = ordered_json::array();
  for (const IntegerComparison& c : report.integers) {
    comparisons.push_back({{"subject", c.subject},
                           {"elements", c.elements},
                           {"mismatches", c.mismatches},
                           {"judged", c.judged},
                           {"judged_wrong", c.judged_wrong},
                           {"not_stored", c.not_stored}});
    if (c.first) comparisons.back()["first"] = json_of(*c.first);
  }
  ordered_json judgements = ordered_json::array();
  for (const Judgement& j : report.judgements) {
    judgements.push_back({{"node", j.node}, {"what", j.what}, {"elements", j.elements}, {"near_ties", j.near_ties}, {"wrong", j.wrong}});
    if (j.first) judgements.back()["first"] = json_of(*j.first);
  }
  return {{"holds", report.holds()},       {"images", report.images},
          {"elements", report.elements()}, {"mismatches", report.mismatches()},
          {"judged", report.judged()},     {"near_ties", report.near_ties()},
          {"wrong", report.wrong()},       {"behind_floats", report.behind_floats},
          {"unchecked", report.unchecked}, {"not_stored", report.not_stored()},
          {"comparisons", comparisons},    {"judgements", judgements}};
}

}  // namespace stair::verification
