#pragma once

#include <string>
#include <string_view>

#include "ir/attributes.h"

namespace stair::ir {

/// Reads the tokens of the text form (docs/format-sir.md) one after another. Blanks and comments between tokens are skipped; the end of a
/// line is a token of its own. Errors are "SOURCE:LINE:COLUMN: found …, expected …".
class Scanner {
 public:
  /// `source` names the text in errors. Both must outlive the scanner.
  Scanner(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  /// Nothing but blanks, comments and empty lines is left.
  bool at_end();
  /// The next token is this character.
  bool next_is(char c);
  /// Takes the character if it is next.
  bool accept(char c);
  void expect(char c);
  /// The statement ends here: takes the end of the line (or of the text).
  void end_line();
  /// A key, an op, an element type: letters, digits and '_'.
  std::string word(std::string_view expected);
  /// A name: letters, digits and "_.-:/", or a string.
  std::string name(std::string_view expected);
  /// '%' and a name.
  std::string value_name();
  std::int64_t integer(std::string_view expected);
  double number();
  std::string string();
  /// true, false, an integer, a number, a string, a list of integers or numbers, or an object, "{key=literal, …}".
  Attribute literal();
  /// "{key=literal, …}", or nothing.
  Attributes attributes();
  /// Throws Error at the token that was begun last.
  [[noreturn]] void fail(const std::string& message) const;
  /// Throws Error "…: found WHAT IS NEXT, expected `expected`".
  [[noreturn]] void fail_expected(std::string_view expected);

 private:
  void skip_blanks();
  void skip_lines();
  std::string_view run_of(bool (*belongs)(char));
  template <class Number>
  Number number_of(std::string_view expected);
  std::string found() const;

  std::string_view text_, source_;
  std::size_t at_ = 0;
  std::size_t token_ = 0;  // where the last token begins
  int depth_ = 0;          // of objects
};

/// A name as the text form writes it: as it is, or as a string where it has other characters.
std::string print_name(std::string_view name);
/// An attribute's value as the text form writes it.
std::string print_literal(const Attribute& attribute);
/// "{key=literal, …}", or "" where there are none.
std::string print_attributes(const Attributes& attributes);

}  // namespace stair::ir
