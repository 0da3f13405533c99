// SPDX-License-Identifier: Apache-2.0
#include "platform/user_program.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "hal/buddy_frames.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"
#include "platform/address_map.h"
#include "uapi/ioctls.h"

namespace iommusim::platform {
namespace {

struct UserProgramTest : ::testing::Test {
  hal::ThreadOs os;
  hal::SparseMemory memory;
  hal::BuddyFrames frames{os, memory, 1 << 20, 1 << 24};
  iommufd::Host host{os, memory};
  stats::Group root{"system"};
  SoftwareStats stats{root, "software"};
  UserProgram program{os, memory, frames, host, stats, 1ULL << 39, 1ULL << 30};
};

TEST_F(UserProgramTest, MakesItsCallsThroughItsOwnMemory) {
  std::uint32_t ioas = 0;
  ASSERT_EQ(program.ioas_alloc(ioas), 0);
  EXPECT_NE(ioas, 0U);
  EXPECT_EQ(program.ioas_map(ioas, 0x10000, kBufferVa, 8192), 0);
  EXPECT_EQ(program.ioas_map(ioas, 0x11000, kBufferVa, 4096), -EEXIST);
  EXPECT_EQ(program.ioas_unmap(ioas, 0x10000, 4096), -ENOENT) << "an area goes as a whole";
  EXPECT_EQ(program.ioas_unmap(ioas, 0x10000, 8192), 0);
  EXPECT_EQ(program.destroy(ioas), 0);
  EXPECT_EQ(program.destroy(ioas), -ENOENT);
  EXPECT_EQ(program.pinned_pages(), 0U);
  EXPECT_EQ(stats.of(uapi::kIommuIoasMap).time_ns.data().count(), 2U);
}

}  // namespace
}  // namespace iommusim::platform
