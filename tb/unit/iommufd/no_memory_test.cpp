// SPDX-License-Identifier: Apache-2.0
// Every allocation, pin, charge and driver call that can fail is made to fail, one after the other, in a scenario that
// visits all object types. Whatever happens on the way: an honest errno, and in the end no object and no page is left.
// And what takes things away needs no memory at all.
#include "iommufd/no_memory.h"

#include <gtest/gtest.h>

#include <new>

#include "failing_memory.h"
#include "hal/file_table.h"
#include "world.h"

namespace iommusim::iommufd {
namespace {

/// The mock remembers stale leaves between an unmap and its sync, and allocates for it; a driver would not.
void exempt_the_mock(World& world) {
  world.iommu.set_hook([](drivers::MockCall call, std::uint64_t) {
    if (call == drivers::MockCall::kUnmap) suspended = true;
    if (call == drivers::MockCall::kSync) suspended = false;
    return 0;
  });
}

/// Gives the process its frames beforehand: a page fault that finds none is another error.
void touch(World& world, std::uint64_t pages) {
  suspended = true;
  const auto touch_pages = [&](std::uint64_t va, std::uint64_t count) {
    for (std::uint64_t page = 0; page < count; ++page) world.user.copy_to_user(va + page * kPage, "x", 1);
  };
  touch_pages(kHeap, 3);
  touch_pages(kHeap + (1 << 20), pages);
  touch_pages(kHeap + (4 << 20), 2);
  touch_pages(kHeap + (5 << 20), 6);
  suspended = false;
}

/// A memory file in a second page table of the same address space, and mappings of single pages that are cut.
template <class Note>
void map_files_and_cut(World& world, ObjectId ioas, ObjectId device, Note note) {
  suspended = true;
  int fd = -1;
  world.user.descriptors().install(std::make_shared<hal::MemFd>(world.frames, 4), fd);
  suspended = false;
  uapi::IommuIoasMapFile file{0, kReadWrite | kFixed, ioas, fd, kPage, 2 * kPage, 0x900000};
  note(world.call(uapi::kIommuIoasMapFile, file));
  uapi::IommuHwptAlloc second{0, 0, device, ioas, 0, 0, 0, 0, 0, 0, 0};
  note(world.call(uapi::kIommuHwptAlloc, second));
  note(world.ioas_map(ioas, kHeap + (4 << 20), 2 * kPage, 0xA00000));
  uapi::IommuIoasChangeProcess nothing{0, 0};
  const int refused = world.call(uapi::kIommuIoasChangeProcess, nothing);
  if (refused != EINVAL) note(refused);  // there is a mapping of user memory, too
  ObjectId small = 0;
  if (!note(world.ioas_alloc(small))) return;
  uapi::IommuOption off{0, uapi::kIommuOptionHugePages, uapi::kIommuOptionOpSet, 0, small, 0};
  note(world.call(uapi::kIommuOption, off));
  uapi::IommuHwptAlloc third{0, 0, device, small, 0, 0, 0, 0, 0, 0, 0};
  note(world.call(uapi::kIommuHwptAlloc, third));
  if (!note(world.ioas_map(small, kHeap + (5 << 20), 6 * kPage, 0x10000))) return;
  const auto hold = world.context->objects().hold<Ioas>(small);
  note(or_enomem([&] { return hold->space().cut({0x12000, 0x13FFF}); }));
}

/// A program's whole life, going on as well as it can after each error. The first error, or 0.
int run_scenario(World& world, std::uint64_t pages = 600) {
  touch(world, pages);
  int first = 0;
  const auto note = [&](int error) {
    if (first == 0) first = error;
    return error == 0;
  };
  ObjectId ioas = 0, other = 0, device = 0;
  note(world.ioas_alloc(ioas));
  note(world.ioas_alloc(other));
  note(world.ioas_map(ioas, kHeap, 3 * kPage, 0x10000));
  const bool is_bound = note(device_bind(*world.context, world.device, device));
  ObjectId pt = ioas;
  const bool is_attached = is_bound && note(device_attach(*world.context, device, pt));
  note(world.ioas_map(ioas, kHeap + (1 << 20), pages * kPage, 0x100000));
  uapi::IommuIoasCopy copy{0, kReadWrite, other, ioas, 2 * kPage, 0, 0x11000};
  note(world.call(uapi::kIommuIoasCopy, copy));
  uapi::IommuHwptAlloc alloc{0, 0, device, other, 0, 0, 0, 0, 0, 0, 0};
  const bool has_manual = note(world.call(uapi::kIommuHwptAlloc, alloc));
  if (is_bound) map_files_and_cut(world, ioas, device, note);
  if (is_attached && has_manual) note(device_replace(*world.context, device, alloc.out_hwpt_id));
  pt = ioas;
  if (is_attached) note(device_replace(*world.context, device, pt));

  Access* access = nullptr;
  suspended = true;
  AccessOptions options;
  options.pins = pagetable::AccessPins::kRevocable;
  bool pinned = false;
  options.unmapping = [&](std::uint64_t, std::uint64_t) {
    if (std::exchange(pinned, false)) access->unpin(0x10000, 2 * kPage);
  };
  suspended = false;
  if (note(access_create(*world.context, std::move(options), access))) {
    std::vector<std::uint64_t> spas;
    if (note(access->attach(ioas))) {
      pinned = note(access->pin(0x10000, 2 * kPage, true, spas));
      std::uint64_t word = 0;
      note(access->read(0x100FFC, &word, sizeof word));
      note(access->write(0x100FFC, &word, sizeof word));
    }
    note(world.ioas_unmap(ioas, 0, 0x80000));
    access_destroy(*access);
  }
  if (is_bound) {
    note(device_detach(*world.context, device));
    note(device_unbind(*world.context, device));
  }
  world.context.reset();
  return first;
}

void expect_nothing_left(World& world) {
  EXPECT_EQ(world.pages_held(), 0U);
  EXPECT_EQ(world.iommu.live_domains(), 0U);
}

TEST(NoMemory, TheScenarioPasses) {
  World world;
  EXPECT_EQ(run_scenario(world), 0);
  expect_nothing_left(world);
}

TEST(NoMemory, AfterTheNthAllocation) {
  std::uint64_t n = 1;
  for (bool failed = true; failed; ++n) {
    World world;
    exempt_the_mock(world);
    allocations_failed = 0;
    allocations_left = n;
    int error = 0;
    try {
      error = run_scenario(world, 8);
    } catch (const std::bad_alloc&) {  // an allocation of the test itself, not of the kernel
      allocations_left = 0;
      ADD_FAILURE() << "allocation " << n << " escaped";
    }
    allocations_left = 0;
    failed = allocations_failed != 0;
    EXPECT_EQ(error, failed ? ENOMEM : 0) << "allocation " << n;
    expect_nothing_left(world);
  }
  EXPECT_GT(n, 50U);
}

template <class Arm>
std::uint64_t sweep(Arm arm) {
  for (std::uint64_t n = 1;; ++n) {
    World world;
    const int expected = arm(world, n);
    const int error = run_scenario(world);
    expect_nothing_left(world);
    if (error == 0) return n - 1;
    EXPECT_EQ(error, expected) << n;
    if (::testing::Test::HasFailure()) return n;
  }
}

TEST(NoMemory, AfterTheNthPinOrCharge) {
  const auto fail_nth = [](World& world, ProcessCall which, std::uint64_t n, int error) {
    world.process.set_hook([=, left = std::make_shared<std::uint64_t>(n)](ProcessCall call, std::uint64_t) {
      return call == which && *left != 0 && --*left == 0 ? error : 0;
    });
    return error;
  };
  // 600 pages are mapped at once: only the first few and the borders of chunks differ.
  EXPECT_GT(sweep([&](World& world, std::uint64_t n) { return fail_nth(world, ProcessCall::kCharge, n, ENOMEM); }), 3U);
  for (const std::uint64_t n : {1, 2, 3, 4, 5, 500, 512, 515, 516, 603}) {
    World world;
    fail_nth(world, ProcessCall::kPin, n, EFAULT);
    EXPECT_EQ(run_scenario(world), EFAULT) << n;
    expect_nothing_left(world);
  }
}

TEST(NoMemory, AfterTheNthCallOfADriver) {
  using drivers::MockCall;
  for (const MockCall which : {MockCall::kAllocDomain, MockCall::kAttach, MockCall::kMap})
    EXPECT_GE(sweep([which](World& world, std::uint64_t n) {
                world.iommu.fail_nth(which, n, ENOMEM);
                return ENOMEM;
              }),
              2U);
}

TEST(NoMemory, TakingAwayNeedsNone) {
  World world;
  const ObjectId ioas = world.ioas();
  const ObjectId device = world.bound(world.device);
  ObjectId pt = ioas;
  ASSERT_EQ(device_attach(*world.context, device, pt), 0);
  ASSERT_EQ(world.ioas_map(ioas, kHeap, 3 * kPage, 0x10000), 0);
  ASSERT_EQ(world.ioas_map(ioas, kHeap, 3 * kPage, 0x20000), 0);
  exempt_the_mock(world);
  allocations_failed = 0;
  const auto without_memory = [&](auto work) {
    fail_all = true;
    const int error = work();
    fail_all = false;
    return error;
  };
  EXPECT_EQ(without_memory([&] { return device_detach(*world.context, device); }), 0);
  EXPECT_EQ(without_memory([&] { return world.ioas_unmap(ioas, 0x10000, 3 * kPage); }), 0);
  EXPECT_EQ(without_memory([&] { return device_unbind(*world.context, device); }), 0);
  EXPECT_EQ(without_memory([&] { return world.destroy(ioas); }), 0);
  EXPECT_EQ(allocations_failed, 0U);
  expect_nothing_left(world);
}

}  // namespace
}  // namespace iommusim::iommufd
