// SPDX-License-Identifier: Apache-2.0
// The test command of /dev/iommu (uapi::kIommuTest): mock devices behind a mock IOMMU, kernel users of address spaces,
// and looks behind the scenes, for programs written for the kernel's test interface. One per machine; outlives every
// context of it. Without one, or in a build without IOMMUSIM_IOMMUFD_TEST, the command is ENOTTY.
#pragma once

#include <memory>

#include "drivers/mock_iommu.h"
#include "iommufd/extra_ioctls.h"

namespace iommusim::selftest {

class TestCommand final : public iommufd::ExtraIoctl {
 public:
  /// For Host::extra. nullptr: left out of this build. `frames` and `memory`: where mock regions and dma-bufs lie.
  static std::unique_ptr<TestCommand> make(hal::Os& os, hal::Memory& memory, hal::FrameAllocator& frames);
  TestCommand(hal::Os& os, hal::Memory& memory, hal::FrameAllocator& frames);

  /// Of the machine that the call is for.
  static TestCommand& of(iommufd::Call& call);

  drivers::MockIommu& iommu() { return iommu_; }
  hal::FrameAllocator& frames() { return frames_; }

 private:
  hal::FrameAllocator& frames_;
  drivers::MockIommu iommu_;
};

}  // namespace iommusim::selftest
