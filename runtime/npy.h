#pragma once

#include <string>

#include "runtime/examples.h"
#include "runtime/tensor.h"

namespace stair::runtime {

/// Reads NumPy's .npy (versions 1 to 3, C order, little-endian): f4, f8, i1, u1, i4, i8 as they are, i2, u2 and u4 widened to i32 and i64.
/// Error naming the file for anything else.
Tensor read_npy(const std::string& path);
/// The same of the bytes of one, which `name` names in errors.
Tensor npy_from(const std::string& bytes, const std::string& name);
/// The examples u8 or f32 [N, ...] of such a file, of any size but not gzipped, which stay in it: each is read when it is asked for. With
/// `rows` indices i32, of integers in [0, rows).
Examples examples_in_npy(const std::string& path, std::int64_t rows = 0);
/// Replaces the file at once.
void write_npy(const ir::TensorView& tensor, const std::string& path);

}  // namespace stair::runtime
