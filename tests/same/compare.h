#pragma once

#include <string>
#include <vector>

namespace stair::tests {

/// One thing that two programs made of the same input.
struct Comparison {
  std::string kind;             ///< files, tensors, graph, recipe, metadata, experiment, metrics, results, text, bytes
  std::string place;            ///< the file, and what in it
  std::string difference = {};  ///< the first, as "OURS, theirs THEIRS"; "" where they are the same
};

/// Compares the files of two folders by their names: checkpoints and artifacts by what is in them (docs/format-checkpoint.md, "Container"),
/// JSON as values, without times, memory and sizes of files, all others by their bytes. Reports for people (.training.txt, .report.txt)
/// must be there, no more. Knows nothing of the project but its pages.
std::vector<Comparison> compare_folders(const std::string& ours, const std::string& theirs);

}  // namespace stair::tests
