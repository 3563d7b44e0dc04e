#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/fuzz/draws.h"

namespace stair::tests {

/// Changes a file as damage or malice would: what comes out is mostly near to what went in, so that readers get beyond their first check.
using Mutation = std::function<std::string(const std::string& bytes, Draws& draws)>;

/// Bits flipped, bytes overwritten, inserted or removed, numbers of 2, 4 and 8 bytes at their limits, cut short.
std::string mutate_bytes(std::string bytes, Draws& draws);

/// Tokens replaced (numbers by numbers at limits, words by other words of the text or of `words`), removed or repeated; lines removed,
/// repeated or swapped; deep nesting, long names; bytes.
std::string mutate_text(std::string text, const std::vector<std::string>& words, Draws& draws);

/// A graph's text: the same, or changes that leave its form as it is (other numbers, values and ops), mostly without the types of results,
/// so that they go on into what stands behind.
std::string mutate_graph(const std::string& graph, Draws& draws);

/// As mutate_text() does, or values of the tree replaced, removed, renamed or copied elsewhere. Texts that aren't JSON are mutated as
/// texts.
std::string mutate_json(const std::string& text, Draws& draws);

/// A checkpoint or an artifact: its graph text, its other metadata, its header, its tensors or bytes anywhere. `sealed` says whether the
/// lengths and the checksum were made right again, as whoever means harm would; where not, no reader may accept the file.
std::string mutate_container(const std::string& bytes, Draws& draws, bool& sealed);

/// gzip's compressed form of it.
std::string gzipped(const std::string& bytes);

}  // namespace stair::tests
