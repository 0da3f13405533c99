// SPDX-License-Identifier: Apache-2.0
// Bytes of a file or a string, decompressed on the way: zstd and gzip are recognised by their first bytes, anything
// else is passed on as it is. Memory is constant; a compressed stream that ends early or does not match its checksum is
// an error, told after the bytes before it have been delivered.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace iommusim::traces {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Up to `capacity` (> 0) bytes; 0 at the end of the data or after an error.
  virtual std::size_t read(char* out, std::size_t capacity) = 0;
  /// Why the data ended, as "what is wrong, what was expected"; empty: it is complete.
  const std::string& error() const { return error_; }

 protected:
  std::string error_;
};

/// Throws base::InputError when the file cannot be opened.
std::unique_ptr<ByteSource> open_file(const std::string& path);
std::unique_ptr<ByteSource> open_memory(std::string bytes);

}  // namespace iommusim::traces
