// SPDX-License-Identifier: Apache-2.0
// Fault queues from a device to a program and back: uapi 6.1, semantics 9.
#include <gtest/gtest.h>

#include "guest_world.h"
#include "iommufd/context_file.h"
#include "iommufd/fault_file.h"

namespace iommusim::iommufd {
namespace {

using domain::PageAnswer;
using domain::PageFaultGroup;
using Answers = std::vector<std::pair<std::uint32_t, PageAnswer>>;

PageFaultGroup group_of(std::uint32_t index, std::size_t pages = 1) {
  PageFaultGroup group;
  group.index = index;
  for (std::size_t i = 0; i < pages; ++i) {
    domain::PageFault page;
    page.iova = 0x10000 * (i + 1);
    page.read = true;
    group.pages.push_back(page);
  }
  return group;
}

struct FaultQueueTest : ::testing::Test {
  FaultQueueTest() {
    fault = world.fault_queue(fd);
    hwpt = world.hwpt(world.paging(uapi::kIommuHwptFaultIdValid | uapi::kIommuHwptPasid, fault));
  }
  std::vector<uapi::IommuHwptPageFault> read(std::size_t messages) {
    const std::uint64_t at = world.slot();
    const std::int64_t bytes = world.read(fd, at, messages * 40);
    EXPECT_GE(bytes, 0);
    std::vector<uapi::IommuHwptPageFault> out(static_cast<std::size_t>(bytes) / 40);
    world.user.copy_from_user(out.data(), at, out.size() * 40);
    return out;
  }
  std::int64_t respond(std::vector<std::uint32_t> words) {
    const std::uint64_t bytes = words.size() * 4;
    return world.write(fd, world.put(std::move(words)), bytes);
  }
  GuestWorld world;
  int fd = -1;
  ObjectId fault = 0, hwpt = 0;
};

TEST_F(FaultQueueTest, AllocAnswersInOrder) {
  uapi::IommuFaultQueueAlloc bad{0, 1, 0, 0};
  EXPECT_EQ(world.call(uapi::kIommuFaultQueueAlloc, bad), EOPNOTSUPP);
  int last = -1, error = 0;
  while (error == 0) {  // every descriptor that there is
    ObjectId id = world.fault_queue(last);
    error = id == 0 ? EMFILE : 0;
  }
  bad.flags = 0;
  const std::size_t open = world.user.descriptors().open_count();
  EXPECT_EQ(world.call(uapi::kIommuFaultQueueAlloc, bad), EMFILE);
  EXPECT_EQ(world.user.descriptors().open_count(), open);
  EXPECT_EQ(world.close(last), 0);
  world.process.set_hook([](ProcessCall call, std::uint64_t) { return call == ProcessCall::kCopyToUser ? EFAULT : 0; });
  EXPECT_EQ(world.call(uapi::kIommuFaultQueueAlloc, bad), EFAULT);
  world.process.set_hook({});
  EXPECT_EQ(world.user.descriptors().open_count(), open - 1) << "the descriptor is taken back, too";
}

TEST_F(FaultQueueTest, R9_1_AGroupIsAUnitWithOneCookie) {
  ASSERT_EQ(world.attach(world.dev, hwpt), 0);
  EXPECT_EQ(world.ready(fd), 4) << "always writable";
  ASSERT_EQ(world.attach(world.dev, hwpt, 5), 0);
  PageFaultGroup group = group_of(9, 2);
  group.process_valid = true;
  group.process_id = 5;
  group.pages[0].write = true;
  group.pages[1].execute = group.pages[1].privileged = true;
  ASSERT_TRUE(world.device.ask(group));
  EXPECT_EQ(world.ready(fd), 5);
  const auto messages = read(2);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].flags, uapi::kIommuPageFaultPasidValid);
  EXPECT_EQ(messages[1].flags, uapi::kIommuPageFaultPasidValid | uapi::kIommuPageFaultLastPage);
  EXPECT_EQ(messages[0].dev_id, world.dev);
  EXPECT_EQ(messages[0].pasid, 5U);
  EXPECT_EQ(messages[0].grpid, 9U);
  EXPECT_EQ(messages[0].perm, 3U);
  EXPECT_EQ(messages[1].perm, 1U | 4U | 8U);
  EXPECT_EQ(messages[0].addr, 0x10000U);
  EXPECT_EQ(messages[1].addr, 0x20000U);
  EXPECT_EQ(messages[0].length, 0U);
  EXPECT_EQ(messages[0].cookie, 1U);
  EXPECT_EQ(messages[1].cookie, 1U);
  EXPECT_EQ(world.ready(fd), 4);
  EXPECT_EQ(respond({1, 0}), 8);
  EXPECT_EQ(world.device.answers, (Answers{{9, PageAnswer::kSuccess}}));
}

TEST_F(FaultQueueTest, R9_2_TheCookieIsTheLowestFreeNumber) {
  ASSERT_EQ(world.attach(world.dev, hwpt), 0);
  for (const std::uint32_t index : {1U, 2U, 3U}) ASSERT_TRUE(world.device.ask(group_of(index)));
  EXPECT_EQ(read(3).back().cookie, 3U);
  EXPECT_EQ(respond({2, 1}), 8);  // R9.4
  EXPECT_EQ(world.device.answers, (Answers{{2, PageAnswer::kInvalid}}));
  ASSERT_TRUE(world.device.ask(group_of(4)));
  EXPECT_EQ(read(1).back().cookie, 2U);
  EXPECT_EQ(respond({1, 0, 2, 0, 3, 1}), 24);
  EXPECT_EQ(world.device.answers.size(), 4U);
  EXPECT_EQ(respond({1, 0}), -EINVAL) << "a second answer";
}

TEST_F(FaultQueueTest, R9_3_ReadGivesWholeUnitsAndNeverBlocks) {
  ASSERT_EQ(world.attach(world.dev, hwpt), 0);
  EXPECT_EQ(read(4).size(), 0U);
  const std::uint64_t at = world.slot();
  EXPECT_EQ(world.read(fd, at, 39), -ESPIPE);
  EXPECT_EQ(world.read(fd, at, 41), -ESPIPE);
  EXPECT_EQ(world.read(fd, at, 0), 0);
  ASSERT_TRUE(world.device.ask(group_of(1, 2)));
  ASSERT_TRUE(world.device.ask(group_of(2, 3)));
  EXPECT_EQ(read(1).size(), 0U) << "the first unit does not fit";
  EXPECT_EQ(read(4).size(), 2U) << "the second does not";
  EXPECT_EQ(read(3).size(), 3U);
  EXPECT_EQ(world.user.descriptors().pread(world.process, fd, at, 40, 40), -ESPIPE);
  EXPECT_EQ(world.user.descriptors().pwrite(world.process, fd, at, 8, 8), -ESPIPE);
}

TEST_F(FaultQueueTest, R9_3_AUnitThatCannotBeCopiedStaysInFront) {
  ASSERT_EQ(world.attach(world.dev, hwpt), 0);
  ASSERT_TRUE(world.device.ask(group_of(1)));
  ASSERT_TRUE(world.device.ask(group_of(2, 2)));
  EXPECT_EQ(world.read(fd, 0x123000, 40), -EFAULT);
  const std::uint64_t end = kArguments + 64 * kPage;
  EXPECT_EQ(world.read(fd, end - 80, 120), 40) << "the first one only";
  EXPECT_EQ(world.ready(fd), 5);
  const auto rest = read(2);
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].grpid, 2U);
  EXPECT_EQ(rest[0].cookie, 2U);
}

TEST_F(FaultQueueTest, WriteStopsAtTheFirstBadResponse) {
  ASSERT_EQ(world.attach(world.dev, hwpt), 0);
  ASSERT_TRUE(world.device.ask(group_of(1)));
  ASSERT_TRUE(world.device.ask(group_of(2)));
  ASSERT_EQ(read(2).size(), 2U);
  EXPECT_EQ(world.write(fd, world.put({1, 0}), 7), -ESPIPE);
  EXPECT_EQ(world.write(fd, world.put({1, 0}), 0), 0);
  EXPECT_EQ(world.write(fd, 0x123000, 8), -EFAULT);
  EXPECT_EQ(respond({1, 2}), -EINVAL) << "the code";
  EXPECT_EQ(respond({7, 0}), -EINVAL) << "the cookie";
  EXPECT_EQ(respond({0, 0}), -EINVAL);
  EXPECT_EQ(respond({1, 0, 7, 0, 2, 0}), 8) << "what is done, without the bad one";
  EXPECT_EQ(world.device.answers.size(), 1U);
  EXPECT_EQ(world.write(fd, kArguments + 64 * kPage - 8, 16), -EINVAL) << "zeros there: no such cookie";
}

TEST_F(FaultQueueTest, R9_5_DetachAnswersWhatIsPending) {
  ASSERT_EQ(world.attach(world.dev, hwpt), 0);
  ASSERT_EQ(world.attach(world.second_dev, hwpt), 0);
  ASSERT_TRUE(world.device.ask(group_of(1)));
  ASSERT_TRUE(world.device.ask(group_of(2)));
  ASSERT_TRUE(world.second.ask(group_of(3)));
  ASSERT_EQ(read(1).size(), 1U);
  EXPECT_EQ(world.detach(world.dev), 0);
  EXPECT_EQ(world.device.answers, (Answers{{2, PageAnswer::kInvalid}, {1, PageAnswer::kInvalid}}));
  EXPECT_TRUE(world.second.answers.empty()) << "of that device only";
  EXPECT_EQ(world.device.handler, nullptr);
  EXPECT_EQ(respond({1, 0}), -EINVAL);
  EXPECT_EQ(read(2).size(), 1U);
  EXPECT_EQ(world.detach(world.second_dev), 0);
  EXPECT_EQ(world.second.answers, (Answers{{3, PageAnswer::kInvalid}}));
  EXPECT_EQ(world.ready(fd), 4);
}

TEST_F(FaultQueueTest, R9_5_ReplaceAnswersAndRoutesAnew) {
  int other_fd = -1;
  const ObjectId other = world.fault_queue(other_fd);
  const ObjectId next = world.hwpt(world.paging(uapi::kIommuHwptFaultIdValid, other));
  const ObjectId without = world.hwpt(world.paging());
  ASSERT_EQ(world.attach(world.dev, hwpt), 0);
  ASSERT_TRUE(world.device.ask(group_of(1)));
  EXPECT_EQ(world.replace(world.dev, next), 0);
  EXPECT_EQ(world.device.answers, (Answers{{1, PageAnswer::kInvalid}}));
  ASSERT_TRUE(world.device.ask(group_of(2)));
  EXPECT_EQ(world.ready(fd), 4);
  EXPECT_EQ(world.ready(other_fd), 5);
  EXPECT_EQ(world.replace(world.dev, without), 0);
  EXPECT_EQ(world.device.answers.back(), std::make_pair(2U, PageAnswer::kInvalid));
  EXPECT_EQ(world.device.handler, nullptr) << "nobody wants them now";
  EXPECT_EQ(world.replace(world.dev, hwpt), 0);
  ASSERT_TRUE(world.device.ask(group_of(3)));
  world.device.fail_next = EIO;
  EXPECT_EQ(world.replace(world.dev, next), EIO);
  EXPECT_EQ(read(1).size(), 1U) << "a replace that failed changed nothing";
  EXPECT_EQ(respond({1, 0}), 8);
}

TEST_F(FaultQueueTest, R9_6_TheDescriptorHoldsTheObjectAndTheContext) {
  EXPECT_EQ(world.destroy(hwpt), 0);
  EXPECT_EQ(world.destroy(fault), EBUSY);
  const int copy = world.user.descriptors().dup(fd);
  EXPECT_EQ(world.close(fd), 0);
  EXPECT_EQ(world.destroy(fault), EBUSY) << "a duplicate is open";
  EXPECT_EQ(world.close(copy), 0);
  EXPECT_EQ(world.destroy(fault), 0);

  int last = -1;
  world.fault_queue(last);
  world.unbind_all();
  const std::weak_ptr<Context> context = world.context;
  world.context.reset();
  EXPECT_FALSE(context.expired());
  EXPECT_EQ(world.read(last, world.slot(), 40), 0);
  EXPECT_EQ(world.close(last), 0);
  EXPECT_TRUE(context.expired());
}

TEST_F(FaultQueueTest, R9_7_NothingIsLost) {
  ASSERT_EQ(world.attach(world.dev, hwpt), 0);
  for (std::uint32_t i = 0; i < 5000; ++i) ASSERT_TRUE(world.device.ask(group_of(i)));
  std::size_t seen = 0;
  for (std::size_t now = 100; now == 100; seen += now) now = read(100).size();
  EXPECT_EQ(seen, 5000U);
}

// R4.7
TEST_F(FaultQueueTest, R4_7_TheDeviceMustHavePageRequests) {
  GuestOptions options;
  options.capabilities.erase(domain::Capability::kPageRequests);
  domain::Group group{7, {}}, other_group{8, {}};
  GuestDevice without(world.hardware, world.iommu, group, options);
  options.capabilities.insert(domain::Capability::kPageRequests);
  options.capabilities.insert(domain::Capability::kPageRequestsOfPhysical);
  GuestDevice function(world.hardware, world.iommu, other_group, options);
  const ObjectId a = world.bound(without), b = world.bound(function);
  EXPECT_EQ(world.attach(a, hwpt), EOPNOTSUPP) << "what the driver says";
  EXPECT_TRUE(without.at.empty());
  EXPECT_EQ(world.attach(b, hwpt), EINVAL) << "a virtual function";
  const ObjectId plain = world.hwpt(world.paging());
  EXPECT_EQ(world.attach(a, plain), 0);
  EXPECT_EQ(world.replace(a, hwpt), EOPNOTSUPP);
  EXPECT_EQ(device_attached_to(*world.context, a), plain);
  EXPECT_EQ(world.detach(a), 0);
  EXPECT_EQ(device_unbind(*world.context, a), 0);
  EXPECT_EQ(device_unbind(*world.context, b), 0);
}

}  // namespace
}  // namespace iommusim::iommufd
