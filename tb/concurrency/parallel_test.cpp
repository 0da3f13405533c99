// SPDX-License-Identifier: Apache-2.0
// No big lock: calls that need not wait for one another are inside their handlers at the same time. Each pair meets in
// a hook deep inside; a lock around the handlers would let only one of them come, and the meeting fails.
#include <gtest/gtest.h>

#include "../unit/iommufd/world.h"
#include "meeting.h"

namespace iommusim::iommufd {
namespace {

using concurrency::Rendezvous;
using concurrency::Threads;
using drivers::MockCall;

struct Parallel : ::testing::Test {
  void meet_in(MockCall which) {
    world.iommu.set_hook([this, which](MockCall call, std::uint64_t) {
      EXPECT_TRUE(call != which || both.meet());
      return 0;
    });
  }
  void meet_in(ProcessCall which) {
    world.process.set_hook([this, which](ProcessCall call, std::uint64_t) {
      EXPECT_TRUE(call != which || both.meet());
      return 0;
    });
  }
  void TearDown() override {
    world.iommu.set_hook({});
    world.process.set_hook({});
    for (const ObjectId id : devices) {
      EXPECT_EQ(device_detach(*world.context, id), 0);
      EXPECT_EQ(device_unbind(*world.context, id), 0);
    }
  }
  void attach_to(ObjectId ioas) {
    drivers::MockDeviceOptions options;
    options.group = static_cast<std::uint32_t>(devices.size()) + 1;
    devices.push_back(world.bound(world.iommu.add_device(options)));
    ASSERT_NE(world.attached(devices.back(), ioas), 0U);
  }
  void map_two(ObjectId a, ObjectId b) {
    Threads threads;
    threads.start([&] { EXPECT_EQ(world.ioas_map(a, kHeap, kPage, 0x10000), 0); });
    threads.start([&] { EXPECT_EQ(world.ioas_map(b, kHeap + (1 << 20), kPage, 0x20000), 0); });
  }
  Rendezvous both{2};
  World world;
  std::vector<ObjectId> devices;
};

// R13.1
TEST_F(Parallel, TwoMapsOfOneIoasFillThePageTableTogether) {
  const ObjectId ioas = world.ioas();
  attach_to(ioas);
  meet_in(MockCall::kMap);
  map_two(ioas, ioas);
}

TEST_F(Parallel, TwoMapsOfOneIoasPinTogether) {
  const ObjectId ioas = world.ioas();
  attach_to(ioas);
  meet_in(ProcessCall::kPin);
  map_two(ioas, ioas);
}

TEST_F(Parallel, TwoUnmapsOfOneIoasInvalidateTogether) {
  const ObjectId ioas = world.ioas();
  attach_to(ioas);
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x10000), 0);
  ASSERT_EQ(world.ioas_map(ioas, kHeap + kPage, kPage, 0x20000), 0);
  meet_in(MockCall::kSync);
  Threads threads;
  threads.start([&] { EXPECT_EQ(world.ioas_unmap(ioas, 0x10000, kPage), 0); });
  threads.start([&] { EXPECT_EQ(world.ioas_unmap(ioas, 0x20000, kPage), 0); });
}

TEST_F(Parallel, TwoIoasOfOneContext) {
  const ObjectId a = world.ioas();
  const ObjectId b = world.ioas();
  attach_to(a);
  attach_to(b);
  meet_in(MockCall::kMap);
  map_two(a, b);
}

TEST_F(Parallel, TwoContexts) {
  const auto other = Context::open(world.host);
  // Both are in the handler of MAP, which writes its reply, of their own context.
  const std::uint64_t at_a = world.slot();
  const std::uint64_t at_b = world.slot();
  const ObjectId ioas = world.ioas();
  const uapi::IommuIoasAlloc alloc{12, 0, 0};
  ASSERT_EQ(world.user.copy_to_user(at_b, &alloc, sizeof alloc), 0);
  ASSERT_EQ(other->ioctl(world.process, uapi::kIommuIoasAlloc, at_b), 0);
  const uapi::IommuIoasMap map{40, kReadWrite, ioas, 0, kHeap, kPage, 0};
  ASSERT_EQ(world.user.copy_to_user(at_a, &map, sizeof map), 0);
  ASSERT_EQ(world.user.copy_to_user(at_b, &map, sizeof map), 0);
  meet_in(ProcessCall::kCopyToUser);
  Threads threads;
  threads.start([&] { EXPECT_EQ(world.context->ioctl(world.process, uapi::kIommuIoasMap, at_a), 0); });
  threads.start([&] { EXPECT_EQ(other->ioctl(world.process, uapi::kIommuIoasMap, at_b), 0); });
}

TEST_F(Parallel, AnAccessPinsWhileAMapFills) {
  const ObjectId ioas = world.ioas();
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x80000), 0);
  Access* access = nullptr;
  ASSERT_EQ(access_create(*world.context, {}, access), 0);
  ASSERT_EQ(access->attach(ioas), 0);
  meet_in(ProcessCall::kPin);
  {
    Threads threads;
    std::uint64_t word = 0;
    threads.start([&] { EXPECT_EQ(access->read(0x80000, &word, sizeof word), 0); });
    threads.start([&] {
      drivers::MockDeviceOptions options;
      options.group = 9;
      devices.push_back(world.bound(world.iommu.add_device(options)));
      ObjectId other = world.ioas();
      EXPECT_EQ(world.ioas_map(other, kHeap + kPage, kPage, 0x90000), 0);
      EXPECT_EQ(device_attach(*world.context, devices.back(), other), 0);
    });
  }
  access_destroy(*access);
}

// The proof of the proof: a lock around the calls makes the meeting fail.
TEST(ParallelControl, ABigLockDoesNotPass) {
  World world;
  const ObjectId ioas = world.ioas();
  const ObjectId device = world.bound(world.device);
  ASSERT_NE(world.attached(device, ioas), 0U);
  Rendezvous both(2, std::chrono::milliseconds(50));
  std::atomic<int> met{0};
  world.iommu.set_hook([&](MockCall call, std::uint64_t) {
    if (call == MockCall::kMap && both.meet()) ++met;
    return 0;
  });
  std::mutex big_lock;
  {
    Threads threads;
    for (const std::uint64_t iova : {0x10000, 0x20000})
      threads.start([&, iova] {
        const std::lock_guard guard(big_lock);
        EXPECT_EQ(world.ioas_map(ioas, kHeap + iova, kPage, iova), 0);
      });
  }
  EXPECT_LT(met, 2);
  world.iommu.set_hook({});
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(device_unbind(*world.context, device), 0);
}

}  // namespace
}  // namespace iommusim::iommufd
