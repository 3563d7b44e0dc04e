#include "frontend/importers/onnx/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <set>
#include <utility>

#include "frontend/importers/onnx/wire.h"
#include "ir/error.h"
#include "runtime/file.h"

namespace stair::frontend::onnx {
namespace {

struct ElementKind {
  ElementType type;
  const char* name;
  std::size_t bits;
};
constexpr std::array<ElementKind, 16> element_kinds{{{ElementType::f32, "float", 32},
                                                     {ElementType::u8, "uint8", 8},
                                                     {ElementType::s8, "int8", 8},
                                                     {ElementType::u16, "uint16", 16},
                                                     {ElementType::s16, "int16", 16},
                                                     {ElementType::i32, "int32", 32},
                                                     {ElementType::i64, "int64", 64},
                                                     {ElementType::text, "string", 0},
                                                     {ElementType::boolean, "bool", 8},
                                                     {ElementType::f16, "float16", 16},
                                                     {ElementType::f64, "double", 64},
                                                     {ElementType::u32, "uint32", 32},
                                                     {ElementType::u64, "uint64", 64},
                                                     {ElementType::bf16, "bfloat16", 16},
                                                     {ElementType::u4, "uint4", 4},
                                                     {ElementType::s4, "int4", 4}}};

const ElementKind* kind_of(ElementType type) {
  for (const ElementKind& kind : element_kinds) {
    if (kind.type == type) return &kind;
  }
  return nullptr;
}

constexpr std::size_t most_nodes = 100'000;
constexpr std::size_t most_dimensions = 16;
constexpr double most_elements = 2'147'483'647;

class FileReader {
 public:
  FileReader(Model& model, Source& source) : model_(model), source_(source) {}

  void read(std::string_view bytes) {
    Message message(bytes, 0, source_);
    bool has_graph = false;
    for (Field field; message.next(field);) {
      if (field.number == 7) {
        if (std::exchange(has_graph, true)) source_.fail(field.at, "has a second graph, expected one");
        read_graph(field.message());
      } else if (field.number == 8) {
        read_opset(field);
      } else if (field.number == 14) {
        read_entry(field.message(), model_.metadata);
      } else if (field.number == 20) {
        source_.fail(field.at, "has training information, expected a model for inference");
      }
    }
    if (!has_graph) throw Error(model_.path + ": is no ONNX file: it has no graph");
    if (model_.opsets.empty()) throw Error(model_.path + ": is no ONNX file: it names no set of operators");
  }

  Tensor read_tensor(const Message& whole, std::size_t at) {
    Tensor tensor;
    Message message = whole;
    bool is_external = false;
    bool has_raw = false;
    std::map<std::string, std::string> external;
    for (Field field; message.next(field);) {
      switch (field.number) {
        case 1:
          field.add_to(tensor.shape);
          break;
        case 2:
          tensor.type = static_cast<ElementType>(field.integer());
          break;
        case 3:
          source_.fail(field.at, "a tensor is cut into segments, expected a whole one");
        case 4:
          field.add_to(tensor.floats);
          break;
        case 5:
        case 7:
        case 11:
          field.add_to(tensor.integers);
          break;
        case 8:
          tensor.name = field.text();
          break;
        case 9:
          tensor.raw = field.bytes();
          has_raw = true;
          break;
        case 10:
          field.add_to(tensor.doubles);
          break;
        case 13:
          read_entry(field.message(), external);
          break;
        case 14:
          is_external = field.integer() == 1;
          break;
        default:
          break;
      }
    }
    const std::int64_t elements = check_shape(tensor, at);
    const ElementKind* kind = kind_of(tensor.type);
    if (kind == nullptr || kind->bits == 0) return tensor;  // who asks for its elements says so
    const std::size_t bytes = (static_cast<std::size_t>(elements) * kind->bits + 7) / 8;
    if (is_external) {
      tensor.raw = read_external(tensor, external, bytes);
      has_raw = true;
    }
    const bool narrow = tensor.type == ElementType::u4 || tensor.type == ElementType::s4;
    const std::size_t found = has_raw                           ? tensor.raw.size()
                              : tensor.type == ElementType::f32 ? tensor.floats.size()
                              : tensor.type == ElementType::f64 ? tensor.doubles.size()
                                                                : tensor.integers.size();
    const std::size_t expected = has_raw  ? bytes
                                 : narrow ? (static_cast<std::size_t>(elements) + 1) / 2
                                          : static_cast<std::size_t>(elements);
    if (found != expected) {
      source_.fail(at, fmt::format("the tensor '{}' {}{} has {} {}, expected {}", tensor.name, kind->name, ir::to_string(tensor.shape),
                                   found, has_raw ? "bytes" : "elements", expected));
    }
    return tensor;
  }

 private:
  std::int64_t check_shape(const Tensor& tensor, std::size_t at) const {
    if (tensor.shape.size() > most_dimensions)
      source_.fail(
          at, fmt::format("the tensor '{}' has {} dimensions, expected at most {}", tensor.name, tensor.shape.size(), most_dimensions));
    double elements = 1;  // of dimensions of 0, too, so that no product of some of them is too large to count
    bool is_empty = false;
    for (const std::int64_t dimension : tensor.shape) {
      if (dimension < 0) source_.fail(at, fmt::format("the tensor '{}' has the shape {}", tensor.name, ir::to_string(tensor.shape)));
      elements *= static_cast<double>(std::max<std::int64_t>(dimension, 1));
      is_empty = is_empty || dimension == 0;
    }
    if (elements > most_elements) {
      source_.fail(at, fmt::format("the tensor '{}' has the shape {}, expected at most {:.0f} elements", tensor.name,
                                   ir::to_string(tensor.shape), most_elements));
    }
    return is_empty ? 0 : static_cast<std::int64_t>(elements);
  }

  static void read_entry(Message message, std::map<std::string, std::string>& into) {
    std::string key;
    std::string value;
    for (Field field; message.next(field);) {
      if (field.number == 1) key = field.text();
      if (field.number == 2) value = field.text();
    }
    into[key] = value;
  }

  // Files are taken from the model's own folder only, however the file calls them.
  std::string_view read_external(const Tensor& tensor, const std::map<std::string, std::string>& external, std::size_t bytes) {
    namespace fs = std::filesystem;
    const auto fail = [&](const std::string& message) {
      throw Error(fmt::format("{}: the external data of the tensor '{}' {}", model_.path, tensor.name, message));
    };
    const auto number = [&](const char* key, std::uint64_t fallback) {
      const auto it = external.find(key);
      if (it == external.end()) return fallback;
      std::uint64_t value = 0;
      const char* const end = it->second.data() + it->second.size();
      if (const auto [rest, error] = std::from_chars(it->second.data(), end, value); rest != end || error != std::errc{})
        fail(fmt::format("has the {} '{}', expected a number of bytes", key, it->second));
      return value;
    };
    const auto location = external.find("location");
    if (location == external.end() || location->second.empty()) fail("has no location, expected the name of a file");
    const fs::path folder = fs::path(model_.path).parent_path();
    const fs::path file = folder / location->second;
    std::error_code none;
    const fs::path whole_folder = fs::weakly_canonical(folder.empty() ? fs::path(".") : folder, none);
    const fs::path whole = fs::weakly_canonical(file, none);
    const fs::path within = whole.lexically_relative(whole_folder);
    if (within.empty() || *within.begin() == ".." || fs::path(location->second).is_absolute())
      fail(fmt::format("lies at '{}', expected a file below the model's own folder", location->second));
    const std::uint64_t offset = number("offset", 0);
    const std::uint64_t length = number("length", bytes);
    if (length != bytes) fail(fmt::format("has {} bytes, expected {}", length, bytes));
    const runtime::OpenFile open(file.string());
    if (offset > open.size() || length > open.size() - offset)
      fail(fmt::format("lies at bytes {} to {} of '{}', which has {}", offset, offset + length, location->second, open.size()));
    external_bytes_ += bytes;
    if (external_bytes_ > runtime::largest_file()) runtime::fail_as_too_large(file.string());
    std::string& read = model_.bytes.emplace_back(bytes, '\0');
    open.read(offset, reinterpret_cast<std::byte*>(read.data()), bytes);
    return read;
  }

  void read_opset(const Field& whole) {
    Message message = whole.message();
    std::string domain;
    std::int64_t version = 0;
    for (Field field; message.next(field);) {
      if (field.number == 1) domain = field.text();
      if (field.number == 2) version = field.integer();
    }
    if (domain == "ai.onnx") domain = "";
    if (version < 1 || version > 10'000)
      source_.fail(whole.at, fmt::format("the set of operators '{}' has the version {}", domain, version));
    model_.opsets[domain] = version;
  }

  void read_graph(Message message) {
    std::set<std::string, std::less<>> made;
    for (Field field; message.next(field);) {
      switch (field.number) {
        case 1:
          if (model_.nodes.size() == most_nodes) source_.fail(field.at, fmt::format("has more than {} nodes", most_nodes));
          model_.nodes.push_back(read_node(field.message()));
          for (const std::string& output : model_.nodes.back().outputs) {
            if (!output.empty() && !made.insert(output).second)
              source_.fail(field.at, fmt::format("two nodes yield '{}', expected a name for one value", output));
          }
          break;
        case 2:
          model_.name = field.text();
          break;
        case 5: {
          Tensor tensor = read_tensor(field.message(), field.at);
          std::string name = tensor.name;
          if (name.empty()) source_.fail(field.at, "an initializer has no name");
          if (!model_.initializers.emplace(name, std::move(tensor)).second)
            source_.fail(field.at, fmt::format("two initializers are called '{}'", name));
          break;
        }
        case 11:
          model_.inputs.push_back(read_value(field.message()));
          break;
        case 12:
          model_.outputs.push_back(read_value(field.message()));
          break;
        case 15:
          source_.fail(field.at, "has a sparse initializer, expected dense ones");
        default:
          break;
      }
    }
  }

  Node read_node(Message message) {
    Node node;
    for (Field field; message.next(field);) {
      switch (field.number) {
        case 1:
          node.inputs.push_back(field.text());
          break;
        case 2:
          node.outputs.push_back(field.text());
          break;
        case 3:
          node.name = field.text();
          break;
        case 4:
          node.op = field.text();
          break;
        case 5: {
          Attribute attribute = read_attribute(field.message());
          std::string name = attribute.name;
          if (!node.attributes.emplace(name, std::move(attribute)).second)
            source_.fail(field.at, fmt::format("a node has the attribute '{}' twice", name));
          break;
        }
        case 7:
          node.domain = field.text();
          break;
        default:
          break;
      }
    }
    if (node.domain == "ai.onnx") node.domain = "";
    return node;
  }

  Attribute read_attribute(Message message) {
    Attribute attribute;
    for (Field field; message.next(field);) {
      switch (field.number) {
        case 1:
          attribute.name = field.text();
          break;
        case 2:
          attribute.real = field.real();
          break;
        case 3:
          attribute.integer = field.integer();
          break;
        case 4:
          attribute.text = std::string(field.bytes().substr(0, 10'000));
          break;
        case 5:
          attribute.tensor = read_tensor(field.message(), field.at);
          break;
        case 7:
          field.add_to(attribute.reals);
          break;
        case 8:
          field.add_to(attribute.integers);
          break;
        case 20:
          attribute.type = static_cast<std::int32_t>(field.integer());
          break;
        default:
          break;
      }
    }
    return attribute;
  }

  static ValueInfo read_value(Message message) {
    ValueInfo value;
    for (Field field; message.next(field);) {
      if (field.number == 1) value.name = field.text();
      if (field.number == 2) read_type(field.message(), value);
    }
    return value;
  }

  static void read_type(Message type, ValueInfo& value) {
    for (Field of_type; type.next(of_type);) {
      if (of_type.number != 1) continue;
      Message tensor = of_type.message();
      for (Field field; tensor.next(field);) {
        if (field.number == 1) value.type = static_cast<ElementType>(field.integer());
        if (field.number == 2) value.shape = read_shape(field.message());
      }
    }
  }

  static std::vector<Dimension> read_shape(Message shape) {
    std::vector<Dimension> dimensions;
    for (Field each; shape.next(each);) {
      if (each.number != 1) continue;
      Message dimension = each.message();
      Dimension read;
      for (Field field; dimension.next(field);) {
        if (field.number == 1) read.size = field.integer();
        if (field.number == 2) read.parameter = field.text();
      }
      if (read.size && *read.size <= 0) read.size.reset();  // so some writers say that it is free
      dimensions.push_back(std::move(read));
    }
    return dimensions;
  }

  Model& model_;
  Source& source_;
  std::uint64_t external_bytes_ = 0;
};

}  // namespace

std::string to_string(ElementType type) {
  const ElementKind* kind = kind_of(type);
  return kind == nullptr ? fmt::format("type {}", static_cast<std::int32_t>(type)) : kind->name;
}

bool is_real(ElementType type) {
  return type == ElementType::f32 || type == ElementType::f16 || type == ElementType::bf16 || type == ElementType::f64;
}

Model read_model(std::string bytes, const std::string& path) {
  Model model;
  model.path = path;
  Source source{path};
  const std::string& kept = model.bytes.emplace_back(std::move(bytes));
  FileReader(model, source).read(kept);
  return model;
}

Tensor read_tensor(std::string_view bytes, const std::string& path) {
  Model model;
  model.path = path;
  Source source{path};
  return FileReader(model, source).read_tensor(Message(bytes, 0, source), 0);
}

}  // namespace stair::frontend::onnx
