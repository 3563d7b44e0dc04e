#pragma once

#include <map>
#include <string>

#include "runtime/tensor.h"

namespace stair::runtime {

/// A safetensors file: an 8-byte little-endian header length, a JSON header with dtype, shape and offsets of every tensor, and the bytes.
/// Ours say what they are in the metadata: "format" (which of our formats), "version", and "crc32" of the whole file.
struct Safetensors {
  Tensors tensors;
  std::map<std::string, std::string> metadata;
};

/// The file's bytes. `format` and `version` go into the metadata.
std::string to_safetensors(const Safetensors& contents, const std::string& format, int version);

/// Reads such bytes; `path` names the file in errors. Throws Error for what is no safetensors file, for another format (saying which it
/// is), a version other than `version` (or from `oldest` to it), tensors that reach outside or overlap, and a checksum that doesn't fit.
Safetensors from_safetensors(const std::string& bytes, const std::string& path, const std::string& format, int version, int oldest = 0);

/// The format that the header of such bytes says; "" where it says none, or they are none.
std::string format_of(const std::string& bytes);

/// The key `images` of checkpoints and artifacts: "u8", "f32", "i32", or "" where it isn't there. Error naming the file for anything else.
std::string image_elements(const std::map<std::string, std::string>& metadata, const std::string& path);

}  // namespace stair::runtime
