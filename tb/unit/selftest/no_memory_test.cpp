// SPDX-License-Identifier: Apache-2.0
// Every allocation in a scenario that visits all operations of the test command fails once: an honest errno, and in the
// end nothing is left. And what a failed reply undoes.
#include <gtest/gtest.h>

#include <fcntl.h>

#include <new>

#include "../iommufd/failing_memory.h"
#include "test_world.h"
#include "uapi/iommufd_hwpt.h"
#include "uapi/iommufd_viommu.h"

namespace iommusim::selftest {
namespace {

using iommufd::allocations_failed;
using iommufd::allocations_left;

/// A program's whole life, going on as well as it can after each error.
class Story {
 public:
  explicit Story(TestWorld& world) : world_(world) {}

  /// The first error, or 0.
  int run() {
    ObjectId ioas = 0;
    note(world_.ioas_alloc(ioas));
    note(world_.ioas_map(ioas, kLinear, 4 * kPage, kMockStart));
    TestWorld::Mock mock{};
    if (!note(world_.mock_domain(ioas, mock, uapi::kTestDevicePasid))) return first_;
    use_accesses(ioas);
    const ObjectId tracking = make_hwpt(mock.idev, ioas, uapi::kIommuHwptDirtyTracking | uapi::kIommuHwptPasid, 0);
    if (tracking != 0) use_page_table(mock, tracking);
    const ObjectId parent = make_hwpt(mock.idev, ioas, uapi::kIommuHwptNestParent, 0);
    if (parent != 0) use_guest(mock, parent);
    use_dmabuf(ioas);
    note(world_.destroy(mock.stdev));
    return first_;
  }

 private:
  bool note(int error) {
    if (first_ == 0) first_ = error;
    return error == 0;
  }
  ObjectId make_hwpt(ObjectId device, ObjectId pt, std::uint32_t flags, std::uint32_t data_length) {
    uapi::IommuHwptAlloc argument{};
    argument.flags = flags, argument.dev_id = device, argument.pt_id = pt;
    if (data_length != 0) argument.data_type = uapi::kMockHwptType;
    argument.data_len = data_length, argument.data_uptr = kLinear;
    return note(world_.call(uapi::kIommuHwptAlloc, argument)) ? argument.out_hwpt_id : 0;
  }
  void use_accesses(ObjectId ioas) {
    Command create = TestWorld::make(uapi::kTestCreateAccess, ioas);
    create.create_access.flags = uapi::kTestAccessNeedsPin;
    if (!note(world_.test(create))) return;
    const auto fd = static_cast<ObjectId>(create.create_access.out_access_fd);
    Command pin = TestWorld::make(uapi::kTestAccessPages, fd);
    pin.access_pages.flags = 1;
    pin.access_pages.iova = kMockStart, pin.access_pages.length = 2 * kPage, pin.access_pages.uptr = kLinear;
    note(world_.test(pin));
    Command copy = TestWorld::make(uapi::kTestAccessRw, fd);
    copy.access_rw.iova = kMockStart + 5, copy.access_rw.length = kPage, copy.access_rw.uptr = kLinear + 8 * kPage;
    note(world_.test(copy));
    note(world_.ioas_unmap(ioas, kMockStart, 4 * kPage));
    note(world_.ioas_map(ioas, kLinear, 4 * kPage, kMockStart));
  }
  void use_page_table(const TestWorld::Mock& mock, ObjectId hwpt) {
    Command replace = TestWorld::make(uapi::kTestMockDomainReplace, mock.stdev);
    replace.mock_domain_replace.pt_id = hwpt;
    if (!note(world_.test(replace))) return;
    Command attach = TestWorld::make(uapi::kTestPasidAttach, mock.stdev);
    attach.pasid_attach = {7, hwpt};
    if (note(world_.test(attach))) {
      attach.op = uapi::kTestPasidDetach;
      note(world_.test(attach));
    }
    uapi::IommuHwptSetDirtyTracking track{};
    track.flags = 1, track.hwpt_id = hwpt;
    if (!note(world_.call(uapi::kIommuHwptSetDirtyTracking, track))) return;
    Command dirty = TestWorld::make(uapi::kTestDirty, hwpt);
    dirty.dirty.iova = kMockStart, dirty.dirty.length = 4 * kPage, dirty.dirty.page_size = kMockPage;
    dirty.dirty.uptr = kLinear;
    note(world_.test(dirty));
  }
  void use_guest(const TestWorld::Mock& mock, ObjectId parent) {
    uapi::IommuViommuAlloc viommu{};
    viommu.type = uapi::kMockViommuType, viommu.dev_id = mock.idev, viommu.hwpt_id = parent;
    viommu.data_len = sizeof(uapi::MockViommuData), viommu.data_uptr = kLinear;
    if (!note(world_.call(uapi::kIommuViommuAlloc, viommu))) return;
    uapi::IommuVdeviceAlloc vdevice{};
    vdevice.viommu_id = viommu.out_viommu_id, vdevice.dev_id = mock.idev, vdevice.virt_id = 5;
    note(world_.call(uapi::kIommuVdeviceAlloc, vdevice));
    (void)make_hwpt(mock.idev, viommu.out_viommu_id, 0, 8);
    uapi::IommuHwQueueAlloc queue{};
    queue.viommu_id = viommu.out_viommu_id, queue.type = uapi::kMockHwQueueType;
    queue.nesting_parent_iova = kMockStart, queue.length = kPage;
    note(world_.call(uapi::kIommuHwQueueAlloc, queue));
  }
  void use_dmabuf(ObjectId ioas) {
    Command get = TestWorld::make(uapi::kTestDmabufGet);
    get.dmabuf_get = {2 * kPage, O_CLOEXEC};
    const int fd = world_.result(get);
    if (!note(fd < 0 ? -fd : 0)) return;
    uapi::IommuIoasMapFile map{};
    map.flags = kFixed | kReadWrite, map.ioas_id = ioas, map.fd = fd, map.length = 2 * kPage;
    map.iova = kMockStart + 64 * kPage;
    note(world_.call(uapi::kIommuIoasMapFile, map));
    Command revoke = TestWorld::make(uapi::kTestDmabufRevoke);
    revoke.dmabuf_revoke = {fd, 1};
    note(world_.test(revoke));
  }

  TestWorld& world_;
  int first_ = 0;
};

void expect_nothing_left(TestWorld& world) {
  world.close_all();
  const std::weak_ptr<iommufd::Context> context = world.context;
  world.context.reset();
  EXPECT_TRUE(context.expired());
  EXPECT_EQ(world.command.iommu().live_devices(), 0U);
  EXPECT_EQ(world.command.iommu().live_domains(), 0U);
  EXPECT_EQ(world.pages_held(), 0U);
}

TEST(NoMemoryForTheTestCommand, AfterTheNthAllocation) {
  std::uint64_t n = 1;
  for (bool failed = true; failed && !::testing::Test::HasFailure(); ++n) {
    TestWorld world;
    Story story(world);
    const std::uint64_t frames = world.frames.frames_in_use();
    allocations_failed = 0;
    allocations_left = n;
    int error = 0;
    try {
      error = story.run();
    } catch (const std::bad_alloc&) {
      allocations_left = 0;
      ADD_FAILURE() << "allocation " << n << " escaped";
    }
    allocations_left = 0;
    failed = allocations_failed != 0;
    EXPECT_TRUE(error == 0 || failed) << "allocation " << n << ", errno " << error;
    EXPECT_TRUE(error == 0 || error == ENOMEM) << "allocation " << n << ", errno " << error;
    expect_nothing_left(world);
    EXPECT_EQ(world.frames.frames_in_use(), frames) << "allocation " << n;
  }
  EXPECT_GT(n, 100U);
}

TEST(NoMemoryForTheTestCommand, AfterTheNthCallOfTheDriver) {
  using drivers::MockCall;
  for (const MockCall which : {MockCall::kAllocDomain, MockCall::kAttach, MockCall::kMap})
    for (std::uint64_t n = 1;; ++n) {
      TestWorld world;
      world.command.iommu().fail_nth(which, n, ENOMEM);
      const std::uint64_t calls = world.command.iommu().calls(which);
      const int error = Story(world).run();
      const bool came = world.command.iommu().calls(which) >= calls + n;
      expect_nothing_left(world);
      EXPECT_EQ(error, came ? ENOMEM : 0) << n;
      if (!came || ::testing::Test::HasFailure()) break;
    }
}

struct FailedReplyTest : ::testing::Test {
  /// The operation, whose reply cannot be written.
  int without_reply(Command command) {
    world.process.set_hook([](iommufd::ProcessCall call, std::uint64_t) {
      return call == iommufd::ProcessCall::kCopyToUser ? EFAULT : 0;
    });
    const int error = world.test(command);
    world.process.set_hook({});
    return error;
  }
  TestWorld world;
  ObjectId ioas = world.ioas();
  TestWorld::Mock mock = world.mock(ioas, uapi::kTestDevicePasid);
};

TEST_F(FailedReplyTest, AMockDeviceGoesAgain) {
  EXPECT_EQ(without_reply(TestWorld::make(uapi::kTestMockDomain, ioas)), EFAULT);
  EXPECT_EQ(world.command.iommu().live_devices(), 1U);
  EXPECT_EQ(world.mock(ioas).stdev, mock.hwpt + 1) << "its ids are free";
}

TEST_F(FailedReplyTest, AnAccessAndItsDescriptorGoAgain) {
  const std::size_t open = world.user.descriptors().open_count();
  EXPECT_EQ(without_reply(TestWorld::make(uapi::kTestCreateAccess, ioas)), EFAULT);
  EXPECT_EQ(world.user.descriptors().open_count(), open);
  EXPECT_EQ(world.destroy(mock.stdev), 0);
  EXPECT_EQ(world.destroy(ioas), 0) << "nobody uses it";
}

TEST_F(FailedReplyTest, APinIsGivenBack) {
  ASSERT_EQ(world.destroy(mock.stdev), 0);
  ASSERT_EQ(world.ioas_map(ioas, kHeap, kPage, kMockStart), 0);
  Command create = TestWorld::make(uapi::kTestCreateAccess, ioas);
  create.create_access.flags = uapi::kTestAccessNeedsPin;
  ASSERT_EQ(world.test(create), 0);
  Command pin = TestWorld::make(uapi::kTestAccessPages, static_cast<ObjectId>(create.create_access.out_access_fd));
  pin.access_pages.iova = kMockStart, pin.access_pages.length = kPage;
  EXPECT_EQ(without_reply(pin), EFAULT);
  EXPECT_EQ(world.check_refs(kHeap, kPage, 0), 0);
  EXPECT_EQ(world.test(pin), 0);
  EXPECT_EQ(world.check_refs(kHeap, kPage, 1), 0);
}

TEST_F(FailedReplyTest, APasidIsDetachedAgain) {
  uapi::IommuHwptAlloc argument{};
  argument.flags = uapi::kIommuHwptPasid, argument.dev_id = mock.idev, argument.pt_id = ioas;
  ASSERT_EQ(world.call(uapi::kIommuHwptAlloc, argument), 0);
  Command replace = TestWorld::make(uapi::kTestMockDomainReplace, mock.stdev);
  replace.mock_domain_replace.pt_id = argument.out_hwpt_id;
  ASSERT_EQ(world.test(replace), 0);
  Command attach = TestWorld::make(uapi::kTestPasidAttach, mock.stdev);
  attach.pasid_attach = {7, argument.out_hwpt_id};
  EXPECT_EQ(without_reply(attach), EFAULT);
  Command check = TestWorld::make(uapi::kTestPasidCheckHwpt, mock.stdev);
  check.pasid_check = {7, 0};
  EXPECT_EQ(world.test(check), 0);
}

TEST_F(FailedReplyTest, DescriptorsMayRunOut) {
  Command get = TestWorld::make(uapi::kTestDmabufGet);
  get.dmabuf_get = {1, 0};
  while (world.result(get) >= 0) {
  }
  EXPECT_EQ(world.result(get), -EMFILE);
  EXPECT_EQ(world.test(TestWorld::make(uapi::kTestCreateAccess, 99)), ENOMEM)
      << "before the address space is looked up";
  Command unknown = TestWorld::make(uapi::kTestCreateAccess, 99);
  unknown.create_access.flags = 2;
  EXPECT_EQ(world.test(unknown), EOPNOTSUPP);
}

}  // namespace
}  // namespace iommusim::selftest
