#include "tests/fuzz/mutations.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ir/op.h"

namespace stair::tests {
namespace {

using Json = nlohmann::ordered_json;

const std::vector<std::string>& odd_numbers() {
  static const std::vector<std::string> numbers{"0",
                                                "1",
                                                "-1",
                                                "2",
                                                "3",
                                                "7",
                                                "8",
                                                "31",
                                                "32",
                                                "64",
                                                "127",
                                                "128",
                                                "255",
                                                "256",
                                                "65535",
                                                "65536",
                                                "1000000",
                                                "2147483647",
                                                "2147483648",
                                                "-2147483648",
                                                "4294967295",
                                                "4294967296",
                                                "1099511627776",
                                                "9223372036854775807",
                                                "-9223372036854775808",
                                                "9223372036854775808",
                                                "1e308",
                                                "1e-320",
                                                "1e400",
                                                "nan",
                                                "inf",
                                                "-inf",
                                                "0.5",
                                                "-0.0",
                                                "1e-7"};
  return numbers;
}

const std::vector<std::string>& words_of_graphs() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> made{"input",    "state", "output", "update", "parameter", "statistic", "observer", "slot",     "counter",
                                  "constant", "f32",   "f64",    "s8",     "u8",        "i32",       "i64",      "external", "uniform",
                                  "normal",   "_",     "true",   "false",  "sir",       "graph",     "bits",     "lo",       "hi"};
    for (const auto& [name, schema] : ir::op_registry().all()) {
      made.push_back(name);
      for (const ir::AttributeSpec& attribute : schema.attributes) made.push_back(attribute.name);
    }
    return made;
  }();
  return words;
}

bool in_token(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-' || c == '+';
}

struct Token {
  std::size_t begin, size;
};

std::vector<Token> tokens_of(const std::string& text) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (in_token(text[at])) {
      while (end < text.size() && in_token(text[end])) ++end;
    }
    if (text[at] != ' ') tokens.push_back({at, end - at});
    at = end;
  }
  return tokens;
}

bool is_number(const std::string& token) {
  return !token.empty() && (std::isdigit(static_cast<unsigned char>(token.front())) != 0 || token.front() == '-');
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

std::string changed_lines(const std::string& text, Draws& draws) {
  std::vector<std::string> lines = lines_of(text);
  const std::size_t a = draws.below(lines.size());
  const std::size_t b = draws.below(lines.size());
  switch (draws.below(3)) {
    case 0:
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(a));
      break;
    case 1:
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(b), lines[a]);
      break;
    default:
      std::swap(lines[a], lines[b]);
  }
  std::string joined;
  for (std::size_t i = 0; i < lines.size(); ++i) joined += (i > 0 ? "\n" : "") + lines[i];
  return joined;
}

std::string mutate_text_once(std::string text, const std::vector<std::string>& words, Draws& draws) {
  const std::uint64_t way = draws.below(24);
  if (way >= 22) return changed_lines(text, draws);
  if (way >= 20) return mutate_bytes(std::move(text), draws);
  const std::vector<Token> tokens = tokens_of(text);
  if (tokens.empty()) return text + draws.of(odd_numbers());
  Token token = draws.of(tokens);
  if (way < 12) {  // numbers are what sizes and bounds are made of
    std::vector<Token> numbers;
    for (const Token& t : tokens) {
      if (is_number(text.substr(t.begin, t.size))) numbers.push_back(t);
    }
    if (!numbers.empty() && way < 9) token = draws.of(numbers);
  }
  const std::string is = text.substr(token.begin, token.size);
  std::string becomes;
  if (way == 12) {
    becomes = "";
  } else if (way == 13) {
    becomes = is + is;
  } else if (way == 14) {
    becomes = is + std::string(1, "[]{}(),:;=%\"\\#_ \n\t"[draws.below(18)]);
  } else if (way == 15) {
    const char open = draws.one_in(2) ? '[' : '{';
    const std::size_t depth = draws.one_in(4) ? 100'000 : 1 + draws.below(300);
    becomes = std::string(depth, open) + is + std::string(draws.one_in(2) ? depth : 0, open == '[' ? ']' : '}');
  } else if (way == 16) {
    becomes = std::string(1 + draws.below(draws.one_in(4) ? 100'000 : 300), 'n');
  } else if (is_number(is)) {
    if (draws.one_in(3)) {
      becomes = std::to_string(static_cast<std::int64_t>(draws.below(20)) - 4);
    } else {
      becomes = draws.of(odd_numbers());
    }
  } else if (draws.one_in(2)) {
    const Token other = draws.of(tokens);
    becomes = text.substr(other.begin, other.size);
  } else {
    becomes = words.empty() ? draws.of(odd_numbers()) : draws.of(words);
  }
  return text.replace(token.begin, token.size, becomes);
}

std::vector<Json::json_pointer> places(const Json& json) {
  std::vector<Json::json_pointer> all{Json::json_pointer()};
  for (std::size_t i = 0; i < all.size() && i < 2000; ++i) {
    const Json::json_pointer at = all[i];
    const Json& value = json.at(at);
    if (value.is_object()) {
      for (const auto& [key, item] : value.items()) all.push_back(at / key);
    } else if (value.is_array()) {
      for (std::size_t k = 0; k < value.size(); ++k) all.push_back(at / k);
    }
  }
  return all;
}

Json odd_value(const Json& is, Draws& draws) {
  switch (draws.below(is.is_number() ? 14 : 9)) {
    case 0:
      return nullptr;
    case 1:
      return draws.one_in(2);
    case 2:
      return "";
    case 3:
      return std::string(1 + draws.below(draws.one_in(8) ? 100'000 : 40), 'a');
    case 4:
      return Json::array();
    case 5:
      return Json::object();
    case 6:
      return Json::array({is, is});
    case 7:
      return draws.of(std::vector<std::string>{"/dev/null", ".", "../x", "a\nb", "\u00e9", "c.sum", "$x", "labels", "step"});
    case 8:
      return draws.of(words_of_graphs());
    default: {
      const std::string& text = draws.of(odd_numbers());
      const Json number = Json::parse(text, nullptr, false);
      return number.is_discarded() ? Json(static_cast<std::int64_t>(draws.below(12)) - 3) : number;
    }
  }
}

std::string mutate_tree_once(const std::string& text, Draws& draws) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return mutate_text_once(text, {}, draws);
  const std::vector<Json::json_pointer> all = places(json);
  const Json::json_pointer at = draws.of(all);
  const Json::json_pointer other = draws.of(all);
  const Json copy = json.at(other);
  Json& value = json.at(at);
  const std::uint64_t way = draws.below(10);
  if (way < 5) {
    value = odd_value(value, draws);
  } else if (way == 5) {
    value = copy;
  } else if (way == 6 && value.is_object()) {
    value[draws.one_in(2) && copy.is_string() && copy.get<std::string>().size() < 100 ? copy.get<std::string>() : "name"] = copy;
  } else if (way == 7 && value.is_array()) {
    value.push_back(copy);
  } else if (way == 8 && value.is_array() && !value.empty()) {
    value.erase(draws.below(value.size()));
  } else if (!at.empty() && json.at(at.parent_pointer()).is_object()) {
    const Json moved = value;
    json.at(at.parent_pointer()).erase(at.back());
    if (draws.one_in(2)) json.at(at.parent_pointer())[at.back() + "s"] = moved;
  } else {
    value = odd_value(value, draws);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Where a container's parts lie.
struct Container {
  std::string header, data;
};

Container opened(const std::string& bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < 8) throw std::runtime_error("no container");
  std::memcpy(&length, bytes.data(), 8);
  return {bytes.substr(8, length), bytes.substr(8 + length)};
}

std::string closed(const Container& parts) {
  std::string bytes(8, '\0');
  const std::uint64_t length = parts.header.size();
  std::memcpy(bytes.data(), &length, 8);
  bytes += parts.header;
  bytes += parts.data;
  const std::size_t key = bytes.find("\"crc32\":\"", 8);
  if (key == std::string::npos || key + 17 > 8 + length) return bytes;
  bytes.replace(key + 9, 8, "00000000");
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08lx", crc32_z(crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  return bytes.replace(key + 9, 8, digits);
}

// Without what a reader would only compare with its own inference: so a change of shapes goes on into what stands behind.
std::string without_types(const std::string& graph) {
  std::string text;
  for (const std::string& line : lines_of(graph)) {
    const std::size_t type = line.find(") : ");
    const std::size_t typed = line.find("} : ");
    const bool declared = line.find("= input") != std::string::npos || line.find("= state") != std::string::npos;
    const std::size_t cut = declared ? std::string::npos : std::min(type, typed);
    text += line.substr(0, cut == std::string::npos ? line.size() : cut + 1) + "\n";
  }
  return text;
}

// A change that leaves the text's form as it is, so that what stands behind the parser is met: a number near by or at a limit, another
// value of the graph, another op.
std::string gentle_once(const std::string& graph, Draws& draws) {
  const std::vector<Token> tokens = tokens_of(graph);
  std::vector<Token> numbers;
  std::vector<Token> values;
  std::vector<Token> ops;
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    const std::string text = graph.substr(token.begin, token.size);
    const char before = graph[tokens[i - 1].begin];
    if (before == '%') values.push_back(token);
    if (before != '%' && is_number(text)) numbers.push_back(token);
    if (before == '=' && ir::op_registry().find(text) != nullptr) ops.push_back(token);
  }
  const std::uint64_t way = draws.below(8);
  if (way < 5 && !numbers.empty()) {
    const Token& token = draws.of(numbers);
    const std::string is = graph.substr(token.begin, token.size);
    static const std::vector<std::string> sizes{"1", "2", "3", "4", "5", "7", "8", "12", "16", "64", "255", "1000", "65536", "2147483647"};
    std::string becomes = draws.of(sizes);
    if (is.find_first_of(".en") != std::string::npos) becomes = draws.of(odd_numbers());
    if (draws.one_in(3))
      becomes =
          std::to_string(static_cast<std::int64_t>(static_cast<std::uint64_t>(std::strtoll(is.c_str(), nullptr, 10)) + draws.below(5) - 2));
    return std::string(graph).replace(token.begin, token.size, becomes);
  }
  if (way < 7 && values.size() > 1) {
    const Token& token = draws.of(values);
    const Token& other = draws.of(values);
    return std::string(graph).replace(token.begin, token.size, graph.substr(other.begin, other.size));
  }
  if (ops.empty()) return graph;
  std::vector<std::string> names;
  for (const auto& [name, schema] : ir::op_registry().all()) names.push_back(name);
  const Token& token = draws.of(ops);
  return std::string(graph).replace(token.begin, token.size, draws.of(names));
}

// The same for JSON: a leaf becomes another of its type.
std::string gentle_tree(const std::string& text, Draws& draws) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return text;
  std::vector<Json::json_pointer> leaves;
  for (const Json::json_pointer& at : places(json)) {
    if (!json.at(at).is_structured()) leaves.push_back(at);
  }
  if (leaves.empty()) return text;
  Json& leaf = json.at(draws.of(leaves));
  const Json& other = json.at(draws.of(leaves));
  if (leaf.is_string()) {
    const std::string word = draws.one_in(2) ? draws.of(words_of_graphs()) : other.is_string() ? other.get<std::string>() : "x";
    leaf = word;
  } else if (leaf.is_boolean()) {
    leaf = !leaf.get<bool>();
  } else if (leaf.is_number_integer()) {
    static const std::vector<std::int64_t> sizes{0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 33, 255, 1000, 65536, 1000000, 2147483647};
    leaf = draws.one_in(3) ? leaf.get<std::int64_t>() + static_cast<std::int64_t>(draws.below(5)) - 2 : draws.of(sizes);
  } else {
    static const std::vector<double> numbers{0, 1e-30, 1e-7, 0.01, 0.5, 1, 2, 1e7, 1e30};
    leaf = draws.of(numbers);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void overwrite_numbers(std::string& data, Draws& draws) {
  if (data.size() < 4) return;
  for (std::uint64_t n = 1 + draws.below(4); n > 0; --n) {
    static const std::vector<std::uint32_t> odd{0,          1,          0xffffffff, 0x80000000, 0x7fffffff, 0x7fc00000, 0x7f800000,
                                                0xff800000, 0x00000001, 0x000f4240, 0x7f7fffff, 0x40000000, 0x80808080, 0x7f7f7f7f};
    const std::uint32_t word = draws.of(odd);
    const std::size_t at = draws.below(data.size() / 4) * 4;
    std::memcpy(data.data() + at, &word, 4);
  }
}

std::string mutate_once(const std::string& bytes, Draws& draws, bool& sealed) {
  Container parts = opened(bytes);
  const std::uint64_t way = draws.below(16);
  if (way < 2) {  // blind
    sealed = false;
    return mutate_bytes(bytes, draws);
  }
  if (way < 4) {
    parts.header = mutate_text(parts.header, {"F32", "F64", "I8", "U8", "I32", "I64", "shape", "dtype", "data_offsets"}, draws);
    return closed(parts);
  }
  if (way < 6) {
    overwrite_numbers(parts.data, draws);
    return closed(parts);
  }
  if (way < 7) {
    parts.data = mutate_bytes(parts.data, draws);
    return closed(parts);
  }
  Json header = Json::parse(parts.header, nullptr, false);
  if (!header.is_object() || !header.contains("__metadata__") || !header["__metadata__"].is_object()) return closed(parts);
  Json& metadata = header["__metadata__"];
  std::vector<std::string> keys;
  for (const auto& [key, value] : metadata.items()) {
    if (key != "crc32" && value.is_string()) keys.push_back(key);
  }
  if (keys.empty()) return closed(parts);
  const std::string graph = metadata.contains("graph") ? "graph" : "model";
  const std::string key = way < 13 && metadata.contains(graph) ? graph : draws.of(keys);
  std::string text = metadata[key];
  if (key == graph) {
    text = mutate_graph(text, draws);
  } else {
    text = mutate_json(text, draws);
  }
  metadata[key] = text;
  parts.header = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  return closed(parts);
}

}  // namespace

std::string mutate_bytes(std::string bytes, Draws& draws) {
  for (std::uint64_t n = 1 + draws.below(3); n > 0; --n) {
    const std::size_t at = draws.below(bytes.size());
    switch (draws.below(8)) {
      case 0:
      case 1:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ 1 << draws.below(8));
        break;
      case 2:
        if (!bytes.empty()) bytes[at] = static_cast<char>(draws.below(256));
        break;
      case 3:
        bytes.insert(at, 1 + draws.below(8), static_cast<char>(draws.below(256)));
        break;
      case 4:
        bytes.erase(at, 1 + draws.below(8));
        break;
      case 5: {
        static const std::vector<std::uint64_t> limits{0,      1,          0x7f,       0x80,       0xff,       0x7fff,
                                                       0xffff, 0x7fffffff, 0x80000000, 0xffffffff, ~0ULL >> 1, ~0ULL};
        std::uint64_t value = draws.of(limits);
        if (draws.one_in(2)) value = __builtin_bswap64(value);
        const std::size_t size = std::min<std::size_t>(std::size_t{2} << draws.below(3), bytes.size() - std::min(at, bytes.size()));
        std::memcpy(bytes.data() + at, &value, size);
        break;
      }
      case 6:
        if (draws.one_in(3)) bytes.resize(at);
        break;
      default: {
        const std::size_t from = draws.below(bytes.size());
        bytes.insert(at, bytes.substr(from, draws.below(64)));
      }
    }
  }
  return bytes;
}

std::string mutate_graph(const std::string& graph, Draws& draws) {
  std::string text = draws.one_in(4) ? graph : without_types(graph);
  if (draws.one_in(3)) return mutate_text(text, words_of_graphs(), draws);
  for (std::uint64_t n = 1 + draws.below(3); n > 0; --n) text = gentle_once(text, draws);
  return text;
}

std::string mutate_text(std::string text, const std::vector<std::string>& words, Draws& draws) {
  for (std::uint64_t n = 1 + draws.below(3); n > 0; --n) text = mutate_text_once(std::move(text), words, draws);
  return text;
}

std::string mutate_json(const std::string& text, Draws& draws) {
  std::string made = text;
  const bool gentle = !draws.one_in(3);
  if (gentle) {
    for (std::uint64_t n = 1 + draws.below(3); n > 0; --n) made = gentle_tree(made, draws);
    return made;
  }
  for (std::uint64_t n = 1 + draws.below(2); n > 0; --n) {
    made = draws.one_in(4) ? mutate_text_once(made, words_of_graphs(), draws) : mutate_tree_once(made, draws);
  }
  return made;
}

std::string mutate_container(const std::string& bytes, Draws& draws, bool& sealed) {
  sealed = true;
  return mutate_once(bytes, draws, sealed);
}

std::string gzipped(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace stair::tests
