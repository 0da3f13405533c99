// SPDX-License-Identifier: Apache-2.0
// uapi 1.3 for every ioctl: numbers, sizes short and long, tails, bad pointers, replies; and what a failed reply
// undoes.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "iommufd/call.h"
#include "world.h"

namespace iommusim::iommufd {
namespace {

constexpr std::uint64_t kNowhere = 0x123000;

struct Recorder final : CallObserver {
  void call_begins(const CallInfo& info) override { begun.push_back(info.command); }
  void call_ends(const CallInfo& info, int result) override {
    ended.push_back(info.command);
    results.push_back(result);
    if (info.command == uapi::kIommuIoasMap) map = *static_cast<const uapi::IommuIoasMap*>(info.argument);
  }
  std::vector<std::uint32_t> begun, ended;
  std::vector<int> results;
  uapi::IommuIoasMap map{};
};

struct DispatchTest : ::testing::Test {
  int raw(std::uint32_t command, std::uint64_t at) { return world.context->ioctl(world.process, command, at); }
  /// A struct of zeros with the given size and one more byte somewhere, at the start of a slot.
  std::uint64_t put(std::uint32_t size, std::uint64_t nonzero_at = 0) {
    const std::uint64_t at = world.slot();
    std::vector<unsigned char> bytes(1024, 0);
    std::memcpy(bytes.data(), &size, 4);
    if (nonzero_at != 0) bytes[nonzero_at] = 1;
    world.user.copy_to_user(at, bytes.data(), bytes.size());
    return at;
  }
  World world;
};

// What each ioctl says to a struct of zeros: its own first complaint, which proves that the handler was reached.
int answer_to_zeros(std::uint32_t command) {
  switch (command) {
    case uapi::kIommuIoasAlloc:
    case uapi::kIommuIoasChangeProcess:
    case uapi::kIommuFaultQueueAlloc:
      return 0;
    case uapi::kIommuIoasMap:
    case uapi::kIommuIoasMapFile:
    case uapi::kIommuIoasCopy:
      return -EINVAL;
    case uapi::kIommuVfioIoas:
      return -ENODEV;
    case uapi::kIommuOption:
      return -EPERM;
    case uapi::kIommuViommuAlloc:
    case uapi::kIommuVeventqAlloc:
    case uapi::kIommuHwQueueAlloc:
      return -EOPNOTSUPP;
    default:
      return -ENOENT;
  }
}

TEST_F(DispatchTest, EverySizeOfEveryStruct) {
  for (const uapi::IoctlRow& row : uapi::kIommuIoctls) {
    SCOPED_TRACE(row.name);
    const int zeros = answer_to_zeros(row.command);
    for (std::uint32_t size = 0; size < row.min_size; ++size) EXPECT_EQ(raw(row.command, put(size)), -EINVAL) << size;
    for (std::uint32_t size = row.min_size; size <= row.struct_size + 300; ++size)
      EXPECT_EQ(raw(row.command, put(size)), zeros) << size;
    for (std::uint32_t tail = 0; tail < 300; tail += tail < 20 ? 1 : 47) {
      const std::uint32_t nonzero = row.struct_size + tail;
      EXPECT_EQ(raw(row.command, put(nonzero + 1, nonzero)), -E2BIG) << tail;
      EXPECT_EQ(raw(row.command, put(nonzero, nonzero)), zeros) << "a byte beyond the stated size does not count";
    }
  }
}

TEST_F(DispatchTest, EveryBadPointer) {
  for (const uapi::IoctlRow& row : uapi::kIommuIoctls) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(raw(row.command, kNowhere), -EFAULT);
    const std::uint64_t end = kArguments + 64 * kPage;  // nothing is mapped behind
    EXPECT_EQ(raw(row.command, end - 3), -EFAULT) << "not even the size can be read";
    const std::uint32_t size = row.struct_size;
    ASSERT_EQ(world.user.copy_to_user(end - 4, &size, 4), 0);
    EXPECT_EQ(raw(row.command, end - 4), -EFAULT) << "the rest cannot be read";
    const std::uint32_t too_long = row.struct_size + 5000;
    const std::uint64_t at = end - 1024;
    std::vector<unsigned char> zeros(1024, 0);
    world.user.copy_to_user(at, zeros.data(), zeros.size());
    world.user.copy_to_user(at, &too_long, 4);
    EXPECT_EQ(raw(row.command, at), -EFAULT) << "the tail cannot be read";
    const std::uint32_t too_short = row.min_size - 1;
    ASSERT_EQ(world.user.copy_to_user(end - 4, &too_short, 4), 0);
    EXPECT_EQ(raw(row.command, end - 4), -EINVAL) << "the size is judged first";
  }
}

TEST_F(DispatchTest, NumbersOutsideOfTheTable) {
  EXPECT_EQ(raw(0x3B7F, kNowhere), -ENOTTY) << "step 1 looks at no argument";
  EXPECT_EQ(raw(0x3B95, kNowhere), -ENOTTY);
  EXPECT_EQ(raw(0x3BA0, kNowhere), -ENOTTY);
  EXPECT_EQ(raw(0xC0083B80, put(8)), -ENOTTY) << "direction and size bits";
  EXPECT_EQ(raw(0x80, put(8)), -ENOTTY) << "another type";
  EXPECT_EQ(raw(0xC0083B80, kNowhere), -EFAULT);
}

TEST_F(DispatchTest, TheReplyIsCutToTheUsersSize) {
  const ObjectId ioas = world.ioas();
  const ObjectId device = world.bound(world.device);
  uapi::IommuHwptAlloc argument{24, 0, device, ioas, 0, 0, 0, 0, 0, 0, 0};
  const std::uint64_t at = world.slot();
  std::vector<unsigned char> guard(64, 0xAA);
  world.user.copy_to_user(at, guard.data(), guard.size());
  world.user.copy_to_user(at, &argument, 24);
  ASSERT_EQ(raw(uapi::kIommuHwptAlloc, at), 0);
  std::vector<unsigned char> back(64);
  world.user.copy_from_user(back.data(), at, back.size());
  ObjectId hwpt = 0;
  std::memcpy(&hwpt, &back[16], 4);
  EXPECT_EQ(hwpt, 3U);
  EXPECT_EQ(std::vector<unsigned char>(back.begin() + 24, back.end()), std::vector<unsigned char>(40, 0xAA));
  EXPECT_EQ(device_unbind(*world.context, device), 0);
}

// R1.2: nothing fails after the publication.
TEST_F(DispatchTest, AFailedReplyTakesBackWhatWasMade) {
  const ObjectId ioas = world.ioas();
  const ObjectId device = world.bound(world.device);
  ASSERT_NE(world.attached(device, ioas), 0U);
  world.process.set_hook([](ProcessCall call, std::uint64_t) { return call == ProcessCall::kCopyToUser ? EFAULT : 0; });
  ObjectId unused = 0;
  EXPECT_EQ(world.ioas_alloc(unused), EFAULT);
  EXPECT_EQ(world.ioas_map(ioas, kHeap, 4 * kPage, 0x10000), EFAULT);
  EXPECT_EQ(world.pages_held(), 0U) << "the mapping is gone again";
  world.process.set_hook({});
  EXPECT_EQ(world.ioas(), 4U) << "no id was lost";
  EXPECT_EQ(world.ioas_map(ioas, kHeap, 4 * kPage, 0x10000), 0);
  EXPECT_EQ(device_detach(*world.context, device), 0);
  EXPECT_EQ(device_unbind(*world.context, device), 0);
}

TEST_F(DispatchTest, DestroyWritesNothing) {
  const ObjectId ioas = world.ioas();
  world.process.set_hook([](ProcessCall call, std::uint64_t) { return call == ProcessCall::kCopyToUser ? EFAULT : 0; });
  EXPECT_EQ(world.destroy(ioas), 0);
}

TEST(Dispatch, AnObserverSeesEveryCallFromBothSides) {
  Recorder recorder;
  World world({}, &recorder);
  const ObjectId ioas = world.ioas();
  EXPECT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x4000), 0);
  EXPECT_EQ(world.ioas_map(ioas, kHeap, kPage, 0x4000), EEXIST);
  EXPECT_EQ(recorder.map.iova, 0x4000U);
  EXPECT_EQ(world.context->ioctl(world.process, 0x3B00, 0), -ENOTTY);
  EXPECT_EQ(recorder.begun, recorder.ended);
  EXPECT_EQ(recorder.results, (std::vector<int>{0, 0, -EEXIST, -ENOTTY}));
}

// Parts that a machine may lack: a command of builds for tests, and the emulation of a VFIO container.
struct EchoCommand {
  std::uint32_t size, in, out;
};
int handle_echo(Call& call, void* argument) {
  auto& echo = *static_cast<EchoCommand*>(argument);
  if (echo.in == 0) return EINVAL;
  echo.out = echo.in;
  if (echo.in == 2) call.reply_with(uapi::Reply::kNothing);
  if (echo.in == 3) call.set_result(33);
  return 0;
}
constexpr ExtraIoctl kEcho = {
    {uapi::iommu_command(0xA0), "Echo", "EchoCommand", sizeof(EchoCommand), 8, uapi::Reply::kStruct, "tells it again"},
    handle_echo};

TEST_F(DispatchTest, ATestCommandIsARowOfTheTable) {
  EchoCommand echo{0, 1, 0};
  const std::uint32_t command = kEcho.row.command;
  EXPECT_EQ(world.call(command, echo), ENOTTY);
  EXPECT_EQ(raw(command, kNowhere), -ENOTTY) << "outside of the table";
  world.host.extra = &kEcho;
  EXPECT_EQ(raw(command, kNowhere), -EFAULT);
  EXPECT_EQ(raw(uapi::iommu_command(0x9F), kNowhere), -EFAULT) << "an empty slot of the longer table";
  EXPECT_EQ(raw(uapi::iommu_command(0x9F), put(8)), -ENOTTY);
  EXPECT_EQ(raw(uapi::iommu_command(0xA1), kNowhere), -ENOTTY);
  EXPECT_EQ(raw(command, put(7)), -EINVAL);
  EXPECT_EQ(raw(command, put(16, 12)), -E2BIG);
  EXPECT_EQ(world.call(command, echo), 0);
  EXPECT_EQ(echo.out, 1U);
  echo = {0, 2, 0};
  EXPECT_EQ(world.call(command, echo), 0);
  EXPECT_EQ(echo.out, 0U) << "nothing came back";
  echo = {0, 3, 0};
  EXPECT_EQ(world.call(command, echo), -33) << "what is more than 0 is what the program gets";
  echo = {0, 0, 0};
  EXPECT_EQ(world.call(command, echo), EINVAL);
}

TEST_F(DispatchTest, NumbersOutsideOfTheTableAreTheContainers) {
  struct Container final : OuterIoctls {
    int ioctl(Context&, hal::Process&, std::uint32_t command, std::uint64_t arg) override {
      if (command == 0x3B65) throw std::bad_alloc();
      return command == 0x3B64 ? static_cast<int>(arg) : -ENOTTY;
    }
  } container;
  EXPECT_EQ(raw(0x3B64, 7), -ENOTTY);
  world.host.outer = &container;
  EXPECT_EQ(raw(0x3B64, 7), 7);
  EXPECT_EQ(raw(0x3B65, 7), -ENOMEM);
  EXPECT_EQ(raw(0x3BFF, 7), -ENOTTY);
  EXPECT_EQ(raw(uapi::iommu_command(0x95), kNowhere), -ENOTTY) << "just beyond the table";
}

}  // namespace
}  // namespace iommusim::iommufd
