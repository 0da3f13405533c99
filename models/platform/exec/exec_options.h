// SPDX-License-Identifier: Apache-2.0
// What `iommusim exec` was told about its simulated machine, as lines NAME=VALUE, for they cross into the program's
// process by the environment: system, set (any number), seed, output, ioctl_log.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/exec/exec_device.h"
#include "platform/system_file.h"

namespace iommusim::platform {

struct ExecOptions {
  /// InputError for an argument or a system file that cannot be.
  explicit ExecOptions(const std::vector<std::string>& arguments);

  const SystemParams& params() const { return file->params(); }
  std::vector<ExecSlot> slots() const;

  std::string system;  ///< a file; empty: the machine that is built in
  std::vector<std::string> sets;
  std::optional<std::uint64_t> seed;
  std::string output;     ///< a folder; empty: no results are written
  std::string ioctl_log;  ///< a file; empty: output/ioctls.log, or none
  std::unique_ptr<SystemFile> file;
};

}  // namespace iommusim::platform
