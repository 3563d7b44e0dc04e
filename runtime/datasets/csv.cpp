#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
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

// What an input is made of, or what an output is held against: columns of numbers, or one of classes.
struct Columns {
  std::vector<std::size_t> indices;
  bool classes = false;
  std::int64_t rows = 0;  // of an embedding, which the columns are indices of; 0: they are numbers
  std::vector<float> numbers = {};
  std::vector<std::int32_t> labels = {};

  void read(const Row& row, const std::function<std::string(std::size_t)>& place) {
    for (const std::size_t c : indices) {
      if (rows > 0) {
        labels.push_back(number_of<std::int32_t>(row[c], place(c), "an index: an integer"));
        if (labels.back() < 0 || labels.back() >= rows)
          throw Error(fmt::format("{}: found {}, expected 0 to {}, a row of the embedding", place(c), labels.back(), rows - 1));
        continue;
      }
      if (!classes) {
        numbers.push_back(value_of(row[c], place(c)));
        continue;
      }
      labels.push_back(number_of<std::int32_t>(row[c], place(c), "a class: an integer from 0 on"));
      if (labels.back() < 0) throw Error(fmt::format("{}: found {}, expected a class from 0 on", place(c), labels.back()));
    }
  }

  Tensor tensor() const {
    const auto width = static_cast<std::int64_t>(indices.size());
    const auto size = static_cast<std::int64_t>(std::max(labels.size(), numbers.size()));
    const ir::DType dtype = classes || rows > 0 ? ir::DType::i32 : ir::DType::f32;
    Tensor made(classes ? ir::Type{dtype, {size}} : ir::Type{dtype, {size / width, width}});
    std::copy(labels.begin(), labels.end(), made.as<std::int32_t>());
    std::copy(numbers.begin(), numbers.end(), made.as<float>());
    return made;
  }
};

std::vector<Columns> label_columns(const DatasetPart& part, const Row& names, const std::string& path) {
  const std::vector<std::vector<std::string>> classes = said_by_output(part, "label");
  const std::vector<std::vector<std::string>> values = said_by_output(part, "values");
  std::vector<Columns> all;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const bool of_classes = !classes[i].empty() && !classes[i].front().empty();
    if (of_classes != values[i].empty())
      throw Error(path + ": expected either 'label', the column of the classes, or 'values', columns of numbers");
    all.push_back({indices_of(names, of_classes ? classes[i] : values[i], path), of_classes});
  }
  return all;
}

std::vector<Columns> input_columns(const DatasetPart& part, const std::vector<Columns>& labels, const Row& names, const std::string& path) {
  std::vector<Columns> all;
  for (const std::vector<std::string>& said : said_by_input(part, "columns")) {
    Columns& input = all.emplace_back(Columns{indices_of(names, said, path), false, rows_of_input(part, all.size())});
    for (std::size_t c = 0; c < names.size() && said.empty(); ++c) {
      const auto has = [c](const Columns& of) { return std::find(of.indices.begin(), of.indices.end(), c) != of.indices.end(); };
      if (std::none_of(labels.begin(), labels.end(), has)) input.indices.push_back(c);
    }
    if (input.indices.empty()) throw Error(path + ": has no column but the labels'");
  }
  return all;
}

Dataset load_csv(const DatasetPart& part) {
  const std::string& path = part.files.at("table").front();
  Table table(path, separator_of(part.settings.text("separator"), path));
  Row names = table.next();
  for (std::string& name : names) name = std::string(trimmed(name));
  for (auto at = names.begin(); at != names.end(); ++at) {
    if (std::find(names.begin(), at, *at) != at) throw Error(fmt::format("{}: line 1 names two columns '{}'", path, *at));
  }
  std::vector<Columns> labels = label_columns(part, names, path);
  std::vector<Columns> inputs = input_columns(part, labels, names, path);
  bool empty = true;
  while (!table.done()) {
    const Row row = table.next();
    if (row.size() == 1 && trimmed(row.front()).empty()) continue;
    const std::string line = fmt::format("{}: line {}", path, table.line());
    if (row.size() != names.size()) throw Error(fmt::format("{}: has {} fields, the header has {}", line, row.size(), names.size()));
    const auto place = [&](std::size_t c) { return fmt::format("{}, column '{}'", line, names[c]); };
    for (Columns& of : inputs) of.read(row, place);
    for (Columns& of : labels) of.read(row, place);
    empty = false;
  }
  if (empty) throw Error(path + ": has no lines behind its header");
  Dataset dataset;
  dataset.source = path;
  for (const Columns& of : inputs) dataset.inputs.emplace_back(of.tensor());
  for (const Columns& of : labels) dataset.labels.push_back(of.tensor());
  dataset.input_files.assign(inputs.size(), path);
  dataset.label_files.assign(labels.size(), path);
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
                              .fallback = std::vector<std::string>()}},
                .by_input = "columns",
                .by_output = {"label", "values"}});
}

}  // namespace stair::runtime::datasets
