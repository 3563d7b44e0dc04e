#pragma once

#include <fmt/format.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "ir/error.h"

namespace stair::readers {

/// What is wrong with a model JSON, told with its file and the JSON pointer.
class ModelFaults {
 public:
  /// `idle` takes what has no effect; nullptr: that is an error, too.
  ModelFaults(std::string source, std::vector<std::string>* idle) : source_(std::move(source)), idle_(idle) {}

  const std::string& source() const { return source_; }

  [[noreturn]] void fail(const std::string& pointer, const std::string& message) const { throw Error(line(pointer, message)); }

  /// What the user wrote has no effect.
  void has_no_effect(const std::string& pointer, const std::string& message) const {
    if (idle_ == nullptr) fail(pointer, message);
    idle_->push_back(line(pointer, message));
  }

  /// What `make` throws, as a graph says it against a layer, gets the layer's place.
  template <class Make>
  std::invoke_result_t<Make> guarded(const std::string& pointer, Make make) const {
    try {
      return make();
    } catch (const Error& error) {
      fail(pointer, error.what());
    }
  }

 private:
  std::string line(const std::string& pointer, const std::string& message) const {
    return fmt::format("{} {}: {}", source_, pointer, message);
  }

  std::string source_;
  std::vector<std::string>* idle_;
};

}  // namespace stair::readers
