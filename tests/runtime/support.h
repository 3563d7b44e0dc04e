#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/examples.h"
#include "runtime/tensor.h"

namespace stair::tests {

/// A folder of its own for a test's files, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  /// The path of a file in it.
  std::string operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  /// How many files are in it.
  std::ptrdiff_t files() const;

 private:
  std::filesystem::path path_;
};

/// Writes a file as it stands, by other means than the code under test.
void put(const std::string& path, std::string_view bytes);
std::string get(const std::string& path);
/// The bytes as a gzip file holds them.
std::string gzipped(std::string_view bytes);

/// The message of the stair::Error that `action` throws, or "no error". Any other exception fails the test.
std::string error_of(const std::function<void()>& action);

/// `text` with each `from` replaced by `to`.
std::string replaced(std::string text, std::string_view from, std::string_view to);

/// Every element a random byte pattern: as floats also infinities and NaNs.
runtime::Tensor random_bytes(const ir::Type& type, std::uint64_t seed);

/// All of them in memory, each as it is read: [N, ...].
runtime::Tensor all_examples(const runtime::Examples& examples);

bool same_bytes(const ir::TensorView& a, const ir::TensorView& b);
bool same_tensors(const runtime::Tensors& a, const runtime::Tensors& b);
/// The names of the tensors that aren't the same, or that only one of them has, separated by blanks.
std::string differing(const runtime::Tensors& a, const runtime::Tensors& b);
runtime::Tensors cloned(const runtime::Tensors& tensors);

}  // namespace stair::tests
