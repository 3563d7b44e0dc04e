#include "ir/scanner.h"

#include <fmt/format.h>

#include <charconv>

#include "ir/error.h"
#include "ir/utf8.h"

namespace stair::ir {
namespace {

constexpr std::size_t longest_name = 1000;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_name(char c) {
  return is_word(c) || c == '.' || c == '-' || c == ':' || c == '/';
}
bool is_number(char c) {
  return is_word(c) || c == '.' || c == '-' || c == '+';
}

std::string print_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string print_number(double value) {
  std::string text = fmt::format("{}", value);
  // Only a point, an exponent or a name tells a number from an integer.
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

struct Printer {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return print_number(value); }
  std::string operator()(const std::string& value) const { return print_string(value); }
  std::string operator()(const Object& value) const { return value.members().empty() ? "{}" : print_attributes(value.members()); }
  template <class T>
  std::string operator()(const std::vector<T>& items) const {
    std::string text = "[";
    for (const T& item : items) text += (text.size() > 1 ? "," : "") + (*this)(item);
    return text + "]";
  }
};

}  // namespace

void Scanner::fail(const std::string& message) const {
  std::size_t line = 1;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < token_ && i < text_.size(); ++i) {
    if (text_[i] == '\n') {
      ++line;
      begin = i + 1;
    }
  }
  throw Error(fmt::format("{}:{}:{}: {}", source_, line, token_ - begin + 1, message));
}

std::string Scanner::found() const {
  if (at_ >= text_.size()) return "the end of the text";
  if (text_[at_] == '\n') return "the end of the line";
  std::size_t end = at_ + 1;
  if (is_name(text_[at_])) {
    while (end < text_.size() && is_name(text_[end])) ++end;
  }
  const auto byte = static_cast<unsigned char>(text_[at_]);
  if (byte < 0x20 || byte >= 0x7f) return fmt::format("the byte 0x{:02x}", byte);
  return fmt::format("'{}'", text_.substr(at_, end - at_));
}

void Scanner::fail_expected(std::string_view expected) {
  skip_blanks();
  token_ = at_;
  fail(fmt::format("found {}, expected {}", found(), expected));
}

void Scanner::skip_blanks() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  if (at_ < text_.size() && text_[at_] == '#') {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }
}

void Scanner::skip_lines() {
  skip_blanks();
  while (at_ < text_.size() && text_[at_] == '\n') {
    ++at_;
    skip_blanks();
  }
}

bool Scanner::at_end() {
  skip_lines();
  token_ = at_;
  return at_ >= text_.size();
}

bool Scanner::next_is(char c) {
  skip_blanks();
  return at_ < text_.size() && text_[at_] == c;
}

bool Scanner::accept(char c) {
  if (!next_is(c)) return false;
  token_ = at_++;
  return true;
}

void Scanner::expect(char c) {
  if (!accept(c)) fail_expected(fmt::format("'{}'", c));
}

void Scanner::end_line() {
  skip_blanks();
  if (at_ < text_.size() && text_[at_] != '\n') fail_expected("the end of the line");
  skip_lines();
}

std::string_view Scanner::run_of(bool (*belongs)(char)) {
  skip_blanks();
  token_ = at_;
  while (at_ < text_.size() && belongs(text_[at_])) ++at_;
  return text_.substr(token_, at_ - token_);
}

std::string Scanner::word(std::string_view expected) {
  const std::string_view run = run_of(is_word);
  if (run.empty()) fail_expected(expected);
  return std::string(run);
}

std::string Scanner::name(std::string_view expected) {
  const bool quoted = next_is('"');
  const std::string read = quoted ? string() : std::string(run_of(is_name));
  if (!quoted && read.empty()) fail_expected(expected);
  if (read.size() > longest_name) fail(fmt::format("a name of {} bytes, expected at most {}", read.size(), longest_name));
  return read;
}

std::string Scanner::value_name() {
  expect('%');
  return name("a value's name");
}

template <class Number>
Number Scanner::number_of(std::string_view expected) {
  const std::string_view run = run_of(is_number);
  Number value = 0;
  const auto [end, error] = std::from_chars(run.data(), run.data() + run.size(), value);
  if (run.empty() || error != std::errc() || end != run.data() + run.size()) {
    at_ = token_;
    fail_expected(expected);
  }
  return value;
}

std::int64_t Scanner::integer(std::string_view expected) {
  return number_of<std::int64_t>(expected);
}

double Scanner::number() {
  return number_of<double>("a number");
}

std::string Scanner::string() {
  expect('"');
  std::string out;
  while (true) {
    if (at_ >= text_.size() || text_[at_] == '\n') fail("a string that doesn't end on its line");
    const char c = text_[at_++];
    if (c == '"') {
      if (!is_utf8(out)) fail("a string that isn't UTF-8");
      return out;
    }
    if (c != '\\') {
      out += c;
      continue;
    }
    const char escaped = at_ < text_.size() ? text_[at_++] : '\0';
    switch (escaped) {
      case '"':
      case '\\':
        out += escaped;
        break;
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case 'x': {
        unsigned code = 0;
        const char* const digits = text_.data() + at_;
        if (at_ + 2 > text_.size() || std::from_chars(digits, digits + 2, code, 16).ptr != digits + 2) {
          fail("an escape that isn't \\xHH");
        }
        at_ += 2;
        out += static_cast<char>(code);
        break;
      }
      default:
        fail("unknown escape in a string, expected \\\", \\\\, \\n, \\t, \\r or \\xHH");
    }
  }
}

Attribute Scanner::literal() {
  if (next_is('"')) return string();
  if (next_is('{')) {
    constexpr int most_nested = 16;
    if (++depth_ > most_nested) fail("objects are nested more than " + std::to_string(most_nested) + " deep");
    Object object(attributes());
    --depth_;
    return object;
  }
  if (accept('[')) {
    std::vector<double> numbers;
    std::vector<std::int64_t> integers;
    std::vector<Object> objects;
    std::vector<std::string> texts;
    if (accept(']')) return integers;
    do {
      if (next_is('[')) fail_expected("an integer or a number in a list");
      const Attribute item = literal();
      if (const auto* object = std::get_if<Object>(&item); object != nullptr && numbers.empty() && texts.empty()) {
        objects.push_back(*object);
      } else if (const auto* text = std::get_if<std::string>(&item); text != nullptr && numbers.empty() && objects.empty()) {
        texts.push_back(*text);
      } else if (!objects.empty() || !texts.empty()) {
        fail("found " + std::string(kind_of(item)) + " in a list that begins with " + (texts.empty() ? "an object" : "a text"));
      } else if (const auto* i = std::get_if<std::int64_t>(&item)) {
        integers.push_back(*i);
        numbers.push_back(static_cast<double>(*i));
      } else if (const auto* d = std::get_if<double>(&item)) {
        numbers.push_back(*d);
      } else {
        fail("found " + std::string(kind_of(item)) + ", expected integers or numbers in a list");
      }
    } while (accept(','));
    expect(']');
    if (!objects.empty()) return objects;
    if (!texts.empty()) return texts;
    if (integers.size() == numbers.size()) return integers;
    return numbers;
  }
  const std::string_view run = run_of(is_number);
  if (run == "true") return true;
  if (run == "false") return false;
  at_ = token_;
  if (run.find_first_of(".eEn") == std::string_view::npos) return integer("a literal (true, false, a number, a string or a list)");
  return number();
}

Attributes Scanner::attributes() {
  Attributes read;
  if (!accept('{')) return read;
  if (accept('}')) return read;
  do {
    const std::string key = word("an attribute's name");
    if (read.has(key)) fail("the attribute '" + key + "' stands twice");
    expect('=');
    read.set(key, literal());
  } while (accept(','));
  expect('}');
  return read;
}

std::string print_name(std::string_view name) {
  for (const char c : name) {
    if (!is_name(c)) return print_string(name);
  }
  return name.empty() ? "\"\"" : std::string(name);
}

std::string print_literal(const Attribute& attribute) {
  return std::visit(Printer{}, attribute);
}

std::string print_attributes(const Attributes& attributes) {
  std::string text;
  for (const auto& [key, value] : attributes) text += (text.empty() ? "{" : ", ") + key + "=" + print_literal(value);
  return text.empty() ? text : text + "}";
}

}  // namespace stair::ir
