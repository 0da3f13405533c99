// SPDX-License-Identifier: Apache-2.0
#include "platform/user_port.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "hal/buddy_frames.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"

namespace iommusim::platform {
namespace {

constexpr std::uint64_t kUserMemory = 1ULL << 39, kBuffer = 0x40000, kDriverIova = 0x200000;

struct UserPortTest : ::testing::Test {
  hal::ThreadOs os;
  hal::SparseMemory memory;
  hal::BuddyFrames frames{os, memory, 1 << 20, 1 << 24};
  iommufd::Host host{os, memory};
  stats::Group root{"system"};
  SoftwareStats stats{root, "software"};
  UserProgram program{os, memory, frames, host, stats, kUserMemory, 1ULL << 30};
  std::uint32_t ioas = 0;
  std::unique_ptr<UserPort> port;

  UserPort& open(std::uint32_t spread = 1) {
    EXPECT_EQ(program.ioas_alloc(ioas), 0);
    port = std::make_unique<UserPort>(os, memory, program, ioas, kBuffer, kDriverIova, spread);
    return *port;
  }
  std::uint64_t map(std::uint64_t offset, std::uint64_t bytes) {
    std::uint64_t iova = 0;
    EXPECT_EQ(port->map(offset, bytes, 0, 0, iova), 0);
    return iova;
  }
};

TEST_F(UserPortTest, OffsetsAreThoseOfItsOwnMemory) {
  open();
  const std::uint64_t word = 0x1234;
  port->write(0x18, &word, 8);
  EXPECT_EQ(memory.load64(program.buffers() + kBuffer + 0x18), word);
  std::uint64_t read = 0;
  port->read(0x18, &read, 8);
  EXPECT_EQ(read, word);
}

TEST_F(UserPortTest, DriverIovaIsTheFirstAndOthersFollow) {
  open();
  EXPECT_EQ(map(0, 4096), kDriverIova);
  EXPECT_EQ(map(4096, 8192), kDriverIova + 4096);
  EXPECT_EQ(map(0x10000, 4096), kDriverIova + 3 * 4096);
}

/// n pages are followed by n x (spread - 1) that stay empty: the last of these is free, the page behind is not.
TEST_F(UserPortTest, DriverSpreadPutsMappingsApart) {
  open(4);
  EXPECT_EQ(map(0, 8192), kDriverIova);
  EXPECT_EQ(map(8192, 4096), kDriverIova + 8 * 4096);
  EXPECT_EQ(map(12288, 4096), kDriverIova + 12 * 4096);
  EXPECT_EQ(program.ioas_unmap(ioas, kDriverIova + 2 * 4096, 6 * 4096), -ENOENT) << "empty";
}

TEST_F(UserPortTest, IovasOfALengthComeBackInTheOrderInWhichTheyWereFreed) {
  open();
  const std::uint64_t a = map(0, 4096), b = map(4096, 4096), two = map(8192, 8192);
  port->unmap(b, 4096, 0);
  port->unmap(two, 8192, 0);
  port->unmap(a, 4096, 0);
  EXPECT_EQ(map(0, 4096), b);
  EXPECT_EQ(map(4096, 8192), two) << "lengths are apart";
  EXPECT_EQ(map(16384, 4096), a);
  EXPECT_EQ(map(20480, 4096), two + 8192) << "a new one";
}

/// What cannot be mapped is reported; its IOVA is the next one's.
TEST_F(UserPortTest, AFailedMapLosesNoIova) {
  open();
  ASSERT_EQ(program.destroy(ioas), 0);
  std::uint64_t iova = 0;
  EXPECT_EQ(port->map(0, 4096, 0, 0, iova), ENOENT);
  EXPECT_EQ(port->map(0, 4096, 0, 0, iova), ENOENT);
  EXPECT_EQ(iova, kDriverIova);
}

}  // namespace
}  // namespace iommusim::platform
