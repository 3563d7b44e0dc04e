#include "backends/plugin.h"

#include <dlfcn.h>

#include <algorithm>
#include <cfenv>
#include <exception>
#include <filesystem>
#include <mutex>
#include <type_traits>
#include <utility>
#include <variant>

#include "backends/parallel_for.h"
#include "backends/stair_plugin.h"
#include "ir/error.h"
#include "ir/op.h"
#include "ir/utf8.h"

namespace stair::backends {
namespace {

constexpr std::size_t longest_text = 1000;
constexpr std::size_t largest_scratch = std::size_t{1} << 40;

// A plug-in's text as part of a line: without control characters, '?' for what isn't UTF-8, and not without end.
std::string one_line(std::string_view text) {
  std::string line;
  while (!text.empty() && line.size() < longest_text) {
    const std::size_t length = ir::utf8_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    line += length == 0 ? "?" : first < 0x20 || first == 0x7f ? " " : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text.empty() ? line : line + "…";
}

// Calls a plug-in's function. An exception that leaves it, against the rules, becomes an Error that says where.
template <class Function, class... Arguments>
auto call(const std::string& where, Function function, Arguments... arguments) {
  try {
    return function(arguments...);
  } catch (const std::exception& error) {
    throw Error(where + ": threw a C++ exception (" + one_line(error.what()) + "), expected an error text");
  } catch (...) {
    throw Error(where + ": threw a C++ exception, expected an error text");
  }
}

std::uint32_t element_of(ir::DType dtype) {
  switch (dtype) {
    case ir::DType::f32:
      return STAIR_F32;
    case ir::DType::f64:
      return STAIR_F64;
    case ir::DType::s8:
      return STAIR_S8;
    case ir::DType::u8:
      return STAIR_U8;
    case ir::DType::i32:
      return STAIR_I32;
    case ir::DType::i64:
      return STAIR_I64;
  }
  throw InternalError("a dtype that plug-ins don't know");
}

stair_attribute attribute_of(const std::string& name, const ir::Attribute& attribute) {
  stair_attribute made{name.c_str(), 0, 1, {}};
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          made.kind = STAIR_BOOLEAN;
          made.value.boolean = value ? 1 : 0;
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          made.kind = STAIR_INTEGER;
          made.value.integer = value;
        } else if constexpr (std::is_same_v<T, double>) {
          made.kind = STAIR_NUMBER;
          made.value.number = value;
        } else if constexpr (std::is_same_v<T, std::string>) {
          made.kind = STAIR_TEXT;
          made.value.text = value.c_str();
        } else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
          made.kind = STAIR_INTEGERS;
          made.count = value.size();
          made.value.integers = value.data();
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          made.kind = STAIR_NUMBERS;
          made.count = value.size();
          made.value.numbers = value.data();
        } else {
          throw InternalError("no node has " + std::string(ir::kind_of(attribute)) + " as an attribute");
        }
      },
      attribute);
  return made;
}

// A node as plug-ins see it. Points into the graph.
class NodeView {
 public:
  NodeView(const ir::Graph& graph, const ir::Node& node)
      : operands_(types(graph, node.operands)), results_(types(graph, node.results)), attributes_(attributes(node)) {
    node_ = {sizeof(stair_node), node.op->name.c_str(), node.name.c_str(),  operands_.size(),  operands_.data(),
             results_.size(),    results_.data(),       attributes_.size(), attributes_.data()};
  }
  NodeView(const NodeView&) = delete;
  NodeView& operator=(const NodeView&) = delete;
  const stair_node& node() const { return node_; }

 private:
  static std::vector<stair_type> types(const ir::Graph& graph, const std::vector<ir::ValueId>& values) {
    std::vector<stair_type> made;
    for (const ir::ValueId id : values) {
      made.push_back({STAIR_ABSENT, 0, nullptr});
      if (id == ir::absent) continue;
      const ir::Type& type = graph.type(id);
      made.back() = {element_of(type.dtype), static_cast<std::uint32_t>(type.shape.size()), type.shape.data()};
    }
    return made;
  }
  static std::vector<stair_attribute> attributes(const ir::Node& node) {
    std::vector<stair_attribute> made;
    for (const auto& [name, attribute] : node.attributes) made.push_back(attribute_of(name, attribute));
    return made;
  }

  std::vector<stair_type> operands_, results_;
  std::vector<stair_attribute> attributes_;
  stair_node node_{};
};

// stair_arguments::parallel_for. `driver` is where the text of a piece that failed stays.
const char* plugin_parallel_for(const stair_arguments* arguments, std::int64_t count, std::int64_t grain, stair_piece piece, void* data) {
  auto& failure = *static_cast<std::string*>(arguments->driver);
  if (count < 0 || grain < 1) {
    failure =
        "parallel_for() of " + std::to_string(count) + " items, " + std::to_string(grain) + " a piece, expected at least 0 and at least 1";
    return failure.c_str();
  }
  const std::int64_t pieces = count / grain + (count % grain == 0 ? 0 : 1);
  std::int64_t failed = pieces;
  std::mutex failing;
  parallel_for(pieces, std::min<int>(arguments->threads, STAIR_MAX_WORKERS), [&](std::int64_t i, int slot) {
    std::string text;
    try {
      const std::int64_t first = i * grain;
      const char* error = call("a piece of parallel work", piece, data, first, first + std::min(grain, count - first), slot);
      if (error == nullptr) return;
      text = error;
    } catch (const Error& error) {
      text = error.what();
    }
    const std::lock_guard lock(failing);
    if (i < failed) {
      failed = i;
      failure = text;
    }
  });
  return failed < pieces ? failure.c_str() : nullptr;
}

class PluginKernel : public Kernel {
 public:
  PluginKernel(const stair_plugin& plugin, const std::string& subject, const ir::Graph& graph, const ir::Node& node, Constants constants)
      : plugin_(plugin),
        failed_(subject + ": " + node.op->name + " '" + node.name + "' failed"),
        view_(graph, node),
        operands_(node.operands.size()),
        results_(node.results.size()),
        constants_(node.operands.size()) {
    for (std::size_t i = 0; i < constants_.size(); ++i) {
      const bool known = node.operands[i] != ir::absent && !constants.empty();
      constants_[i] = known ? constants[static_cast<std::size_t>(node.operands[i])].data : nullptr;
    }
    const std::string preparing = subject + ": " + node.op->name + " '" + node.name + "' can't be prepared";
    if (const char* error = call(preparing, plugin_.prepare, &view_.node(), constants_.data(), &kernel_)) {
      throw Error(preparing + ": " + one_line(error));
    }
    if (kernel_ == nullptr) throw Error(preparing + ": found neither a kernel nor an error text");
    try {
      scratch_ = call(preparing, plugin_.scratch_bytes, std::as_const(kernel_));
      if (scratch_ > largest_scratch) {
        throw Error(preparing + ": it asks for " + std::to_string(scratch_) + " bytes of scratch memory, expected at most 2^40");
      }
      const char* description = call(preparing, plugin_.description, std::as_const(kernel_));
      if (description == nullptr) throw Error(preparing + ": found no description of the kernel");
      description_ = one_line(description);
    } catch (...) {
      plugin_.destroy(kernel_);
      throw;
    }
  }
  ~PluginKernel() override { plugin_.destroy(kernel_); }
  PluginKernel(const PluginKernel&) = delete;
  PluginKernel& operator=(const PluginKernel&) = delete;

  void run(const Arguments& arguments) override {
    const auto data = [](const ir::TensorView& tensor) { return tensor.data; };
    std::transform(arguments.operands.begin(), arguments.operands.end(), operands_.begin(), data);
    std::transform(arguments.results.begin(), arguments.results.end(), results_.begin(), data);
    std::string failure;
    const stair_arguments given{sizeof(stair_arguments), operands_.data(), results_.data(),    scratch_ == 0 ? nullptr : arguments.scratch,
                                arguments.threads,       &failure,         plugin_parallel_for};
    if (const char* error = call(failed_, plugin_.run, kernel_, &given)) throw Error(failed_ + ": " + one_line(error));
  }
  std::size_t scratch_bytes(int /*threads*/) const override { return scratch_; }
  std::string_view description() const override { return description_; }

 private:
  const stair_plugin& plugin_;
  std::string failed_;  // "FILE: plug-in 'NAME': OP 'NODE' failed"
  NodeView view_;
  std::vector<const void*> operands_;
  std::vector<void*> results_;
  std::vector<const void*> constants_;
  stair_kernel* kernel_ = nullptr;
  std::size_t scratch_ = 0;
  std::string description_;
};

class Plugin : public Backend {
 public:
  Plugin(std::filesystem::path path, const std::string& file, const stair_plugin& table)
      : path_(std::move(path)), subject_(file + ": plug-in '" + table.name + "'"), table_(table), summary_(one_line(table.summary)) {}

  const std::filesystem::path& path() const { return path_; }
  std::string_view name() const override { return table_.name; }
  std::string_view summary() const override { return summary_; }
  Answer supports_op(std::string_view op) const override { return answer(call(subject_, table_.supports_op, std::string(op).c_str())); }
  Answer supports(const ir::Graph& graph, const ir::Node& node) const override {
    const NodeView view(graph, node);
    return answer(call(subject_, table_.supports, &view.node()));
  }
  std::unique_ptr<Kernel> prepare(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants) const override {
    return std::make_unique<PluginKernel>(table_, subject_, graph, graph.node(nodes.front()), constants);
  }
  bool channels_last() const override { return table_.layout == STAIR_NHWC; }
  bool any_layout() const override { return table_.layout == STAIR_ANY_LAYOUT; }

 private:
  static Answer answer(const char* reason) { return reason == nullptr ? Answer::can() : Answer::cannot(one_line(reason)); }

  std::filesystem::path path_;
  std::string subject_;
  const stair_plugin& table_;
  std::string summary_;
};

std::vector<std::unique_ptr<Plugin>>& loaded() {
  static std::vector<std::unique_ptr<Plugin>> plugins;
  return plugins;
}

// Closes the library unless it is kept.
struct CloseLibrary {
  void operator()(void* library) const { ::dlclose(library); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

Library open_library(const std::filesystem::path& path, const std::string& file) {
  // A library linked with -ffast-math has code that, when loaded, makes this thread flush subnormals to zero.
  std::fenv_t environment;
  std::fegetenv(&environment);
  Library library(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  std::fesetenv(&environment);
  if (library) return library;
  std::string reason = one_line(::dlerror());
  if (reason.starts_with(path.string() + ": ")) reason.erase(0, path.string().size() + 2);
  throw Error(file + ": " + reason + ", expected a shared library");
}

void check_name(const std::string& name, const std::string& file) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto other = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  if (name.empty() || name.size() > 32 || !letter(name.front()) || !std::all_of(name.begin(), name.end(), other)) {
    throw Error(file + ": the plug-in is named '" + one_line(name) + "', expected a-z, 0-9, _ and -, beginning with a letter, at most 32");
  }
  for (const Backend* backend : every()) {
    if (backend->name() == name) throw Error(file + ": the plug-in is named '" + name + "', and so is another backend");
  }
}

void check_table(const stair_plugin& table, const std::string& file) {
  if (table.abi_version < 1 || table.abi_version > STAIR_PLUGIN_ABI) {
    throw Error(file + ": the plug-in follows version " + std::to_string(table.abi_version) +
                " of stair_plugin.h, this program knows versions 1 to " + std::to_string(STAIR_PLUGIN_ABI));
  }
  if (table.struct_size < sizeof(stair_plugin)) {
    throw Error(file + ": the plug-in's table has struct_size " + std::to_string(table.struct_size) + ", expected at least " +
                std::to_string(sizeof(stair_plugin)));
  }
  const std::pair<const char*, bool> members[] = {{"name", table.name != nullptr},
                                                  {"summary", table.summary != nullptr},
                                                  {"supports_op", table.supports_op != nullptr},
                                                  {"supports", table.supports != nullptr},
                                                  {"prepare", table.prepare != nullptr},
                                                  {"scratch_bytes", table.scratch_bytes != nullptr},
                                                  {"description", table.description != nullptr},
                                                  {"run", table.run != nullptr},
                                                  {"destroy", table.destroy != nullptr}};
  for (const auto& [member, given] : members) {
    if (!given) throw Error(file + ": the plug-in's table has NULL as '" + member + "', expected all members");
  }
  if (table.layout > STAIR_NHWC) {
    throw Error(file + ": the plug-in's layout is " + std::to_string(table.layout) +
                ", expected STAIR_ANY_LAYOUT, STAIR_NCHW or STAIR_NHWC");
  }
  check_name(table.name, file);
}

}  // namespace

const Backend& load_plugin(const std::string& file) {
  if (!std::filesystem::is_regular_file(file)) throw Error(file + ": no such file, expected a plug-in (a shared library)");
  const std::filesystem::path path = std::filesystem::canonical(file);
  for (const std::unique_ptr<Plugin>& plugin : loaded()) {
    if (plugin->path() == path) return *plugin;
  }
  Library library = open_library(path, file);
  void* const symbol = ::dlsym(library.get(), "stair_plugin_load");
  if (symbol == nullptr) throw Error(file + ": has no function 'stair_plugin_load', expected a plug-in (stair_plugin.h)");
  const stair_plugin* table = nullptr;
  const auto load = reinterpret_cast<decltype(&stair_plugin_load)>(symbol);
  std::string reason;
  for (std::uint32_t version = STAIR_PLUGIN_ABI; version >= 1; --version) {
    const char* error = call(file, load, version, &table);
    if (error == nullptr) break;
    if (reason.empty()) reason = one_line(error);
    if (version == 1) throw Error(file + ": the plug-in can't work here: " + reason);
  }
  if (table == nullptr) throw Error(file + ": stair_plugin_load gave neither a table nor an error text");
  check_table(*table, file);
  loaded().push_back(std::make_unique<Plugin>(path, file, *table));
  static_cast<void>(library.release());  // stays until the process ends
  return *loaded().back();
}

std::vector<const Backend*> plugins() {
  std::vector<const Backend*> all;
  for (const std::unique_ptr<Plugin>& plugin : loaded()) all.push_back(plugin.get());
  return all;
}

}  // namespace stair::backends
