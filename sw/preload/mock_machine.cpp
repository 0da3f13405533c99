// SPDX-License-Identifier: Apache-2.0
// The stack on plain threads.
#include "preload/mock_machine.h"

#include "hal/buddy_frames.h"
#include "hal/thread_os.h"
#include "selftest/test_command.h"

namespace iommusim::preload {
namespace {

class MockMachine final : public Machine {
 public:
  MockMachine(const Ram& ram, hal::Memory& memory)
      : frames_(os_, memory, kFirstFrame, ram.user_start - kFirstFrame),
        host_(os_, memory),
        test_command_(selftest::TestCommand::make(os_, memory, frames_)) {
    host_.extra = test_command_.get();
  }

  iommufd::Host& host() override { return host_; }
  const std::vector<PciSlot>& slots() const override { return none_; }

 private:
  static constexpr std::uint64_t kFirstFrame = 1ULL << 20;  // 0 stands for no frame

  hal::ThreadOs os_;
  hal::BuddyFrames frames_;
  iommufd::Host host_;
  const std::unique_ptr<selftest::TestCommand> test_command_;
  const std::vector<PciSlot> none_;
};

}  // namespace

std::unique_ptr<Machine> make_mock_machine(const Ram& ram, hal::Memory& memory, const std::vector<std::string>&) {
  return std::make_unique<MockMachine>(ram, memory);
}

}  // namespace iommusim::preload
