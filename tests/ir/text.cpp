#include "ir/text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "ir/error.h"
#include "ir/random.h"
#include "ir/scanner.h"
#include "tests/support/model_builder.h"

using namespace stair;

namespace {

const std::string header = "sir 1\ngraph \"g\"\n";

// The message of the error that parsing gives, without the place where it is "t:LINE:COLUMN: ".
std::string error_of(const std::string& text) {
  try {
    ir::parse(text, "t");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Parses to something, or throws an Error; anything else fails the test.
void survives(const std::string& text) {
  try {
    ir::print(ir::parse(text, "t"));
  } catch (const Error&) {
  }
}

ir::Attribute read_literal(const std::string& text) {
  ir::Scanner scan(text, "t");
  ir::Attribute read = scan.literal();
  scan.end_line();
  return read;
}

std::string again(const ir::Attribute& attribute) {
  return ir::print_literal(read_literal(ir::print_literal(attribute)));
}

}  // namespace

TEST_CASE("models print and parse back to the same text") {
  std::vector<ir::Graph> models{ir::Graph{}, tests::small_lenet(2), tests::small_mixed_net(2)};
  for (std::uint64_t seed = 0; seed < 31; ++seed) models.push_back(tests::random_net(seed, 2));
  for (const ir::Graph& model : models) {
    const std::string text = ir::print(model);
    CHECK(ir::print(ir::parse(text, "t")) == text);
  }
}

TEST_CASE("the form of each statement") {
  const std::string text =
      "sir 1\n"
      "graph \"a \\\"graph\\\"\"\n"
      "%x = input : f32[2,3,4,4]\n"
      "%w = state parameter uniform(0.2) {bits=4, clip=1.0, decay=false, lr_scale=0.5} : f32[3]\n"
      "%m = state statistic normal(1e-30) : f64[]\n"
      "%s = state observer constant(-0.0) : f32[1]\n"
      "%n = state counter constant(7.0) : i64[1]\n"
      "%k = state constant external : i32[1]\n"
      "%a = channel_affine(%x, _, %w) : f32[2,3,4,4]\n"
      "%p, %p.index = max_pool(%a) {kernel=[2,2], stride=[1,1]} : f32[2,3,3,3], u8[2,3,3,3]\n"
      "output y = %p\n"
      "update %w = %w\n";
  CHECK(ir::print(ir::parse(text, "t")) == text);
}

TEST_CASE("comments, blanks and empty lines mean nothing, types of results may be left out") {
  const std::string loose = "# a\n\n sir\t1 # b\r\n\ngraph \"g\"\n %x=input:f32[ 2 , 3 ]\n\n%y =relu ( %x ) {} # c\noutput y=%y";
  CHECK(ir::print(ir::parse(loose, "t")) == header + "%x = input : f32[2,3]\n%y = relu(%x) : f32[2,3]\noutput y = %y\n");
}

TEST_CASE("a name of other characters stands in quotes") {
  for (const std::string& name :
       std::vector<std::string>{"a b", "%x", "\"", "\\", "", "ä", "a\nb", "a\tb\rc", std::string("a\x01") + "b", "#", "a=b", "_", "1"}) {
    CAPTURE(name);
    ir::Graph graph;
    graph.name = name;
    graph.add_output(name, graph.add_input(name, {ir::DType::f32, {1}}));
    const std::string text = ir::print(graph);
    const ir::Graph read = ir::parse(text, "t");
    CHECK(read.name == name);
    CHECK(read.value(read.output(name)).name == name);
    CHECK(ir::print(read) == text);
  }
}

TEST_CASE("numbers are written with the fewest digits that read back to them, and never look like integers") {
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<double, std::string>> numbers{{0.1, "0.1"},
                                                            {1e-30, "1e-30"},
                                                            {1.0, "1.0"},
                                                            {-0.0, "-0.0"},
                                                            {0.0, "0.0"},
                                                            {inf, "inf"},
                                                            {-inf, "-inf"},
                                                            {1e300, "1e+300"},
                                                            {1.0 / 3.0, "0.3333333333333333"},
                                                            {5e-324, "5e-324"},
                                                            {123456789.0, "123456789.0"},
                                                            {std::numeric_limits<double>::quiet_NaN(), "nan"}};
  for (const auto& [number, text] : numbers) {
    CHECK(ir::print_literal(number) == text);
    CHECK(std::holds_alternative<double>(read_literal(text)));
    CHECK(again(number) == text);
  }
}

TEST_CASE("integers, truths, texts and lists keep their kinds") {
  CHECK(read_literal("9223372036854775807") == ir::Attribute(std::numeric_limits<std::int64_t>::max()));
  CHECK(read_literal("-9223372036854775808") == ir::Attribute(std::numeric_limits<std::int64_t>::min()));
  CHECK(read_literal("true") == ir::Attribute(true));
  CHECK(read_literal("false") == ir::Attribute(false));
  CHECK(read_literal("[]") == ir::Attribute(std::vector<std::int64_t>{}));
  CHECK(read_literal("[1, -2]") == ir::Attribute(std::vector<std::int64_t>{1, -2}));
  CHECK(read_literal("[1, 2.5]") == ir::Attribute(std::vector<double>{1, 2.5}));
  CHECK(ir::print_literal(std::vector<double>{1, 2.5}) == "[1.0,2.5]");
  CHECK(ir::print_literal(std::vector<std::int64_t>{}) == "[]");
  CHECK(ir::print_literal(std::vector<double>{}) == "[]");
  for (const std::string& text : std::vector<std::string>{"", "a\"b\\c", "\n\t\r", "\x01\x1f", "\x7fä"})
    CHECK(read_literal(ir::print_literal(text)) == ir::Attribute(text));
  CHECK(read_literal("\"\\x41\\n\"") == ir::Attribute(std::string("A\n")));
}

TEST_CASE("an empty list of numbers is read where the op wants numbers") {
  const ir::Graph graph =
      ir::parse(header + "%s = state constant external : f32[1]\n%z = state constant external : i32[1]\n" +
                    "%t = tabulate(%s, %z, %s, %z) {function=\"tanh\", hi=255, lo=0, parameters=[], x_hi=255, x_lo=0}\n",
                "t");
  CHECK(graph.nodes()[0].attributes.numbers("parameters").empty());
}

TEST_CASE("errors say where, what was found and what was expected") {
  const std::string x = header + "%x = input : f32[2,3]\n";
  CHECK(error_of("") == "t:1:1: not the text of a graph, expected 'sir 1'");
  CHECK(error_of("{}") == "t:1:1: found '{', expected 'sir'");
  CHECK(error_of("sir 2\ngraph \"g\"\n") == "t:1:5: version 2 of the graph text, expected 1");
  CHECK(error_of("sir one\n") == "t:1:5: found 'one', expected a version");
  CHECK(error_of("sir 1\n") == "t:2:1: expected 'graph \"NAME\"'");
  CHECK(error_of("sir 1\ngraph \"g\n") == "t:2:7: a string that doesn't end on its line");
  CHECK(error_of(x + "%y = relux(%x)\n") == "t:4:6: unknown op 'relux' (did you mean 'relu'?)");
  CHECK(error_of(x + "%y = relu(%a)\n") == "t:4:12: '%a' isn't defined above (did you mean 'x'?)");
  CHECK(error_of(x + "%y = relu(%x) : f32[3,2]\n") == "t:4:24: '%y' is written as f32[3,2], but its op gives f32[2,3]");
  CHECK(error_of(x + "%y = leaky_relu(%x) {slope=0.1\n") == "t:4:31: found the end of the line, expected '}'");
  CHECK(error_of(x + "%y = leaky_relu(%x) {slop=0.1}\n") == "t:4:30: leaky_relu 'y': unknown attribute 'slop' (did you mean 'slope'?)");
  CHECK(error_of(x + "%y = leaky_relu(%x) {slope=\"0.1\"}\n") == "t:4:33: leaky_relu 'y': attribute 'slope' is a text, expected a number");
  CHECK(error_of(x + "%y = leaky_relu(%x) {slope=1, slope=2}\n") == "t:4:31: the attribute 'slope' stands twice");
  CHECK(error_of(x + "%x = relu(%x)\n") == "t:4:13: the name 'x' is taken");
  CHECK(error_of(x + "%x = input : f32[2,3]\n") == "t:4:21: the name 'x' is taken");
  CHECK(error_of(x + "%a, %b = input : f32[1]\n") == "t:4:10: found 2 names, expected one for an input or a state");
  CHECK(error_of(x + "%y = input : f16[2,3]\n") ==
        "t:4:14: unknown element type 'f16' (did you mean 'f32'?), expected 'f32', 'f64', 's8', 'u8', 'i32' or 'i64'");
  CHECK(error_of(x + "%y = input : f32[2,]\n") == "t:4:20: found ']', expected a dimension");
  CHECK(error_of(x + "%y = input : f32[0]\n") ==
        "t:4:19: value 'y' has the shape [0], expected at most 16 dimensions of at least 1 and 2147483647 elements");
  CHECK(error_of(x + "%w = state param constant(0.0) : f32[1]\n") ==
        "t:4:12: unknown state role 'param', expected 'parameter', 'statistic', 'observer', 'slot', 'counter' or 'constant'");
  CHECK(error_of(x + "%w = state slot gaussian(0.0) : f32[1]\n") ==
        "t:4:17: unknown initializer 'gaussian', expected 'constant', 'uniform', 'normal' or 'external'");
  CHECK(error_of(x + "%w = state slot constant(zero) : f32[1]\n") == "t:4:26: found 'zero', expected a number");
  CHECK(error_of(x + "%a, %b = relu(%x)\n") == "t:4:17: relu 'a' has 1 results, found 2 names");
  CHECK(error_of(x + "%p, %q = max_pool(%x) {kernel=[1,1]}\n") == "t:4:36: max_pool 'p': x is [2,3], expected [N,C,H,W]");
  CHECK(error_of(x + "%y = relu(%x) %z\n") == "t:4:15: found '%', expected the end of the line");
  CHECK(error_of(x + "%y = relu(x)\n") == "t:4:11: found 'x', expected an operand ('%NAME' or '_')");
  CHECK(error_of(x + "result y = %x\n") == "t:4:1: unknown statement 'result', expected '%', 'output' or 'update'");
  CHECK(error_of(x + "output y = %x\noutput y = %x\n") == "t:5:8: the output 'y' stands twice");
  CHECK(error_of(x + "update %x = %x\n") == "t:4:14: update of 'x', which is no state");
  CHECK(error_of(x + "%y = pad(%x) {padding=[0,[1]]}\n") == "t:4:26: found '[', expected an integer or a number in a list");
  CHECK(error_of(x + "%y = pad(%x) {padding=[0,true]}\n") == "t:4:26: found a boolean, expected integers or numbers in a list");
  CHECK(error_of(x + "%\"\\q\" = relu(%x)\n") == "t:4:2: unknown escape in a string, expected \\\", \\\\, \\n, \\t, \\r or \\xHH");
  CHECK(error_of(x + "%\"\\x4\" = relu(%x)\n") == "t:4:2: an escape that isn't \\xHH");
  CHECK(error_of(x + "\x80\n") == "t:4:1: found the byte 0x80, expected '%', 'output' or 'update'");
}

TEST_CASE("texts that are deep, long or large don't crash") {
  survives(header + "%x = input : f32[1]\n%y = pad(%x) {padding=" + std::string(1000000, '[') + "\n");
  survives(header + std::string(1000000, '%'));
  survives(header + "%x = input : f32[" + std::string(1000000, '9') + "]\n");
  const std::string huge = "9223372036854775807";
  survives(header + "%x = input : f32[1,1,3,3]\n%y, %y.index = max_pool(%x) {kernel=[2,2], stride=[0,0]}\n");
  survives(header + "%x = input : f32[1,1,3,3]\n%y = avg_pool(%x) {kernel=[2,2], stride=[1,1], padding=[" + huge + ",0,0,0]}\n");
  survives(header + "%x = input : f32[1,1,3,3]\n%w = state slot external : f32[1,1,1,1]\n%y = conv2d(%x, %w) {groups=0}\n");
  survives(header + "%x = input : f32[1,1,3,3]\n%y = reshape(%x) {shape=[-1,-1]}\n");
}

TEST_CASE("every prefix of a text parses or is refused") {
  const std::string text = ir::print(tests::small_mixed_net(1));
  for (std::size_t length = 0; length < text.size(); ++length) survives(text.substr(0, length));
}

TEST_CASE("texts with random bytes changed, dropped, doubled or swapped parse or are refused") {
  const std::string text = ir::print(tests::random_net(3, 1));
  const std::string alphabet = "%=(){}[],:._\"\\#\n 019-+einfx";
  for (std::uint64_t round = 0; round < 3000; ++round) {
    std::string mutated = text;
    std::uint64_t draw = 0;
    const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(ir::random_bits(round, 5, 0, draw++) % n); };
    for (std::size_t changes = 1 + pick(3); changes > 0; --changes) {
      const std::size_t at = pick(mutated.size());
      switch (pick(5)) {
        case 0:
          mutated[at] = static_cast<char>(pick(256));
          break;
        case 1:
          mutated[at] = alphabet[pick(alphabet.size())];
          break;
        case 2:
          mutated.erase(at, 1 + pick(8));
          break;
        case 3:
          mutated.insert(at, mutated.substr(at, 1 + pick(20)));
          break;
        default:
          std::swap(mutated[at], mutated[pick(mutated.size())]);
      }
    }
    survives(mutated);
  }
}
