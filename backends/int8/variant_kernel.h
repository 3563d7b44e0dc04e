#pragma once

#include <string>

#include "backends/backend.h"
#include "backends/int8/fusion.h"
#include "backends/int8/kernels.h"
#include "ir/op.h"

namespace stair::backends::int8 {

/// A kernel that is made of the primitives of one instruction set.
class VariantKernel : public Kernel {
 public:
  std::string_view description() const final { return description_; }
  std::string_view isa() const final { return name_of(kernels_.isa); }

 protected:
  VariantKernel(const Kernels& kernels, const std::string& what)
      : kernels_(kernels), description_(std::string(name_of(kernels.isa)) + " " + what) {}
  void describe_more(const std::string& what) { description_ += " + " + what; }
  /// What follows the sums.
  void describe_more(const Fusion& fusion) {
    if (fusion.rescale != nullptr) describe_more(fusion.rescale->op->name);
    if (fusion.join != nullptr) describe_more(fusion.join->op->name);
  }

  const Kernels& kernels_;

 private:
  std::string description_;
};

}  // namespace stair::backends::int8
