#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "ir/error.h"
#include "runtime/dataset.h"
#include "runtime/gzip.h"

// Tables of numbers with a header: examples f32 [N, columns], labels integers [N] or values f32 [N, columns]. Fields stand between commas,
// or what else the settings say, in quotes or not (RFC 4180); spaces around a number don't count.

namespace stair::runtime::datasets {
namespace {

using Row = std::vector<std::string>;

class Table {
 public:
  Table(const std::string& path, char separator) : path_(path), separator_(separator), bytes_(read_maybe_gzipped(path)) {
    if (bytes_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  std::size_t line() const { return first_line_; }
  bool done() const { return at_ >= bytes_.size(); }

  Row next() {
    Row row(1);
    first_line_ = line_;
    while (at_ < bytes_.size()) {
      const char c = bytes_[at_++];
      if (c == '"' && row.back().empty()) {
        quoted(row.back());
      } else if (c == separator_) {
        row.emplace_back();
      } else if (c == '\n') {
        ++line_;
        break;
      } else if (c != '\r' || (at_ < bytes_.size() && bytes_[at_] != '\n')) {
        row.back() += c;
      }
    }
    return row;
  }

 private:
  void quoted(std::string& field) {
    for (; at_ < bytes_.size(); ++at_) {
      if (bytes_[at_] == '\n') ++line_;
      if (bytes_[at_] != '"') {
        field += bytes_[at_];
      } else if (at_ + 1 < bytes_.size() && bytes_[at_ + 1] == '"') {
        field += bytes_[++at_];
      } else {
        ++at_;
        return;
      }
    }
    throw Error(fmt::format("{}: line {}: a field in quotes has no end", path_, first_line_));
  }

  std::string path_;
  char separator_;
  std::string bytes_;
  std::size_t at_ = 0, line_ = 1, first_line_ = 1;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

template <class Number>
Number number_of(const std::string& field, const std::string& where, const char* expected) {
  const std::string_view text = trimmed(field);
  Number number{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size())
    throw Error(fmt::format("{}: found '{}', expected {}", where, field, expected));
  return number;
}

std::size_t index_of(const Row& names, const std::string& name, const std::string& path) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw Error(fmt::format("{}: has no column '{}'{}, expected {}", path, name, did_you_mean(name, names), one_of(names)));
  return static_cast<std::size_t>(found - names.begin());
}

std::vector<std::size_t> indices_of(const Row& names, const std::vector<std::string>& wanted, const std::string& path) {
  std::vector<std::size_t> indices;
  for (const std::string& name : wanted) indices.push_back(index_of(names, name, path));
  return indices;
}

float value_of(const std::string& field, const std::string& where) {
  const auto value = number_of<float>(field, where, "a number of binary32");
  if (!std::isfinite(value)) throw Error(fmt::format("{}: found '{}', expected a finite number", where, field));
  return value;
}

char separator_of(const std::string& text, const std::string& path) {
  const bool is_free = text.size() == 1 && std::string_view("\"\r\n.+-0123456789eE").find(text) == std::string_view::npos;
  if (!is_free)
    throw Error(fmt::format("{}: found the separator '{}', expected one character that no number has, like ',' or ';'", path, text));
  return text.front();
}

Dataset load_csv(const DatasetPart& part) {
  const std::string& path = part.files.at("table").front();
  Table table(path, separator_of(part.settings.text("separator"), path));
  Row names = table.next();
  for (std::string& name : names) name = std::string(trimmed(name));
  for (auto at = names.begin(); at != names.end(); ++at) {
    if (std::find(names.begin(), at, *at) != at) throw Error(fmt::format("{}: line 1 names two columns '{}'", path, *at));
  }
  const std::string& label = part.settings.text("label");
  const std::vector<std::size_t> expected = indices_of(names, part.settings.texts("values"), path);
  if (label.empty() == expected.empty())
    throw Error(path + ": expected either 'label', the column of the classes, or 'values', columns of numbers");
  std::vector<std::size_t> taken = expected;
  if (!label.empty()) taken.push_back(index_of(names, label, path));
  std::vector<std::size_t> columns = indices_of(names, part.settings.texts("columns"), path);
  for (std::size_t c = 0; c < names.size() && part.settings.texts("columns").empty(); ++c) {
    if (std::find(taken.begin(), taken.end(), c) == taken.end()) columns.push_back(c);
  }
  if (columns.empty()) throw Error(path + ": has no column but the labels'");
  std::vector<float> values, targets;
  std::vector<std::int32_t> labels;
  while (!table.done()) {
    const Row row = table.next();
    if (row.size() == 1 && trimmed(row.front()).empty()) continue;
    const std::string line = fmt::format("{}: line {}", path, table.line());
    if (row.size() != names.size()) throw Error(fmt::format("{}: has {} fields, the header has {}", line, row.size(), names.size()));
    const auto place = [&](std::size_t c) { return fmt::format("{}, column '{}'", line, names[c]); };
    for (const std::size_t c : columns) values.push_back(value_of(row[c], place(c)));
    for (const std::size_t c : expected) targets.push_back(value_of(row[c], place(c)));
    if (label.empty()) continue;
    labels.push_back(number_of<std::int32_t>(row[taken.back()], place(taken.back()), "a class: an integer from 0 on"));
    if (labels.back() < 0) throw Error(fmt::format("{}: found {}, expected a class from 0 on", place(taken.back()), labels.back()));
  }
  if (values.empty()) throw Error(path + ": has no lines behind its header");
  const auto width = static_cast<std::int64_t>(columns.size());
  const std::int64_t count = static_cast<std::int64_t>(values.size()) / width;
  Tensor examples({ir::DType::f32, {count, width}});
  std::copy(values.begin(), values.end(), examples.as<float>());
  Dataset dataset{std::move(examples), Tensor({ir::DType::i32, {count}}), path};
  std::copy(labels.begin(), labels.end(), dataset.labels.as<std::int32_t>());
  if (expected.empty()) return dataset;
  dataset.labels = Tensor({ir::DType::f32, {count, static_cast<std::int64_t>(expected.size())}});
  std::copy(targets.begin(), targets.end(), dataset.labels.as<float>());
  return dataset;
}

}  // namespace

void csv(DatasetRegistry& registry) {
  registry.add({.name = "csv",
                .summary = "a table of numbers with a header, gzipped or not",
                .files = {"table"},
                .load = load_csv,
                .settings = {{.name = "label", .doc = "the column of the classes, integers from 0 on", .fallback = std::string()},
                             {.name = "values",
                              .doc = "in place of label: columns of numbers that the outputs are to be",
                              .fallback = std::vector<std::string>()},
                             {.name = "separator", .doc = "what stands between fields", .fallback = std::string(",")},
                             {.name = "columns",
                              .doc = "those that an example is made of, in this order; none named: all others, in the table's order",
                              .fallback = std::vector<std::string>()}}});
}

}  // namespace stair::runtime::datasets
