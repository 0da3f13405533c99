// SPDX-License-Identifier: Apache-2.0
// SET_IRQS and the way of an interrupt to an eventfd.
#include <gtest/gtest.h>

#include <thread>

#include "world.h"

namespace iommusim::vfio {
namespace {

constexpr std::uint32_t kEventfd = uapi::kVfioIrqDataEventfd, kBool = uapi::kVfioIrqDataBool,
                        kNone = uapi::kVfioIrqDataNone, kTrigger = uapi::kVfioIrqActionTrigger,
                        kMask = uapi::kVfioIrqActionMask, kUnmask = uapi::kVfioIrqActionUnmask;
constexpr std::uint32_t kIntx = uapi::kVfioPciIntx, kMsi = uapi::kVfioPciMsi, kMsix = uapi::kVfioPciMsix,
                        kErr = uapi::kVfioPciErr, kReq = uapi::kVfioPciReq;

struct IrqTest : ::testing::Test {
  IrqTest() {
    for (int i = 0; i < 4; ++i) fds[i] = world.open_event(events[i]);
    world.set_config<std::uint16_t>(fd, kCfgCommand, kCommandMemory | kCommandMaster);
  }
  std::int64_t raw(std::vector<std::uint32_t> words) {
    return world.ioctl(fd, uapi::kVfioDeviceSetIrqs, words.data(), words.size() * 4);
  }
  std::int64_t set(std::uint32_t index, std::uint32_t start, const std::vector<std::int32_t>& list) {
    return world.set_irqs(fd, kEventfd | kTrigger, index, start, list);
  }
  std::int64_t act(std::uint32_t action, std::uint32_t index, std::uint32_t start = 0, std::uint32_t count = 1) {
    return world.act_irqs(fd, action, index, start, count);
  }
  /// Signals since the last look.
  std::uint64_t fired(int event) {
    const std::uint64_t now = events[event]->count();
    return now - std::exchange(seen[event], now);
  }
  PciInterruptSink& sink() { return *world.functions[0].sink; }

  VfioWorld world;
  int fd = world.bound();
  int fds[4] = {};
  hal::EventFile* events[4] = {};
  std::uint64_t seen[4] = {};
};

TEST_F(IrqTest, HeadersInOrder) {
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceSetIrqs, 0x1000), -EFAULT);
  EXPECT_EQ(raw({19, kNone | kTrigger, kMsix, 0, 1}), -EINVAL);
  EXPECT_EQ(raw({20, kNone | kTrigger, 5, 0, 0}), -EINVAL) << "no such index";
  EXPECT_EQ(raw({20, kNone | kTrigger | 64, kMsix, 0, 1}), -EINVAL) << "unknown flag";
  EXPECT_EQ(raw({20, kNone | kTrigger, kMsix, 16, 0}), -EINVAL) << "starts behind the last";
  EXPECT_EQ(raw({20, kNone | kTrigger, kMsix, 1, 16}), -EINVAL);
  EXPECT_EQ(raw({20, kNone | kTrigger, kMsix, 1, 0xFFFF'FFFF}), -EINVAL) << "wraps";
  EXPECT_EQ(raw({20, kTrigger, kMsix, 0, 1}), -EINVAL) << "no kind of data";
  EXPECT_EQ(raw({20, kNone | kBool | kTrigger, kMsix, 0, 1}), -EINVAL) << "two";
  EXPECT_EQ(raw({20, kNone, kMsix, 0, 1}), -EINVAL) << "no action";
  EXPECT_EQ(raw({20, kNone | kTrigger | kMask, kMsix, 0, 1}), -EINVAL) << "two";
  EXPECT_EQ(raw({23, kEventfd | kTrigger, kMsix, 0, 1, 0}), -EINVAL) << "the data does not fit";
  EXPECT_EQ(raw({20, kBool | kTrigger, kMsix, 0, 1, 0}), -EINVAL);
  const std::uint64_t end = kHeap + (32 << 20);
  const std::uint32_t head[5] = {24, kEventfd | kTrigger, kMsix, 0, 1};
  world.user.copy_to_user(end - 20, head, 20);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceSetIrqs, end - 20), -EFAULT) << "the data cannot be read";
  EXPECT_EQ(world.functions[0].mode, PciInterruptMode::kNone);
}

TEST_F(IrqTest, DescriptorsMustBeEventfds) {
  for (const std::uint32_t index : {kIntx, kMsi, kMsix, kErr, kReq}) {
    EXPECT_EQ(set(index, 0, {99}), -EBADF) << index;
    EXPECT_EQ(set(index, 0, {fd}), -EINVAL) << index;
    EXPECT_EQ(world.functions[0].mode, PciInterruptMode::kNone);
  }
}

TEST_F(IrqTest, MessagesReachTheirEventfds) {
  ASSERT_EQ(set(kMsix, 0, {fds[0], fds[1], -1, fds[3]}), 0) << "an entry may be empty";
  EXPECT_EQ(world.functions[0].mode, PciInterruptMode::kMsix);
  EXPECT_EQ(world.functions[0].vectors, 4U);
  for (unsigned v = 0; v < 6; ++v) sink().message(v);
  EXPECT_EQ(fired(0), 1U);
  EXPECT_EQ(fired(1), 1U);
  EXPECT_EQ(fired(3), 1U);
  sink().message(1);
  sink().message(1);
  EXPECT_EQ(fired(1), 2U) << "they add up";
}

TEST_F(IrqTest, PartialUpdates) {
  ASSERT_EQ(set(kMsix, 0, {fds[0], fds[1]}), 0);
  ASSERT_EQ(set(kMsix, 1, {fds[2]}), 0) << "another descriptor";
  ASSERT_EQ(set(kMsix, 0, {-1}), 0) << "removed";
  ASSERT_EQ(set(kMsix, 7, {fds[3]}), 0) << "MSI-X grows";
  EXPECT_EQ(world.functions[0].vectors, 8U);
  for (const unsigned v : {0U, 1U, 7U}) sink().message(v);
  EXPECT_EQ(fired(0), 0U);
  EXPECT_EQ(fired(1), 0U);
  EXPECT_EQ(fired(2), 1U);
  EXPECT_EQ(fired(3), 1U);
}

TEST_F(IrqTest, MsiDoesNotGrow) {
  ASSERT_EQ(set(kMsi, 0, {fds[0], fds[1]}), 0);
  EXPECT_EQ(set(kMsi, 2, {fds[2]}), -EINVAL);
  EXPECT_EQ(set(kMsi, 2, {-1}), 0) << "nothing to remove";
  sink().message(1);
  EXPECT_EQ(fired(1), 1U);
}

TEST_F(IrqTest, OneKindAtATime) {
  ASSERT_EQ(set(kMsix, 0, {fds[0]}), 0);
  EXPECT_EQ(set(kMsi, 0, {fds[1]}), -EINVAL);
  EXPECT_EQ(set(kIntx, 0, {fds[1]}), -EINVAL);
  EXPECT_EQ(act(kTrigger, kMsix, 0, 0), 0) << "count 0 disables";
  EXPECT_EQ(world.functions[0].mode, PciInterruptMode::kNone);
  EXPECT_EQ(act(kTrigger, kMsix, 0, 0), -EINVAL) << "nothing to disable";
  EXPECT_EQ(act(kTrigger, kMsix), -EINVAL) << "nothing to trigger";
  EXPECT_EQ(set(kMsi, 0, {fds[1]}), 0);
  EXPECT_EQ(act(kTrigger, kMsi, 0, 0), 0);
  EXPECT_EQ(set(kIntx, 0, {fds[1]}), 0);
  EXPECT_EQ(act(kTrigger, kIntx, 0, 0), 0);
  sink().message(0);
  sink().set_wire(true);
  EXPECT_EQ(fired(0) + fired(1), 0U);
}

TEST_F(IrqTest, ABadEntryLeavesTheIndexAsItWas) {
  EXPECT_EQ(set(kMsix, 0, {fds[0], 99}), -EBADF);
  EXPECT_EQ(world.functions[0].mode, PciInterruptMode::kNone);
  ASSERT_EQ(set(kMsix, 0, {fds[0], fds[1]}), 0);
  EXPECT_EQ(set(kMsix, 1, {fds[2], 99}), -EBADF);
  sink().message(0);
  sink().message(1);
  EXPECT_EQ(fired(0), 1U);
  EXPECT_EQ(fired(1) + fired(2), 0U) << "those that the call had reached have none";
}

TEST_F(IrqTest, TriggersWithoutDescriptorsTestTheWay) {
  ASSERT_EQ(set(kMsix, 0, {fds[0], fds[1], fds[2]}), 0);
  EXPECT_EQ(act(kTrigger, kMsix, 1, 2), 0);
  EXPECT_EQ(fired(0), 0U);
  EXPECT_EQ(fired(1), 1U);
  EXPECT_EQ(fired(2), 1U);
  EXPECT_EQ(raw({23, kBool | kTrigger, kMsix, 0, 3, 0x00010001}), 0);
  EXPECT_EQ(fired(0), 1U);
  EXPECT_EQ(fired(1), 0U);
  EXPECT_EQ(fired(2), 1U);
  EXPECT_EQ(act(kTrigger, kMsix, 0, 16), 0) << "also vectors that have none";
}

TEST_F(IrqTest, MessagesHaveNoMask) {
  ASSERT_EQ(set(kMsix, 0, {fds[0]}), 0);
  EXPECT_EQ(act(kMask, kMsix), -ENOTTY);
  EXPECT_EQ(act(kUnmask, kMsi), -ENOTTY);
  EXPECT_EQ(act(kMask, kErr), -ENOTTY);
}

TEST_F(IrqTest, NoMessageWithoutBusMastering) {
  ASSERT_EQ(set(kMsix, 0, {fds[0]}), 0);
  world.set_config<std::uint16_t>(fd, kCfgCommand, kCommandMemory);
  sink().message(0);
  EXPECT_EQ(fired(0), 0U);
  world.set_config<std::uint16_t>(fd, kCfgCommand, kCommandMemory | kCommandMaster);
  sink().message(0);
  EXPECT_EQ(fired(0), 1U);
}

TEST_F(IrqTest, TheWireMasksItself) {
  ASSERT_EQ(set(kIntx, 0, {fds[0]}), 0);
  EXPECT_EQ(world.functions[0].mode, PciInterruptMode::kWire);
  sink().set_wire(true);
  EXPECT_EQ(fired(0), 1U);
  sink().set_wire(false);
  sink().set_wire(true);
  EXPECT_EQ(fired(0), 0U) << "masked since the first";
  EXPECT_EQ(act(kUnmask, kIntx), 0);
  EXPECT_EQ(fired(0), 1U) << "still asserted";
  sink().set_wire(false);
  EXPECT_EQ(act(kUnmask, kIntx), 0);
  EXPECT_EQ(fired(0), 0U);
  sink().set_wire(true);
  EXPECT_EQ(fired(0), 1U);
}

TEST_F(IrqTest, TheProgramMasksTheWire) {
  EXPECT_EQ(act(kMask, kIntx), -EINVAL) << "not in use";
  ASSERT_EQ(set(kIntx, 0, {fds[0]}), 0);
  EXPECT_EQ(act(kMask, kIntx), 0);
  sink().set_wire(true);
  EXPECT_EQ(fired(0), 0U);
  EXPECT_EQ(raw({21, kBool | kUnmask, kIntx, 0, 1, 0}), 0) << "false: nothing";
  EXPECT_EQ(fired(0), 0U);
  EXPECT_EQ(raw({21, kBool | kUnmask, kIntx, 0, 1, 1}), 0);
  EXPECT_EQ(fired(0), 1U);
  EXPECT_EQ(world.set_irqs(fd, kEventfd | kMask, kIntx, 0, {fds[1]}), -ENOTTY);
  EXPECT_EQ(world.set_irqs(fd, kEventfd | kUnmask, kIntx, 0, {fds[1]}), -ENOTTY);
  EXPECT_EQ(world.set_irqs(fd, kEventfd | kUnmask, kIntx, 0, {-1}), 0);
}

TEST_F(IrqTest, TheCommandRegisterDisablesTheWire) {
  constexpr std::uint16_t kOn = kCommandMemory | kCommandMaster;
  ASSERT_EQ(set(kIntx, 0, {fds[0]}), 0);
  world.set_config<std::uint16_t>(fd, kCfgCommand, kOn | kCommandIntxDisable);
  sink().set_wire(true);
  EXPECT_EQ(fired(0), 0U);
  EXPECT_EQ(act(kUnmask, kIntx), 0);
  EXPECT_EQ(fired(0), 0U) << "an unmask does not help";
  world.set_config<std::uint16_t>(fd, kCfgCommand, kOn);
  EXPECT_EQ(fired(0), 1U);
}

TEST_F(IrqTest, AWireThatIsAssertedAlreadyFiresWhenEnabled) {
  sink().set_wire(true);
  ASSERT_EQ(set(kIntx, 0, {fds[0]}), 0);
  EXPECT_EQ(fired(0), 1U);
  EXPECT_EQ(act(kTrigger, kIntx), 0) << "by hand";
  EXPECT_EQ(fired(0), 1U);
  ASSERT_EQ(set(kIntx, 0, {fds[1]}), 0) << "another descriptor";
  EXPECT_EQ(act(kTrigger, kIntx), 0);
  EXPECT_EQ(fired(0), 0U);
  EXPECT_EQ(fired(1), 1U);
  ASSERT_EQ(set(kIntx, 0, {-1}), 0);
  EXPECT_EQ(act(kTrigger, kIntx), 0);
  EXPECT_EQ(fired(1), 0U);
}

TEST_F(IrqTest, ErrorsAndReleaseRequestsGoBesideTheOthers) {
  for (const std::uint32_t index : {kErr, kReq}) {
    EXPECT_EQ(act(kTrigger, index), -EINVAL) << "no descriptor to fire";
    EXPECT_EQ(raw({20, kEventfd | kTrigger, index, 0, 0}), -EINVAL) << "no data";
  }
  ASSERT_EQ(set(kMsix, 0, {fds[0]}), 0);
  ASSERT_EQ(set(kErr, 0, {fds[1]}), 0);
  ASSERT_EQ(set(kReq, 0, {fds[2]}), 0);
  sink().error();
  sink().request_release();
  EXPECT_EQ(fired(1), 1U);
  EXPECT_EQ(fired(2), 1U);
  EXPECT_EQ(act(kTrigger, kReq), 0);
  EXPECT_EQ(fired(2), 1U);
  EXPECT_EQ(raw({21, kBool | kTrigger, kErr, 0, 1, 1}), 0);
  EXPECT_EQ(fired(1), 1U);
  ASSERT_EQ(set(kErr, 0, {-1}), 0);
  EXPECT_EQ(act(kTrigger, kReq, 0, 0), 0);
  sink().error();
  sink().request_release();
  EXPECT_EQ(fired(1) + fired(2), 0U);
}

TEST_F(IrqTest, AnEventfdOutlivesItsDescriptor) {
  auto file = std::make_shared<hal::EventFile>();
  int efd = -1;
  ASSERT_EQ(world.user.descriptors().install(file, efd), 0);
  ASSERT_EQ(set(kMsix, 0, {efd}), 0);
  world.close(efd);
  sink().message(0);
  EXPECT_EQ(file->count(), 1U);
  world.close(fd);
  EXPECT_EQ(file.use_count(), 1) << "the last close of the device lets go";
  EXPECT_EQ(world.functions[0].mode, PciInterruptMode::kNone);
}

TEST_F(IrqTest, AResetKeepsWhatTheProgramSet) {
  ASSERT_EQ(set(kMsix, 0, {fds[0], fds[1]}), 0);
  EXPECT_EQ(world.ioctl_at(fd, uapi::kVfioDeviceReset, 0), 0);
  EXPECT_EQ(world.functions[0].mode, PciInterruptMode::kMsix);
  EXPECT_EQ(world.functions[0].vectors, 2U);
  EXPECT_TRUE(world.functions[0].bus_master);
  sink().message(1);
  EXPECT_EQ(fired(1), 1U);
}

TEST_F(IrqTest, InterruptsRaceWithSetIrqs) {
  std::atomic<bool> stop{false};
  std::thread device([&] {
    while (!stop) {
      sink().message(0);
      sink().set_wire(true);
      sink().set_wire(false);
    }
  });
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(set(kMsix, 0, {fds[0], fds[1]}), 0);
    ASSERT_EQ(act(kTrigger, kMsix, 0, 0), 0);
    ASSERT_EQ(set(kIntx, 0, {fds[2]}), 0);
    ASSERT_EQ(act(kUnmask, kIntx), 0);
    ASSERT_EQ(act(kTrigger, kIntx, 0, 0), 0);
  }
  stop = true;
  device.join();
}

}  // namespace
}  // namespace iommusim::vfio
