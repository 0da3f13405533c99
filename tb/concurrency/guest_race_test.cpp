// SPDX-License-Identifier: Apache-2.0
// Many threads at everything that is lent to guests, in both policies of DESTROY, as race_test.cpp does for the rest:
// numbers are guessed, so each call may succeed or give an errno that some order explains; page faults all get exactly
// one answer, no object is left at the end, and ThreadSanitizer watches.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "../unit/iommufd/guest_world.h"
#include "meeting.h"

namespace iommusim::iommufd {
namespace {

using concurrency::Threads;

constexpr int kGuestRounds = 300;

class GuestDice {
 public:
  explicit GuestDice(unsigned seed) : engine_(seed) {}
  unsigned operator()(unsigned sides) { return static_cast<unsigned>(engine_() % sides); }
  ObjectId id() { return 1 + (*this)(25); }

 private:
  std::minstd_rand engine_;
};

ContextOptions with_policy(DestroyPolicy policy) {
  ContextOptions options;
  options.destroy = policy;
  return options;
}

struct GuestRace : ::testing::TestWithParam<DestroyPolicy> {
  void TearDown() override {
    world.unbind_all();
    for (int fd = 3; fd < 1024; ++fd) world.close(fd);
    world.context.reset();
    EXPECT_EQ(world.hardware.live, 0);
    EXPECT_EQ(world.pages_held(), 0U);
    EXPECT_EQ(world.device.answers.size(), asked);
  }
  static void expect(int error) {
    static const std::set<int> kAny{ENOENT,    EBUSY, EINVAL, EEXIST,     EOPNOTSUPP,
                                    EDEADLOCK, EIO,   EFAULT, EADDRINUSE, EPERM};
    EXPECT_TRUE(error == 0 || kAny.count(error)) << domain::errno_name(error);
  }
  void move_loop() {
    GuestDice dice(41);
    for (int round = 0; round < kGuestRounds; ++round) {
      const std::uint32_t pasid = dice(3);
      expect(world.attach(world.dev, dice.id(), pasid));
      expect(world.replace(world.dev, dice.id(), dice(3)));
      if (dice(2)) expect(world.detach(world.dev, pasid));
    }
  }
  void table_loop() {
    GuestDice dice(42);
    for (int round = 0; round < kGuestRounds; ++round) {
      const std::uint32_t fault = dice(2) ? uapi::kIommuHwptFaultIdValid : 0U;
      const std::uint32_t pasid = dice(2) ? uapi::kIommuHwptPasid : 0U;
      expect(world.hwpt_alloc(world.paging(pasid | (fault ? fault : unsigned{uapi::kIommuHwptNestParent}), dice.id())));
      expect(world.hwpt_alloc(world.nested(dice.id(), fault | pasid, dice.id())));
      uapi::IommuHwptInvalidate words{0, dice.id(), world.put({1, 2}), kGuestType, 4, 2, 0};
      expect(world.call(uapi::kIommuHwptInvalidate, words));
    }
  }
  void lend_loop() {
    GuestDice dice(43);
    for (int round = 0; round < kGuestRounds; ++round) {
      uapi::IommuViommuAlloc viommu = world.viommu_argument(dice.id());
      expect(world.call(uapi::kIommuViommuAlloc, viommu));
      expect(world.vdevice(dice.id(), world.dev, dice(3)));
      uapi::IommuVeventqAlloc events{0, 0, dice.id(), kEventType, 2, 0, 0, 0};
      const int error = world.call(uapi::kIommuVeventqAlloc, events);
      expect(error);
      uapi::IommuHwQueueAlloc queue{0, 0, dice.id(), kGuestType, dice(2), 0, 0x10000, kPage};
      expect(world.call(uapi::kIommuHwQueueAlloc, queue));
      if (error) continue;
      const int fd = static_cast<int>(events.out_veventq_fd);
      EXPECT_GE(world.read(fd, world.slot(), 100), 0);
      EXPECT_EQ(world.close(fd), 0);
    }
  }
  void fault_loop() {
    GuestDice dice(44);
    for (int round = 0; round < kGuestRounds; ++round) {
      int fd = -1;
      if (world.fault_queue(fd) == 0) continue;
      for (int i = 0; i < 5; ++i) {
        const std::uint64_t at = world.slot();
        if (world.read(fd, at, 400) > 0) world.write(fd, world.put({1 + dice(3), dice(2)}), 8);
        std::this_thread::yield();
      }
      EXPECT_EQ(world.close(fd), 0);
    }
  }
  void ask_loop() {
    GuestDice dice(45);
    for (int round = 0; round < 4 * kGuestRounds; ++round) {
      domain::PageFaultGroup group;
      group.process_id = dice(3);
      group.process_valid = group.process_id != 0;
      group.pages.resize(1 + dice(2));
      if (world.device.ask(group)) ++asked;
      world.hardware.report(dice(100));
    }
  }
  /// Its vDEVICEs become tombstones, which take numbers away: not too many.
  void bind_loop() {
    GuestDice dice(46);
    for (int round = 0; round < 8; ++round) {
      for (int i = 0; i < 20; ++i) expect(world.vdevice(dice.id(), world.second_dev, 7));
      EXPECT_EQ(device_unbind(*world.context, world.second_dev), 0);
      ASSERT_EQ(device_bind(*world.context, world.second, world.second_dev), 0);
    }
  }
  GuestWorld world{{}, with_policy(GetParam())};
  std::size_t asked = 0;
};

TEST_P(GuestRace, EverythingAtOnce) {
  ASSERT_EQ(world.ioas_map(world.space, kLinear, 16 * kPage, 0x10000), 0);
  std::atomic<bool> end{false};
  Threads vandals;
  vandals.start([&] {
    GuestDice dice(40);
    while (!end) {
      const int error = world.destroy(4 + dice(22));  // the address space stays
      EXPECT_TRUE(error == 0 || error == ENOENT || error == EBUSY) << domain::errno_name(error);
    }
  });
  {
    Threads threads;
    threads.start([&] { move_loop(); });
    threads.start([&] { table_loop(); });
    threads.start([&] { lend_loop(); });
    threads.start([&] { fault_loop(); });
    threads.start([&] { ask_loop(); });
    threads.start([&] { bind_loop(); });
  }
  end = true;
}

INSTANTIATE_TEST_SUITE_P(Policies, GuestRace, ::testing::Values(DestroyPolicy::kWait, DestroyPolicy::kBusy),
                         [](const auto& info) { return info.param == DestroyPolicy::kWait ? "wait" : "busy"; });

}  // namespace
}  // namespace iommusim::iommufd
