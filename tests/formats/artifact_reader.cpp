#include "tests/formats/artifact_reader.h"

#include <cctype>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace reader {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
}

// format-checkpoint.md, "Metadata of the container"
std::uint32_t checksum(const std::string& bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

std::uint64_t little_endian(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return value;
}

struct Stored {
  std::string dtype;
  Shape shape;
  std::string bytes;
};

// format-sir.md, "Grammar"
class GraphText {
 public:
  explicit GraphText(const std::string& text) : text_(text) {}

  bool at_end() {
    while (next() == '\n') ++at_;
    return next() == '\0';
  }
  char next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    if (at_ < text_.size() && text_[at_] == '#') at_ = std::min(text_.find('\n', at_), text_.size());
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("expected '") + c + "' at byte " + std::to_string(at_) + " of the graph");
  }
  std::string word() { return run("_"); }
  std::string name() { return next() == '"' ? string() : run("_.-:/"); }
  std::string value() {
    expect('%');
    return name();
  }
  double number() { return std::stod(run("_.-+")); }
  std::string string() {
    expect('"');
    std::string out;
    while (text_.at(at_) != '"') {
      char c = text_[at_++];
      if (c == '\\') {
        c = text_.at(at_++);
        if (c == 'n') c = '\n';
        if (c == 't') c = '\t';
        if (c == 'r') c = '\r';
        if (c == 'x') {
          c = static_cast<char>(std::stoi(text_.substr(at_, 2), nullptr, 16));
          at_ += 2;
        }
      }
      out += c;
    }
    ++at_;
    return out;
  }
  Literal literal() {
    if (next() == '"') return {string(), {}};
    if (accept('[')) return {"", list(']')};
    if (next() == 't' || next() == 'f') return {word(), {}};
    return {"", {number()}};
  }
  std::vector<double> list(char end) {
    std::vector<double> items;
    if (accept(end)) return items;
    do items.push_back(number());
    while (accept(','));
    expect(end);
    return items;
  }
  std::map<std::string, Literal> attributes() {
    std::map<std::string, Literal> read;
    if (!accept('{') || accept('}')) return read;
    do {
      const std::string key = word();
      expect('=');
      read[key] = literal();
    } while (accept(','));
    expect('}');
    return read;
  }
  Tensor type() {
    const std::string element = word();
    expect('[');
    Shape shape;
    for (const double dimension : list(']')) shape.push_back(static_cast<std::int64_t>(dimension));
    return {element, shape};
  }

 private:
  std::string run(const char* others) {
    next();
    const std::size_t first = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || std::strchr(others, text_[at_]) != nullptr))
      ++at_;
    if (at_ == first) fail("expected a word at byte " + std::to_string(at_) + " of the graph");
    return text_.substr(first, at_ - first);
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

double element_of(const std::string& type, const std::string& bytes, std::size_t i) {
  if (type == "u8") return static_cast<unsigned char>(bytes.at(i));
  if (type == "s8") return static_cast<signed char>(bytes.at(i));
  const auto word = static_cast<std::uint32_t>(little_endian(bytes, 4 * i, 4));
  if (type == "i32") return static_cast<std::int32_t>(word);
  if (type != "f32") fail("a constant of type " + type);
  float value = 0;
  std::memcpy(&value, &word, sizeof value);
  return static_cast<double>(value);
}

// format-artifact.md, "Tensors", "Packed integers" and "Codebooks"
Tensor constant(Tensor tensor, const Stored& stored, std::int64_t bits, const std::vector<double>& levels) {
  static const std::map<std::string, std::string> types{{"F32", "f32"}, {"I8", "s8"}, {"U8", "u8"}, {"I32", "i32"}};
  const bool as_it_is = types.at(stored.dtype) == tensor.element && stored.shape == tensor.shape;
  if (!as_it_is && (bits < 1 || bits > 7 || stored.dtype != "U8")) fail("a tensor of another type than its state");
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    if (as_it_is) {
      tensor.values[i] = element_of(tensor.element, stored.bytes, i);
      continue;
    }
    std::int64_t v = 0;
    for (std::int64_t b = 0; b < bits; ++b) {
      const std::size_t bit = i * static_cast<std::size_t>(bits) + static_cast<std::size_t>(b);
      v |= static_cast<std::int64_t>(static_cast<unsigned char>(stored.bytes.at(bit / 8)) >> (bit % 8) & 1) << b;
    }
    if (!levels.empty()) {
      tensor.values[i] = levels.at(static_cast<std::size_t>(v));
      continue;
    }
    if (tensor.element == "s8") v = bits == 1 ? 2 * v - 1 : v >= std::int64_t{1} << (bits - 1) ? v - (std::int64_t{1} << bits) : v;
    tensor.values[i] = static_cast<double>(v);
  }
  return tensor;
}

void read_graph(GraphText text, const std::map<std::string, Stored>& stored, Artifact& into) {
  const auto header = [&](const char* word) {
    if (text.at_end() || text.word() != word) fail(std::string("a graph without '") + word + "'");
  };
  header("sir");
  if (text.number() != 1) fail("another version of the graph's text");
  header("graph");
  text.string();
  while (!text.at_end()) {
    if (text.next() != '%') {
      if (text.word() != "output") fail("a statement that no artifact has");
      const std::string name = text.name();
      text.expect('=');
      into.outputs[name] = text.value();
      continue;
    }
    Node node;
    do node.results.push_back(text.value());
    while (text.accept(','));
    text.expect('=');
    const std::string word = text.word();
    if (word == "input") {
      text.expect(':');
      into.inputs.push_back(node.results[0]);
      text.type();
    } else if (word == "state") {
      if (text.word() != "constant" || text.word() != "external") fail("a state that isn't a constant from the file");
      const std::map<std::string, Literal> attributes = text.attributes();
      const auto numbers = [&](const char* key) {
        const auto found = attributes.find(key);
        return found == attributes.end() ? std::vector<double>{} : found->second.numbers;
      };
      const std::vector<double> bits = numbers("bits");
      text.expect(':');
      into.constants[node.results[0]] =
          constant(text.type(), stored.at(node.results[0]), bits.empty() ? 0 : static_cast<std::int64_t>(bits[0]), numbers("levels"));
    } else {
      node.op = word;
      text.expect('(');
      while (!text.accept(')')) {
        node.operands.push_back(text.accept('_') ? "" : text.value());
        text.accept(',');
      }
      node.attributes = text.attributes();
      if (text.accept(':')) {
        do text.type();
        while (text.accept(','));
      }
      into.nodes.push_back(node);
    }
  }
}

}  // namespace

Tensor::Tensor(std::string type, Shape dimensions)
    : element(std::move(type)), shape(std::move(dimensions)), values(static_cast<std::size_t>(count(shape)), 0.0) {}

std::int64_t count(const Shape& shape) {
  std::int64_t n = 1;
  for (const std::int64_t dimension : shape) n *= dimension;
  return n;
}

double& Tensor::at(const Shape& index) {
  std::int64_t flat = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) flat = flat * shape[d] + index[d];
  return values.at(static_cast<std::size_t>(flat));
}

double Tensor::at(const Shape& index) const {
  return const_cast<Tensor*>(this)->at(index);
}

Tensor normalized(const Artifact& artifact, const std::string& input, const Tensor& pictures) {
  nlohmann::json form;
  if (artifact.metadata.at("version") == "1") {
    for (const char* key : {"mean", "std"}) form[key] = nlohmann::json::parse(artifact.metadata.at(key));
  } else {
    form = nlohmann::json::parse(artifact.metadata.at("inputs")).at(input).at("preprocessing");
    if (form.at("kind") != "normalize") fail("another kind of preprocessing");
  }
  const auto list = [&](const char* key, float fallback) {
    std::vector<float> numbers;
    for (const auto& number : form.value(key, nlohmann::json::array())) numbers.push_back(static_cast<float>(number.get<double>()));
    if (numbers.empty()) numbers.push_back(fallback);
    return numbers;
  };
  const std::vector<float> mean = list("mean", 0);
  const std::vector<float> deviation = list("std", 1);
  Tensor x("f32", pictures.shape);
  const auto channels = static_cast<std::size_t>(x.shape.at(1));
  const std::size_t plane = x.values.size() / channels / static_cast<std::size_t>(x.shape.at(0));
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const std::size_t c = i / plane % channels;
    const float byte = static_cast<float>(pictures.values[i]) / 255.0F;
    x.values[i] = static_cast<double>((byte - mean[mean.size() == 1 ? 0 : c]) / deviation[deviation.size() == 1 ? 0 : c]);
  }
  return x;
}

Artifact read_artifact(const std::string& bytes) {
  const std::size_t length = little_endian(bytes, 0, 8);
  const auto header = nlohmann::json::parse(bytes.substr(8, length));
  Artifact artifact;
  artifact.metadata = header.at("__metadata__").get<std::map<std::string, std::string>>();
  const std::string version = artifact.metadata.at("version");
  if (artifact.metadata.at("format") != "staircase artifact" || (version != "1" && version != "2")) fail("no artifact of version 1 or 2");
  std::string unsigned_bytes = bytes;
  unsigned_bytes.replace(bytes.find("\"crc32\":\"") + 9, 8, "00000000");
  if (checksum(unsigned_bytes) != std::stoul(artifact.metadata.at("crc32"), nullptr, 16)) fail("a wrong checksum");
  std::map<std::string, Stored> stored;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const auto offsets = entry.at("data_offsets").get<std::vector<std::size_t>>();
    stored[name] = {entry.at("dtype"), entry.at("shape"), bytes.substr(8 + length + offsets.at(0), offsets.at(1) - offsets.at(0))};
  }
  read_graph(GraphText(artifact.metadata.at("graph")), stored, artifact);
  return artifact;
}

}  // namespace reader
