// SPDX-License-Identifier: Apache-2.0
// A program's time on a simulated machine, with what is recorded of it: the log of ioctls, the timeline, records of the
// IOMMU, statistics at the end.
#pragma once

#include <memory>

#include "platform/exec/exec_machine.h"
#include "platform/exec/exec_options.h"
#include "platform/exec/ioctl_log.h"

namespace iommusim::platform {

/// An ioctl from its begin to its end.
class IoctlRecord {
 public:
  virtual ~IoctlRecord() = default;
  /// `result` as the program gets it: negative errno numbers.
  virtual void ended(std::int64_t result) = 0;
};

class ExecSession {
 public:
  /// InputError, as the machine; also for files that cannot be written.
  ExecSession(ExecOptions options, const ExecRam& ram, std::function<void(std::exception_ptr)> on_failure);

  ExecMachine& machine() { return *machine_; }
  /// By the calling thread; a call that no core charges takes its time here.
  std::unique_ptr<IoctlRecord> ioctl_begins(const char* file, std::uint32_t command, std::uint64_t argument);
  /// Once; calls that are still inside, or come later, are not recorded. Files of the program may be open.
  void finish();

 private:
  class Record;

  const ExecOptions options_;
  std::unique_ptr<ExecMachine> machine_;
  std::unique_ptr<IoctlLog> log_;
  std::atomic<bool> finished_{false};
};

}  // namespace iommusim::platform
