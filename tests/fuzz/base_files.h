#pragma once

#include <string>
#include <vector>

namespace stair::tests {

/// What the mutations of files begin with, made by the driver itself, once a process: small data sets in every format, and experiments that
/// were trained on them for a step or two: NAME.json, and its run folder NAME with checkpoints and artifacts.
///   conv    convolution, batch-norm, pool; 8 bits; float, calibrate and qat stages
///   mixed   addition, concatenation, averages, tables; fixed-point requantization
///   bits    linear layers in 3 and 4 bits with power-of-two requantization, NumPy data
///   binary  BinaryConnect on CIFAR's pictures
/// stored.npz and deflated.npz hold the test data of bits as "x" and "y", test.csv some of a table that table.json trains on, picture.png
/// and picture.jpg are pictures of 16 x 12. x.npy (f32) and u8.npy are inputs of conv's artifact. Paths within the files are absolute, and
/// lead to where they were made.
void write_base_files(const std::string& folder);

/// Names of the experiments above.
const std::vector<std::string>& base_experiments();

/// A whole file of the working directory.
std::string read_whole(const std::string& path);
void write_whole(const std::string& path, const std::string& bytes);

/// Graphs in text: the models, their training steps and deployed graphs, and those of tests/golden.
const std::vector<std::string>& base_graphs();

}  // namespace stair::tests
