// SPDX-License-Identifier: Apache-2.0
// VEVENTQ_ALLOC and its descriptor: uapi 6.2, R10.3, R10.4.
#include "iommufd/veventq.h"

#include <gtest/gtest.h>

#include "guest_world.h"

namespace iommusim::iommufd {
namespace {

constexpr std::uint32_t kLost = uapi::kIommuVeventLostEvents;
using Words = std::vector<std::uint32_t>;

struct VeventqTest : ::testing::Test {
  int alloc(uapi::IommuVeventqAlloc& argument) { return world.call(uapi::kIommuVeventqAlloc, argument); }
  ObjectId open(std::uint32_t depth, std::uint32_t type = kEventType) {
    uapi::IommuVeventqAlloc argument{0, 0, viommu, type, depth, 0, 0, 0};
    if (alloc(argument) != 0) return 0;
    fd = static_cast<int>(argument.out_veventq_fd);
    return argument.out_veventq_id;
  }
  int report(std::uint32_t word) { return GuestViommu::newest->ports().report_event(kEventType, &word, 4); }
  /// What a read of so many bytes gives, in words.
  Words read(std::uint64_t bytes) {
    const std::uint64_t at = world.slot();
    const std::int64_t done = world.read(fd, at, bytes);
    EXPECT_GE(done, 0);
    Words words(static_cast<std::size_t>(done) / 4);
    world.user.copy_from_user(words.data(), at, words.size() * 4);
    return words;
  }
  GuestWorld world;
  ObjectId viommu = world.viommu(world.parent());
  int fd = -1;
};

TEST_F(VeventqTest, AllocAnswersInOrder) {
  uapi::IommuVeventqAlloc bad{0, 1, 99, 0, 0, 0, 0, 1};
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // flags
  bad.flags = 0;
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // reserved
  bad.reserved = 0;
  EXPECT_EQ(alloc(bad), EOPNOTSUPP);  // type 0
  bad.type = 3;
  EXPECT_EQ(alloc(bad), EINVAL);  // depth
  bad.veventq_depth = 1;
  EXPECT_EQ(alloc(bad), ENOENT);
  bad.viommu_id = viommu;
  EXPECT_EQ(alloc(bad), 0) << "the type is not compared with the vIOMMU's";
  EXPECT_EQ(alloc(bad), EEXIST);  // one a type
  bad.type = 4;
  EXPECT_EQ(alloc(bad), 0);
  EXPECT_EQ(world.destroy(viommu), EBUSY);
  bad.type = 5;
  int last = -1;
  while (world.fault_queue(last) != 0) continue;  // every descriptor that there is
  EXPECT_EQ(alloc(bad), EMFILE);
  EXPECT_EQ(world.close(last), 0);
  EXPECT_EQ(alloc(bad), 0) << "the failed one left nothing";
}

TEST_F(VeventqTest, TheDescriptorHoldsTheQueue) {
  const ObjectId id = open(2);
  EXPECT_EQ(world.destroy(id), EBUSY);
  EXPECT_EQ(world.write(fd, world.put({1, 2}), 8), -EINVAL) << "not a thing to write to";
  EXPECT_EQ(world.close(fd), 0);
  EXPECT_EQ(report(1), 0) << "events come all the same";
  EXPECT_EQ(world.destroy(id), 0);
  EXPECT_EQ(report(1), EOPNOTSUPP);
  EXPECT_NE(open(2), 0U) << "the type is free again";
}

TEST_F(VeventqTest, ReadGivesWholeEventsAndNeverBlocks) {
  open(4);
  EXPECT_EQ(world.ready(fd), 0) << "never writable";
  EXPECT_EQ(read(100), Words{});
  for (const std::uint32_t word : {70U, 71U, 72U}) EXPECT_EQ(report(word), 0);
  EXPECT_EQ(world.ready(fd), 1);
  EXPECT_EQ(read(7), Words{});
  EXPECT_EQ(read(11), Words{}) << "the header alone is no event";
  EXPECT_EQ(read(12), (Words{0, 0, 70}));
  EXPECT_EQ(read(100), (Words{0, 1, 71, 0, 2, 72}));
  EXPECT_EQ(world.ready(fd), 0);
  EXPECT_EQ(world.user.descriptors().pread(world.process, fd, world.slot(), 12, 12), -ESPIPE);
}

TEST_F(VeventqTest, R10_3_AnOverflowMarksTheLossOnceAtTheTail) {
  open(2);
  for (const std::uint32_t word : {70U, 71U, 72U, 73U}) EXPECT_EQ(report(word), 0) << "overflow is no error";
  EXPECT_EQ(read(100), (Words{0, 0, 70, 0, 1, 71, kLost, 3})) << "the sequence of the latest lost event";
  EXPECT_EQ(report(74), 0);
  EXPECT_EQ(read(100), (Words{0, 4, 74}));
}

TEST_F(VeventqTest, R10_4_ANewEventReplacesTheMark) {
  open(2);
  for (const std::uint32_t word : {70U, 71U, 72U}) EXPECT_EQ(report(word), 0);
  EXPECT_EQ(read(12), (Words{0, 0, 70}));
  EXPECT_EQ(report(73), 0);
  EXPECT_EQ(read(100), (Words{0, 1, 71, 0, 3, 73})) << "only the gap in the sequence tells";
}

TEST_F(VeventqTest, R10_4_AMarkThatWasReadIsConsumed) {
  open(1);
  EXPECT_EQ(report(70), 0);
  EXPECT_EQ(report(71), 0);
  EXPECT_EQ(read(100), (Words{0, 0, 70, kLost, 1}));
  EXPECT_EQ(read(100), Words{});
  EXPECT_EQ(report(72), 0);
  EXPECT_EQ(report(73), 0);
  EXPECT_EQ(read(12), (Words{0, 2, 72}));
  EXPECT_EQ(world.read(fd, 0x123000, 8), -EFAULT) << "the mark that cannot be copied";
  EXPECT_EQ(read(8), (Words{kLost, 3})) << "stays";
}

TEST_F(VeventqTest, AFaultInTheDataCountsTheHeader) {
  open(4);
  EXPECT_EQ(report(70), 0);
  EXPECT_EQ(report(71), 0);
  EXPECT_EQ(world.read(fd, 0x123000, 100), -EFAULT);
  const std::uint64_t end = kArguments + 64 * kPage;
  EXPECT_EQ(world.read(fd, end - 8, 100), 8);
  EXPECT_EQ(read(12), (Words{0, 0, 70})) << "and the event stays";
  EXPECT_EQ(report(72), 0);
  EXPECT_EQ(world.read(fd, end - 12, 100), 12) << "one whole event, and the header of the next fails";
  EXPECT_EQ(read(12), (Words{0, 2, 72}));
}

}  // namespace
}  // namespace iommusim::iommufd
