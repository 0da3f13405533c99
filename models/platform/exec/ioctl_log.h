// SPDX-License-Identifier: Apache-2.0
// A log of ioctls as strace writes one, with simulated times: a line a call, when it ended,
//   SECONDS [THREAD] FILE NAME({field=value, ...} => {field=value, ...}) = RESULT <SECONDS>
// The first braces are the arguments as the program gave them, the second the fields that the call changed. Names and
// fields are those of the ABI's lists (uapi). What the program's memory holds is read without a fault.
#pragma once

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <vector>

namespace iommusim::platform {

class IoctlLog {
 public:
  struct Call {
    std::string file;
    std::uint32_t command = 0;
    std::uint64_t argument = 0;
    std::vector<unsigned char> before;  ///< of the argument's structure, as far as it could be read
  };

  /// InputError for a file that cannot be written.
  explicit IoctlLog(const std::string& path);
  ~IoctlLog() { close(); }

  static Call begin(const char* file, std::uint32_t command, std::uint64_t argument);
  void end(const Call& call, std::int64_t result, std::uint64_t start_ps, std::uint64_t end_ps, int thread);
  void close();

  /// "IOMMU_IOAS_MAP", or the number.
  static std::string name_of(const std::string& file, std::uint32_t command);

 private:
  std::mutex lock_;  // guards out_
  std::FILE* out_;
};

}  // namespace iommusim::platform
