// SPDX-License-Identifier: Apache-2.0
// Many threads at everything, in both policies of DESTROY. Nothing here depends on timing: each call may succeed or
// give one of the errors that some order of the calls explains, no DMA reaches what an UNMAP has taken away, and at the
// end no page, page table or object is left. ThreadSanitizer watches.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "../unit/iommufd/world.h"
#include "meeting.h"

namespace iommusim::iommufd {
namespace {

using concurrency::Threads;

constexpr int kRounds = 1500;

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  unsigned operator()(unsigned sides) { return static_cast<unsigned>(engine_() % sides); }

 private:
  std::minstd_rand engine_;
};

struct Race : ::testing::TestWithParam<DestroyPolicy> {
  void TearDown() override {
    world.context.reset();  // a leak stops the program here
    EXPECT_EQ(world.pages_held(), 0U);
    EXPECT_EQ(world.iommu.live_domains(), 0U);
  }
  static void expect(int error, const std::set<int>& allowed) {
    EXPECT_TRUE(error == 0 || allowed.count(error)) << domain::errno_name(error);
  }
  drivers::MockDevice& add_device(std::uint32_t group) {
    drivers::MockDeviceOptions options;
    options.group = group;
    return world.iommu.add_device(options);
  }
  /// Replaces the IOAS of `current` again and again, with what is in it, whenever nothing holds it.
  void destroy_loop(std::atomic<ObjectId>& current) {
    for (int round = 0; round < kRounds; ++round) {
      const int error = world.destroy(current);
      expect(error, {EBUSY});
      if (error == 0) current = world.ioas();
      std::this_thread::yield();
    }
  }
  /// Maps and unmaps places of its own; after an unmap the device must not reach the place any more.
  void map_loop(const std::atomic<ObjectId>& current, unsigned lane, const drivers::MockDevice* device) {
    Dice dice(lane);
    for (int round = 0; round < kRounds; ++round) {
      const std::uint64_t iova = (lane * 16ULL + dice(4)) * 0x100000;
      const std::uint64_t va = kHeap + (lane * 64ULL + dice(8)) * kPage;
      const ObjectId ioas = current;
      expect(world.ioas_map(ioas, va, (1 + dice(3)) * kPage, iova), {ENOENT, EEXIST});
      if (dice(2) == 0) continue;
      const int error = world.ioas_unmap(ioas, iova, 0x100000);
      expect(error, {ENOENT, EBUSY, EDEADLOCK});
      std::uint64_t spa = 0;
      EXPECT_FALSE(error == 0 && device && device->access(iova, false, spa));
    }
  }
  World world{{GetParam(), false}};
};

// R13.2
TEST_P(Race, DestroyAgainstMapUnmapCopy) {
  std::atomic<ObjectId> a{world.ioas()};
  std::atomic<ObjectId> b{world.ioas()};
  Threads threads;
  threads.start([&] { destroy_loop(a); });
  threads.start([&] { map_loop(a, 1, nullptr); });
  threads.start([&] { map_loop(a, 2, nullptr); });
  threads.start([&] {
    Dice dice(3);
    for (int round = 0; round < kRounds; ++round) {
      uapi::IommuIoasCopy copy{0, kReadWrite, b, a, kPage, 0, (16ULL * (1 + dice(2)) + dice(4)) * 0x100000};
      expect(world.call(uapi::kIommuIoasCopy, copy), {ENOENT});
      uapi::IommuIoasIovaRanges ranges{0, b, 1, 0, kHeap, 0};
      expect(world.call(uapi::kIommuIoasIovaRanges, ranges), {ENOENT});
    }
  });
}

// R13.4
TEST_P(Race, DestroyAgainstAttachDetachReplace) {
  std::atomic<ObjectId> a{world.ioas()};
  std::atomic<ObjectId> b{world.ioas()};
  drivers::MockDevice& second = add_device(1);
  const auto device_loop = [&](drivers::MockDevice& hardware, unsigned seed) {
    Dice dice(seed);
    for (int round = 0; round < kRounds / 3; ++round) {
      ObjectId id = 0;
      ASSERT_EQ(device_bind(*world.context, hardware, id), 0);
      ObjectId pt = dice(2) ? a : b;
      const int attached = device_attach(*world.context, id, pt);
      expect(attached, {ENOENT, EINVAL});
      ObjectId to = dice(2) ? a : b;
      if (attached == 0) expect(device_replace(*world.context, id, to), {ENOENT, EINVAL});
      // A page table of its own, while the IOAS may go.
      uapi::IommuHwptAlloc alloc{0, 0, id, a, 0, 0, 0, 0, 0, 0, 0};
      const int allocated = world.call(uapi::kIommuHwptAlloc, alloc);
      expect(allocated, {EINVAL, EOPNOTSUPP});
      if (allocated == 0) {
        to = alloc.out_hwpt_id;
        if (attached == 0) {
          EXPECT_EQ(device_replace(*world.context, id, to), 0);
          EXPECT_EQ(world.destroy(alloc.out_hwpt_id), EBUSY);
        }
      }
      EXPECT_EQ(device_detach(*world.context, id), 0);
      EXPECT_EQ(hardware.attached(), nullptr);
      EXPECT_EQ(device_unbind(*world.context, id), 0);
      EXPECT_TRUE(allocated != 0 || world.destroy(alloc.out_hwpt_id) == 0);
    }
  };
  Threads threads;
  threads.start([&] { device_loop(world.device, 11); });
  threads.start([&] { device_loop(second, 12); });
  threads.start([&] { destroy_loop(a); });
  threads.start([&] { map_loop(a, 4, nullptr); });
}

TEST_P(Race, UnmapIsFinalForDma) {
  const std::atomic<ObjectId> ioas{world.ioas()};
  const ObjectId device = world.bound(world.device);
  ASSERT_NE(world.attached(device, ioas), 0U);
  {
    Threads threads;
    for (unsigned lane = 1; lane <= 3; ++lane) threads.start([&, lane] { map_loop(ioas, lane, &world.device); });
    threads.start([&] {
      for (int round = 0; round < kRounds / 5; ++round) {  // domains come and go meanwhile
        uapi::IommuHwptAlloc alloc{0, 0, device, ioas, 0, 0, 0, 0, 0, 0, 0};
        ASSERT_EQ(world.call(uapi::kIommuHwptAlloc, alloc), 0);
        ASSERT_EQ(world.destroy(alloc.out_hwpt_id), 0);
      }
    });
  }
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(device_unbind(*world.context, device), 0);
}

/// An emulated device: pins ranges, and gives them back when asked.
class Pinner {
 public:
  explicit Pinner(Context& context) {
    AccessOptions options;
    options.pins = pagetable::AccessPins::kRevocable;
    options.unmapping = [this](std::uint64_t, std::uint64_t) { unpin_all(); };
    EXPECT_EQ(access_create(context, options, access_), 0);
  }
  ~Pinner() { access_destroy(*access_); }
  Access& access() { return *access_; }
  int pin(std::uint64_t iova) {
    const std::lock_guard guard(lock_);
    std::vector<std::uint64_t> spas;
    const int error = access_->pin(iova, kPage, true, spas);
    if (error == 0) pins_.push_back(iova);
    return error;
  }
  void unpin_all() {
    const std::lock_guard guard(lock_);
    for (const std::uint64_t iova : pins_) access_->unpin(iova, kPage);
    pins_.clear();
  }

 private:
  Access* access_ = nullptr;
  std::mutex lock_;
  std::vector<std::uint64_t> pins_;
};

TEST_P(Race, DestroyAndUnmapAgainstAccesses) {
  std::atomic<ObjectId> a{world.ioas()};
  std::atomic<ObjectId> b{world.ioas()};
  const auto access_loop = [&](unsigned seed) {
    Dice dice(seed);
    for (int life = 0; life < 5; ++life) {
      Pinner pinner(*world.context);
      EXPECT_EQ(world.destroy(pinner.access().id()), EBUSY);
      for (int round = 0; round < kRounds / 5; ++round) {
        const std::uint64_t iova = (16ULL * (1 + dice(2)) + dice(4)) * 0x100000;
        std::uint64_t word = 0;
        switch (dice(6)) {
          case 0:
            expect(pinner.access().attach(a), {EINVAL, ENOENT});
            break;
          case 1:
            expect(pinner.access().replace(dice(2) ? a : b), {ENOENT});
            break;
          case 2:
            expect(pinner.access().detach(), {});
            break;
          case 3:
            expect(pinner.access().read(iova, &word, sizeof word), {ENOENT, EINVAL});
            break;
          case 4:
            pinner.unpin_all();
            break;
          default:
            expect(pinner.pin(iova), {ENOENT, EINVAL});
            break;
        }
      }
    }
  };
  Threads threads;
  threads.start([&] { access_loop(21); });
  threads.start([&] { access_loop(22); });
  threads.start([&] { map_loop(a, 1, nullptr); });
  threads.start([&] { map_loop(a, 2, nullptr); });
  threads.start([&] { destroy_loop(a); });
}

// A program that destroys every number it can think of, while the others work.
TEST_P(Race, DestroyOfAnyId) {
  std::atomic<bool> end{false};
  const std::set<int> any{ENOENT, EBUSY, EINVAL, EEXIST, EOPNOTSUPP, EDEADLOCK};
  Threads vandals;
  vandals.start([&] {
    Dice dice(31);
    while (!end) expect(world.destroy(1 + dice(10)), {ENOENT, EBUSY});
  });
  {
    Threads threads;
    threads.start([&] {
      Dice dice(32);
      for (int round = 0; round < kRounds / 10; ++round) {
        ObjectId id = 0;
        ASSERT_EQ(device_bind(*world.context, world.device, id), 0);
        for (int i = 0; i < 3; ++i) {
          ObjectId pt = 1 + dice(10);
          expect(device_attach(*world.context, id, pt), any);
          pt = 1 + dice(10);
          expect(device_replace(*world.context, id, pt), any);
          uapi::IommuHwptAlloc alloc{0, 0, id, 1 + dice(10), 0, 0, 0, 0, 0, 0, 0};
          expect(world.call(uapi::kIommuHwptAlloc, alloc), any);
          if (dice(2)) expect(device_detach(*world.context, id), {});
        }
        expect(device_detach(*world.context, id), {});
        EXPECT_EQ(device_unbind(*world.context, id), 0);
      }
    });
    threads.start([&] {
      Dice dice(33);
      for (int round = 0; round < kRounds / 4; ++round) {
        const ObjectId id = world.ioas();
        expect(world.ioas_map(id, kHeap + dice(4) * kPage, kPage, 0x10000), any);
        uapi::IommuIoasCopy copy{0, kReadWrite, 1 + dice(10), id, kPage, 0, 0x10000};
        expect(world.call(uapi::kIommuIoasCopy, copy), any);
        expect(world.ioas_unmap(1 + dice(10), 0, ~0ULL), any);
      }
    });
    threads.start([&] {
      Dice dice(34);
      for (int life = 0; life < 10; ++life) {
        Pinner pinner(*world.context);
        for (int round = 0; round < kRounds / 40; ++round) {
          expect(pinner.access().attach(1 + dice(10)), any);
          expect(pinner.pin(0x10000), any);
          expect(pinner.access().replace(1 + dice(10)), any);
          expect(pinner.access().detach(), {});
        }
      }
    });
  }
  end = true;
}

INSTANTIATE_TEST_SUITE_P(Policies, Race, ::testing::Values(DestroyPolicy::kWait, DestroyPolicy::kBusy),
                         [](const auto& info) { return info.param == DestroyPolicy::kWait ? "wait" : "busy"; });

}  // namespace
}  // namespace iommusim::iommufd
