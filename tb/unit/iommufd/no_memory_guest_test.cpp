// SPDX-License-Identifier: Apache-2.0
// As no_memory_test.cpp, for what is lent to guests: every allocation and every attach in the life of fault queues,
// nested page tables, PASIDs, vIOMMUs and all that is made in them fails once. An honest errno, and nothing is left.
#include <gtest/gtest.h>

#include <new>

#include "failing_memory.h"
#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

class GuestLifeStory {
 public:
  explicit GuestLifeStory(GuestWorld& world) : world_(world) { world_.device.answers.reserve(100); }

  /// The first error, or 0. Goes on as well as it can after each.
  int run() {
    uapi::IommuFaultQueueAlloc queue{};
    const bool has_queue = note(world_.call(uapi::kIommuFaultQueueAlloc, queue));
    note(world_.ioas_map(world_.space, kLinear, 4 * kPage, 0x10000));
    const ObjectId parent = make(world_.paging(uapi::kIommuHwptNestParent));
    const std::uint32_t flags = uapi::kIommuHwptPasid | (has_queue ? uapi::kIommuHwptFaultIdValid : 0U);
    const ObjectId paging = make(world_.paging(flags, queue.out_fault_id));
    const ObjectId nested = parent == 0 ? 0 : make(nested_in(parent, flags, queue.out_fault_id));
    if (paging != 0) {
      note(world_.attach(world_.dev, paging));
      note(world_.attach(world_.dev, paging, 3));
      ask();
      read(queue.out_fault_fd);
    }
    if (nested != 0 && device_attached_to(*world_.context, world_.dev) != 0) note(world_.replace(world_.dev, nested));
    ask();
    if (parent != 0) lend(parent);
    return first_;
  }

 private:
  bool note(int error) {
    if (first_ == 0) first_ = error;
    return error == 0;
  }
  ObjectId make(uapi::IommuHwptAlloc argument) {
    return note(world_.call(uapi::kIommuHwptAlloc, argument)) ? argument.out_hwpt_id : 0;
  }
  uapi::IommuHwptAlloc nested_in(ObjectId parent, std::uint32_t flags, ObjectId fault) {
    const Exempt test_itself;
    return world_.nested(parent, flags, fault);
  }
  void ask() {
    const std::size_t before = world_.device.answers.size();
    domain::PageFaultGroup group;
    {
      const Exempt test_itself;
      group.pages.resize(2);
    }
    world_.device.ask(group);
    if (world_.device.answers.size() != before) note(ENOMEM);  // nobody could take it, so it is answered
  }
  void read(std::uint32_t fd) {
    if (device_attached_to(*world_.context, world_.dev) == 0) return;
    const std::int64_t bytes = world_.read(static_cast<int>(fd), world_.slot(), 80);
    if (bytes < 0) note(static_cast<int>(-bytes));
  }
  int report() {
    const std::uint32_t word = 1;
    return GuestViommu::newest->ports().report_event(kEventType, &word, sizeof word);
  }
  void lend(ObjectId parent) {
    uapi::IommuViommuAlloc viommu = world_.viommu_argument(parent);
    if (!note(world_.call(uapi::kIommuViommuAlloc, viommu))) return;
    const ObjectId id = viommu.out_viommu_id;
    note(world_.vdevice(id, world_.dev, 5));
    uapi::IommuVeventqAlloc events{0, 0, id, kEventType, 1, 0, 0, 0};
    if (note(world_.call(uapi::kIommuVeventqAlloc, events))) {
      note(report());
      const Exempt lost;  // there is no room for it: no memory is no error then
      note(report());
    }
    uapi::IommuHwQueueAlloc queue{0, 0, id, kGuestType, 0, 0, 0x10000, 2 * kPage};
    if (note(world_.call(uapi::kIommuHwQueueAlloc, queue))) {
      queue = {0, 0, id, kGuestType, 1, 0, 0x12000, kPage};
      note(world_.call(uapi::kIommuHwQueueAlloc, queue));
    }
    std::uint64_t offset = 0;
    if (note(GuestViommu::newest->ports().announce_mmap(0x40000000, kPage, offset))) {
      hal::MappedRegion region;
      note(-world_.context->mmap(offset, kPage, 1, true, region));
    }
    make(nested_in(id, 0, 0));
  }

  GuestWorld& world_;
  int first_ = 0;
};

void end_and_expect_nothing(GuestWorld& world) {
  world.unbind_all();
  for (int fd = 3; fd < 20; ++fd) world.close(fd);
  const std::weak_ptr<Context> context = world.context;
  world.context.reset();
  EXPECT_TRUE(context.expired());
  EXPECT_EQ(world.hardware.live, 0);
  EXPECT_EQ(world.pages_held(), 0U);
  EXPECT_EQ(world.iommu.live_domains(), 0U);
  EXPECT_EQ(world.device.handler, nullptr);
}

TEST(NoMemoryForGuests, AfterTheNthAllocation) {
  std::uint64_t n = 1;
  for (bool failed = true; failed && !::testing::Test::HasFailure(); ++n) {
    GuestWorld world;
    GuestLifeStory story(world);
    allocations_failed = 0;
    allocations_left = n;
    int error = 0;
    try {
      error = story.run();
    } catch (const std::bad_alloc&) {
      ADD_FAILURE() << "allocation " << n << " escaped";
    }
    allocations_left = 0;
    failed = allocations_failed != 0;
    EXPECT_EQ(error, failed ? ENOMEM : 0) << "allocation " << n;
    end_and_expect_nothing(world);
  }
  EXPECT_GT(n, 50U);
}

TEST(NoMemoryForGuests, AfterTheNthReply) {
  std::uint64_t n = 1;
  for (int error = EFAULT; error != 0 && !::testing::Test::HasFailure(); ++n) {
    GuestWorld world;
    world.process.set_hook([left = std::make_shared<std::uint64_t>(n)](ProcessCall call, std::uint64_t) {
      return call == ProcessCall::kCopyToUser && *left != 0 && --*left == 0 ? EFAULT : 0;
    });
    error = GuestLifeStory(world).run();
    EXPECT_TRUE(error == 0 || error == EFAULT) << error;
    world.process.set_hook({});
    end_and_expect_nothing(world);
  }
  EXPECT_GT(n, 10U);
}

TEST(NoMemoryForGuests, TakingAwayNeedsNone) {
  GuestWorld world;
  ASSERT_EQ(GuestLifeStory(world).run(), 0);
  allocations_failed = 0;
  fail_all = true;
  world.detach(world.dev, 3);
  world.detach(world.dev);
  device_unbind(*world.context, world.dev);
  device_unbind(*world.context, world.second_dev);
  fail_all = false;
  EXPECT_EQ(allocations_failed, 0U);
  world.dev = world.second_dev = 0;
  end_and_expect_nothing(world);
}

}  // namespace
}  // namespace iommusim::iommufd
