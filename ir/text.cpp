#include "ir/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "ir/enum_names.h"
#include "ir/error.h"
#include "ir/op.h"
#include "ir/scanner.h"

namespace stair::ir {
namespace {

constexpr std::int64_t version = 1;
constexpr std::size_t most_values = 100'000;  // many times what the largest networks have; some passes take the square of it

constexpr std::pair<Initializer::Kind, std::string_view> initializer_names[] = {{Initializer::Kind::constant, "constant"},
                                                                                {Initializer::Kind::uniform, "uniform"},
                                                                                {Initializer::Kind::normal, "normal"},
                                                                                {Initializer::Kind::external, "external"}};

std::string value_text(const Graph& graph, ValueId id) {
  return id == absent ? "_" : "%" + print_name(graph.value(id).name);
}

std::string initializer_text(const Initializer& initializer) {
  const std::string name(name_in(initializer_names, initializer.kind));
  return initializer.kind == Initializer::Kind::external ? name : name + "(" + print_literal(initializer.a) + ")";
}

template <class T, class Text>
std::string joined(const std::vector<T>& items, Text text) {
  std::string out;
  for (const T& item : items) out += (out.empty() ? "" : ", ") + text(item);
  return out;
}

std::string node_text(const Graph& graph, const Node& node) {
  Attributes unusual;
  for (const AttributeSpec& spec : node.op->attributes) {
    const Attribute& value = node.attributes.at(spec.name);
    if (spec.required || value != spec.fallback) unusual.set(spec.name, value);
  }
  const auto name = [&](ValueId id) { return value_text(graph, id); };
  std::string attributes = print_attributes(unusual);
  if (!attributes.empty()) attributes = " " + attributes;
  return fmt::format("{} = {}({}){} : {}\n", joined(node.results, name), node.op->name, joined(node.operands, name), attributes,
                     joined(node.results, [&](ValueId id) { return to_string(graph.type(id)); }));
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view source) : scan_(text, source) {}

  Graph run() {
    header();
    while (!scan_.at_end()) {
      if (graph_.values().size() > most_values) scan_.fail(fmt::format("more than {} values", most_values));
      statement();
      scan_.end_line();
    }
    graph_.keep_names();
    return std::move(graph_);
  }

 private:
  // What the graph says against a statement gets the statement's place.
  template <class Make>
  void at_place(Make make) {
    try {
      make();
    } catch (const Error& error) {
      scan_.fail(error.what());
    }
  }

  void header() {
    if (scan_.at_end() || scan_.word("'sir'") != "sir")
      scan_.fail("not the text of a graph, expected 'sir " + std::to_string(version) + "'");
    const std::int64_t its = scan_.integer("a version");
    if (its != version) scan_.fail(fmt::format("version {} of the graph text, expected {}", its, version));
    scan_.end_line();
    if (scan_.at_end() || scan_.word("'graph'") != "graph") scan_.fail("expected 'graph \"NAME\"'");
    graph_.name = scan_.string();
    scan_.end_line();
  }

  void statement() {
    if (scan_.next_is('%')) return definition();
    const std::string keyword = scan_.word("'%', 'output' or 'update'");
    if (keyword == "output") {
      const std::string name = scan_.name("the output's name");
      if (!outputs_.insert(name).second) scan_.fail("the output '" + name + "' stands twice");
      scan_.expect('=');
      graph_.add_output(name, defined());
    } else if (keyword == "update") {
      const ValueId state = defined();
      scan_.expect('=');
      const ValueId value = defined();
      if (!updated_.insert(state).second) scan_.fail("the update of '" + graph_.value(state).name + "' stands twice");
      at_place([&] { graph_.add_update(state, value); });
    } else {
      scan_.fail("unknown statement '" + keyword + "'" + did_you_mean(keyword, {"output", "update"}) +
                 ", expected '%', 'output' or 'update'");
    }
  }

  ValueId defined() {
    const std::string name = scan_.value_name();
    const ValueId value = graph_.find(name);
    if (value != absent) return value;
    std::vector<std::string> names;
    for (const Value& known : graph_.values()) names.push_back(known.name);
    scan_.fail("'%" + name + "' isn't defined above" + did_you_mean(name, names));
  }

  void definition() {
    std::vector<std::string> names{scan_.value_name()};
    while (scan_.accept(',')) names.push_back(scan_.value_name());
    scan_.expect('=');
    const std::string what = scan_.word("'input', 'state' or an op");
    if ((what == "input" || what == "state") && names.size() > 1) {
      scan_.fail("found " + std::to_string(names.size()) + " names, expected one for an input or a state");
    }
    if (what == "input") return input(names.front());
    if (what == "state") return state(names.front());
    node(names, what);
  }

  Type type() {
    Type made;
    const std::string element = scan_.word("an element type");
    at_place([&] { made.dtype = dtype_named(element); });
    scan_.expect('[');
    if (scan_.accept(']')) return made;
    do {
      made.shape.push_back(scan_.integer("a dimension"));
    } while (scan_.accept(','));
    scan_.expect(']');
    return made;
  }

  void input(const std::string& name) {
    scan_.expect(':');
    const Type its = type();
    at_place([&] { graph_.add_input(name, its); });
  }

  Initializer initializer() {
    const std::string word = scan_.word("an initializer");
    Initializer made;
    at_place([&] { made.kind = named_in(initializer_names, word, "initializer"); });
    if (made.kind == Initializer::Kind::external) return made;
    scan_.expect('(');
    made.a = scan_.number();
    scan_.expect(')');
    return made;
  }

  // Those that the rest of the program reads, of their kinds (docs/format-sir.md, "Attributes of states").
  Attributes state_attributes(const std::string& name) {
    static const std::vector<AttributeSpec> specs{{.name = "average_of", .doc = "", .fallback = std::string(), .optional = true},
                                                  {.name = "bits", .doc = "", .fallback = std::int64_t{0}, .optional = true},
                                                  {.name = "clip", .doc = "", .fallback = 0.0, .optional = true},
                                                  {.name = "decay", .doc = "", .fallback = false, .optional = true},
                                                  {.name = "follows", .doc = "", .fallback = std::string(), .optional = true},
                                                  {.name = "levels", .doc = "", .fallback = std::vector<std::int64_t>(), .optional = true},
                                                  {.name = "lr_scale", .doc = "", .fallback = 0.0, .optional = true}};
    Attributes read = scan_.attributes();
    at_place([&] { read = completed(specs, read, "state '" + name + "': ", "attribute"); });
    return read;
  }

  void state(const std::string& name) {
    State made;
    const std::string role = scan_.word("a state's role");
    at_place([&] { made.role = role_named(role); });
    made.initializer = initializer();
    made.attributes = state_attributes(name);
    scan_.expect(':');
    const Type its = type();
    at_place([&] { graph_.add_state(name, its, made); });
  }

  void node(const std::vector<std::string>& names, const std::string& op_name) {
    at_place([&] { op(op_name); });
    std::vector<ValueId> operands;
    scan_.expect('(');
    if (!scan_.accept(')')) {
      do {
        if (scan_.next_is('%')) {
          operands.push_back(defined());
        } else if (scan_.accept('_')) {
          operands.push_back(absent);
        } else {
          scan_.fail_expected("an operand ('%NAME' or '_')");
        }
      } while (scan_.accept(','));
      scan_.expect(')');
    }
    const Attributes attributes = scan_.attributes();
    std::vector<Type> types;
    if (scan_.accept(':')) {
      do {
        types.push_back(type());
      } while (scan_.accept(','));
    }
    if (graph_.find(names.front()) != absent) scan_.fail("the name '" + names.front() + "' is taken");
    at_place([&] { graph_.add(op_name, operands, attributes, names.front()); });
    const Node& made = graph_.nodes().back();
    if (names.size() != made.results.size()) {
      scan_.fail(fmt::format("{} '{}' has {} results, found {} names", op_name, made.name, made.results.size(), names.size()));
    }
    if (!types.empty() && types.size() != made.results.size()) {
      scan_.fail(fmt::format("{} '{}' has {} results, found {} types", op_name, made.name, made.results.size(), types.size()));
    }
    for (std::size_t i = 0; i < made.results.size(); ++i) {
      const Value& value = graph_.value(made.results[i]);
      if (names[i] != value.name) at_place([&] { graph_.rename(made.results[i], names[i]); });
      if (!types.empty() && types[i] != value.type) {
        scan_.fail("'%" + value.name + "' is written as " + to_string(types[i]) + ", but its op gives " + to_string(value.type));
      }
    }
  }

  Scanner scan_;
  Graph graph_;
  std::set<std::string> outputs_;
  std::set<ValueId> updated_;
};

}  // namespace

std::string print(const Graph& graph) {
  std::string text = fmt::format("sir {}\ngraph {}\n", version, print_literal(graph.name));
  for (const ValueId input : graph.inputs())
    text += fmt::format("{} = input : {}\n", value_text(graph, input), to_string(graph.type(input)));
  for (const State& state : graph.states()) {
    std::string attributes = print_attributes(state.attributes);
    if (!attributes.empty()) attributes = " " + attributes;
    text += fmt::format("{} = state {} {}{} : {}\n", value_text(graph, state.value), name_of(state.role),
                        initializer_text(state.initializer), attributes, to_string(graph.type(state.value)));
  }
  for (const Node& node : graph.nodes()) text += node_text(graph, node);
  for (const Output& output : graph.outputs())
    text += fmt::format("output {} = {}\n", print_name(output.name), value_text(graph, output.value));
  for (const Update& update : graph.updates())
    text += fmt::format("update {} = {}\n", value_text(graph, update.state), value_text(graph, update.value));
  return text;
}

Graph parse(std::string_view text, std::string_view source) {
  return Parser(text, source).run();
}

}  // namespace stair::ir
