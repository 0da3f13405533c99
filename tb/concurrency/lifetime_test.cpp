// SPDX-License-Identifier: Apache-2.0
// Destruction against calls in flight, for each type of object: where it waits, where it is EBUSY, and what others see
// meanwhile. The call in flight is parked inside its handler; the observer tells when the removal waits.
#include <gtest/gtest.h>

#include "../unit/iommufd/world.h"
#include "meeting.h"

namespace iommusim::iommufd {
namespace {

using concurrency::Event;
using concurrency::Gate;
using concurrency::Threads;
using drivers::MockCall;

struct Watch final : CallObserver {
  void removal_waits(ObjectId) override { waits.set(); }
  Event waits;
};

struct Lifetime : ::testing::Test {
  void park_in(MockCall which) {
    world.iommu.set_hook([this, which](MockCall call, std::uint64_t) {
      if (call == which) gate.pass();
      return 0;
    });
  }
  void park_in(World& in, ProcessCall which, std::uint64_t value) {
    in.process.set_hook([this, which, value](ProcessCall call, std::uint64_t at) {
      if (call == which && (value == 0 || value == at)) gate.pass();
      return 0;
    });
  }
  void attach_a_device() {
    device = world.bound(world.device);
    ASSERT_NE(world.attached(device, ioas), 0U);
  }
  void drop_the_device() {
    EXPECT_EQ(device_detach(*world.context, device), 0);
    EXPECT_EQ(device_unbind(*world.context, device), 0);
  }
  static int allow(World& in, ObjectId id) {
    const uapi::IommuIovaRange entry{0x1000, 0x1FFF};
    in.user.copy_to_user(kHeap, &entry, sizeof entry);
    uapi::IommuIoasAllowIovas argument{0, id, 1, 0, kHeap};
    return in.call(uapi::kIommuIoasAllowIovas, argument);
  }
  Gate gate;
  Watch watch;
  World world{{}, &watch};
  ObjectId ioas = world.ioas();
  ObjectId device = 0;
};

// R1.5a, policy `wait`
TEST_F(Lifetime, DestroyWaitsForAMapAndIsBusyBecauseOfThePageTable) {
  attach_a_device();
  park_in(MockCall::kMap);
  Threads threads;
  int mapped = -1;
  int destroyed = -1;
  threads.start([&] { mapped = world.ioas_map(ioas, kHeap, kPage, 0x10000); });
  ASSERT_TRUE(gate.wait_for_arrival());
  threads.start([&] { destroyed = world.destroy(ioas); });
  ASSERT_TRUE(watch.waits.wait());
  EXPECT_FALSE(world.sees_ioas(ioas)) << "invisible while somebody waits to destroy it";
  EXPECT_EQ(world.destroy(ioas), ENOENT);
  EXPECT_EQ(destroyed, -1);
  gate.open();
  threads.join();
  EXPECT_EQ(mapped, 0);
  EXPECT_EQ(destroyed, EBUSY);
  EXPECT_TRUE(world.sees_ioas(ioas)) << "visible again";
  drop_the_device();
}

TEST_F(Lifetime, DestroyWaitsForACallAndThenSucceeds) {
  park_in(world, ProcessCall::kCopyFromUser, kHeap);  // inside ALLOW_IOVAS, which reads its list
  Threads threads;
  int allowed = -1;
  int destroyed = -1;
  threads.start([&] { allowed = allow(world, ioas); });
  ASSERT_TRUE(gate.wait_for_arrival());
  threads.start([&] { destroyed = world.destroy(ioas); });
  ASSERT_TRUE(watch.waits.wait());
  EXPECT_FALSE(world.sees_ioas(ioas));
  EXPECT_EQ(world.ioas(), ioas + 1) << "the id is taken until the object is gone";
  gate.open();
  threads.join();
  EXPECT_EQ(allowed, 0);
  EXPECT_EQ(destroyed, 0);
  EXPECT_EQ(world.ioas(), ioas);
}

TEST_F(Lifetime, DestroyWaitsUntilTheReplyIsWrittenAndTheMappingPublished) {
  park_in(world, ProcessCall::kCopyToUser, 0);
  Threads threads;
  int mapped = -1;
  int destroyed = -1;
  threads.start([&] { mapped = world.ioas_map(ioas, kHeap, kPage, 0x10000); });
  ASSERT_TRUE(gate.wait_for_arrival());
  EXPECT_EQ(world.ioas_unmap(ioas, 0x10000, kPage), EBUSY) << "not real yet";
  threads.start([&] { destroyed = world.destroy(ioas); });
  ASSERT_TRUE(watch.waits.wait());
  gate.open();
  threads.join();
  EXPECT_EQ(mapped, 0);
  EXPECT_EQ(destroyed, 0);
}

// R1.2
TEST_F(Lifetime, ANewObjectIsInvisibleUntilItsReplyIsWritten) {
  park_in(world, ProcessCall::kCopyToUser, 0);
  Threads threads;
  ObjectId made = 0;
  threads.start([&] { EXPECT_EQ(world.ioas_alloc(made), 0); });
  ASSERT_TRUE(gate.wait_for_arrival());
  EXPECT_FALSE(world.sees_ioas(ioas + 1));
  EXPECT_EQ(world.destroy(ioas + 1), ENOENT);
  gate.open();
  threads.join();
  EXPECT_EQ(made, ioas + 1);
  EXPECT_TRUE(world.sees_ioas(made));
}

// R13.3
TEST_F(Lifetime, InThePolicyBusyNobodyWaits) {
  World busy({DestroyPolicy::kBusy, false}, &watch);
  const ObjectId id = busy.ioas();
  park_in(busy, ProcessCall::kCopyFromUser, kHeap);
  Threads threads;
  int allowed = -1;
  threads.start([&] { allowed = allow(busy, id); });
  ASSERT_TRUE(gate.wait_for_arrival());
  EXPECT_EQ(busy.destroy(id), EBUSY);  // R1.5; it returns though the call is parked
  EXPECT_TRUE(busy.sees_ioas(id));
  gate.open();
  threads.join();
  EXPECT_EQ(allowed, 0);
  EXPECT_EQ(busy.destroy(id), 0);
}

TEST_F(Lifetime, DestroyOfAnIoasWaitsForAnAttachAndIsBusyAfterIt) {
  device = world.bound(world.device);
  park_in(MockCall::kAttach);
  Threads threads;
  ObjectId hwpt = 0;
  int destroyed = -1;
  threads.start([&] { hwpt = world.attached(device, ioas); });
  ASSERT_TRUE(gate.wait_for_arrival());
  threads.start([&] { destroyed = world.destroy(ioas); });
  ASSERT_TRUE(watch.waits.wait());
  gate.open();
  threads.join();
  EXPECT_NE(hwpt, 0U);
  EXPECT_EQ(destroyed, EBUSY);
  drop_the_device();
}

TEST_F(Lifetime, DestroyOfAPageTableIsBusyFromTheMomentAnAttachWantsIt) {
  device = world.bound(world.device);
  uapi::IommuHwptAlloc alloc{0, 0, device, ioas, 0, 0, 0, 0, 0, 0, 0};
  ASSERT_EQ(world.call(uapi::kIommuHwptAlloc, alloc), 0);
  const ObjectId hwpt = alloc.out_hwpt_id;
  park_in(MockCall::kAttach);
  Threads threads;
  threads.start([&] { EXPECT_EQ(world.attached(device, hwpt), hwpt); });
  ASSERT_TRUE(gate.wait_for_arrival());
  EXPECT_EQ(world.destroy(hwpt), EBUSY) << "a reference that outlives the call: no wait";
  gate.open();
  threads.join();
  EXPECT_EQ(world.destroy(hwpt), EBUSY);
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(world.destroy(hwpt), 0);
  EXPECT_EQ(device_unbind(*world.context, device), 0);
}

// R1.6, R13.3
TEST_F(Lifetime, UnbindWaitsForACallThatUsesTheDevice) {
  device = world.bound(world.device);
  park_in(MockCall::kAllocDomain);
  Threads threads;
  const auto alloc = [&] {
    uapi::IommuHwptAlloc argument{0, 0, device, ioas, 0, 0, 0, 0, 0, 0, 0};
    return world.call(uapi::kIommuHwptAlloc, argument);
  };
  int allocated = -1;
  int unbound = -1;
  threads.start([&] { allocated = alloc(); });
  ASSERT_TRUE(gate.wait_for_arrival());
  threads.start([&] { unbound = device_unbind(*world.context, device); });
  ASSERT_TRUE(watch.waits.wait());
  EXPECT_EQ(alloc(), ENOENT) << "look-ups fail while the kernel removes";
  EXPECT_EQ(world.destroy(device), ENOENT);
  gate.open();
  threads.join();
  EXPECT_EQ(allocated, 0);
  EXPECT_EQ(unbound, 0);
}

TEST_F(Lifetime, AnAccessIsDestroyedOnlyAfterItsCallbackReturned) {
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x10000), 0);
  Access* access = nullptr;
  std::atomic<bool> pinned{false};
  std::atomic<bool> callback_returned{false};
  AccessOptions options;
  options.pins = pagetable::AccessPins::kRevocable;
  options.unmapping = [&](std::uint64_t iova, std::uint64_t) {
    if (pinned.exchange(false)) access->unpin(0x10000, kPage);
    if (iova == 0) return;
    gate.pass();
    callback_returned = true;
  };
  ASSERT_EQ(access_create(*world.context, options, access), 0);
  ASSERT_EQ(access->attach(ioas), 0);
  std::vector<std::uint64_t> spas;
  ASSERT_EQ(access->pin(0x10000, kPage, true, spas), 0);
  pinned = true;
  Threads threads;
  threads.start([&] { EXPECT_EQ(world.ioas_unmap(ioas, 0x10000, kPage), 0); });
  ASSERT_TRUE(gate.wait_for_arrival());
  threads.start([&] {
    access_destroy(*access);
    EXPECT_TRUE(callback_returned);
  });
  ASSERT_TRUE(watch.waits.wait());
  gate.open();
  threads.join();
  EXPECT_EQ(world.destroy(ioas), 0);
  EXPECT_EQ(world.pages_held(), 0U);
}

TEST_F(Lifetime, AnUnmapWaitsForAPinInFlight) {
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x10000, uapi::kIommuIoasMapReadable), 0);
  Access* access = nullptr;
  AccessOptions options;
  options.pins = pagetable::AccessPins::kRevocable;
  options.unmapping = [&](std::uint64_t iova, std::uint64_t) {
    if (iova != 0) access->unpin(0x10000, kPage);
  };
  ASSERT_EQ(access_create(*world.context, options, access), 0);
  ASSERT_EQ(access->attach(ioas), 0);
  Access* prober = nullptr;
  ASSERT_EQ(access_create(*world.context, {}, prober), 0);
  ASSERT_EQ(prober->attach(ioas), 0);
  park_in(world, ProcessCall::kPin, kHeap);
  Threads threads;
  std::atomic<bool> opened{false};
  threads.start([&] {
    std::vector<std::uint64_t> spas;
    EXPECT_EQ(access->pin(0x10000, kPage, false, spas), 0);
  });
  ASSERT_TRUE(gate.wait_for_arrival());
  threads.start([&] {
    EXPECT_EQ(world.ioas_unmap(ioas, 0x10000, kPage), 0);
    EXPECT_TRUE(opened) << "the area went while a pin was at work inside";
  });
  // A write is EPERM here, and EINVAL as soon as the unmap has reached the area.
  const std::uint64_t word = 0;
  const auto end = std::chrono::steady_clock::now() + concurrency::kPatience;
  while (prober->write(0x10000, &word, 8) != EINVAL && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  EXPECT_EQ(prober->write(0x10000, &word, 8), EINVAL);
  opened = true;
  gate.open();
  threads.join();
  access_destroy(*prober);
  access_destroy(*access);
  EXPECT_EQ(world.pages_held(), 0U);
}

}  // namespace
}  // namespace iommusim::iommufd
