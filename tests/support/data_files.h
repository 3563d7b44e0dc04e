#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stair::tests {

/// What stands before the elements of an IDX file of bytes with those dimensions.
std::string idx_header(const std::vector<std::uint32_t>& dims);
/// A NumPy file: `descr` is the element type ("<f4", "|u1"), `shape` the dimensions with a comma behind each, or between them.
std::string npy_file(const std::string& descr, const std::string& shape, const std::string& elements);

/// Bytes, labels below `classes` and floats in [0, 1), as a file holds them: a function of the seed and the stream alone.
std::string random_bytes(std::size_t count, std::uint64_t seed, std::uint64_t stream);
std::string random_labels(std::size_t count, std::uint64_t classes, std::uint64_t seed, std::uint64_t stream);
std::string random_floats(std::size_t count, std::uint64_t seed, std::uint64_t stream);
/// Records of CIFAR-10's binary version, each with a label below 4.
std::string random_cifar10(std::size_t count, std::uint64_t seed, std::uint64_t stream);

}  // namespace stair::tests
