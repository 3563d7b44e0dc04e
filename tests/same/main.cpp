// What tests/same.sh is made of.
//   same draw CASE FOLDER        writes the random case into the folder
//   same model MODEL.json FOLDER writes a case around a model
//   same quantized SEED FILE     writes a random quantized ONNX file, as quantizers of others make them (tests/onnx.sh)
//   same compare OURS THEIRS     compares two folders: "KIND <tab> PLACE <tab> DIFFERENCE" a line, the last empty where both are the same

#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "tests/same/cases.h"
#include "tests/same/compare.h"
#include "tests/support/onnx_file.h"

int main(int count, char** words) {
  const std::vector<std::string> given(words + 1, words + count);
  try {
    if (given.size() != 3) {
      std::fprintf(stderr, "expected 'draw CASE FOLDER', 'model MODEL FOLDER', 'quantized SEED FILE' or 'compare OURS THEIRS'\n");
      return 2;
    }
    if (given[0] == "draw") stair::tests::write_case(std::stoull(given[1]), given[2]);
    if (given[0] == "model") stair::tests::write_model_case(given[1], given[2]);
    if (given[0] == "quantized")
      std::ofstream(given[2], std::ios::binary) << stair::tests::onnx_file(stair::tests::quantized_onnx_graph(std::stoull(given[1])));
    if (given[0] == "compare") {
      for (const stair::tests::Comparison& made : stair::tests::compare_folders(given[1], given[2])) {
        std::printf("%s\t%s\t%s\n", made.kind.c_str(), made.place.c_str(), made.difference.c_str());
      }
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
