// SPDX-License-Identifier: Apache-2.0
// Where a simulation or a recorder listens to a context. All functions may be called from several threads at once; they
// run in the thread of the call, and call_begins/call_ends may let simulated time pass.
#pragma once

#include <cstdint>

#include "hal/process.h"
#include "iommufd/object.h"
#include "uapi/ioctls.h"

namespace iommusim::iommufd {

class Context;

struct CallInfo {
  const Context* context = nullptr;
  hal::Process* caller = nullptr;
  std::uint32_t command = 0;
  const uapi::IoctlRow* row = nullptr;  ///< nullptr: no such ioctl
  const void* argument = nullptr;       ///< in call_ends, the kernel's copy of the row's struct, if it came so far
};

class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void call_begins(const CallInfo&) {}
  /// `result` is what the program gets.
  virtual void call_ends(const CallInfo&, int /*result*/) {}
  /// The removal of an object begins to wait for calls in flight. Called under the table's lock: do not call back.
  virtual void removal_waits(ObjectId) {}
};

}  // namespace iommusim::iommufd
