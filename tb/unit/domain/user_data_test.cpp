// SPDX-License-Identifier: Apache-2.0
// How drivers read a program's data: one structure (uapi 4.1 row 15) and arrays (uapi 4.2, both ways of fetching).
#include "domain/user_data.h"

#include "hal/buddy_frames.h"
#include "hal/sim_process.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"

namespace iommusim::domain {
namespace {

constexpr std::uint64_t kAt = 0x10000;
struct Pair {
  std::uint32_t a, b;
};

struct UserDataTest : ::testing::Test {
  UserDataTest() {
    user.map_frames(kAt, 0x1000, hal::kUserRead | hal::kUserWrite);
    const std::uint32_t words[] = {1, 2, 3, 4, 5, 6};
    user.copy_to_user(kAt, words, sizeof words);
  }
  UserData data(std::uint32_t length, std::uint64_t address = kAt) { return {&user, 1, length, address}; }
  UserArray array(std::uint32_t length, std::uint32_t count, std::uint64_t address = kAt) {
    return {&user, 1, length, count, address};
  }

  hal::ThreadOs os;
  hal::SparseMemory memory;
  hal::BuddyFrames frames{os, memory, 0x1000000, 1 << 20};
  hal::SimProcess user{os, memory, frames};
};

TEST_F(UserDataTest, AStructureIsBetweenItsFirstAndItsNewestLength) {
  Pair pair{};
  EXPECT_FALSE(data(0).given());
  EXPECT_EQ(data(3).read(&pair, sizeof pair, 4), EINVAL);
  EXPECT_EQ(data(9).read(&pair, sizeof pair, 4), EINVAL);
  EXPECT_EQ(data(8, 0x5000).read(&pair, sizeof pair, 4), EFAULT);
  pair.b = 77;
  EXPECT_EQ(data(4).read(&pair, sizeof pair, 4), 0);
  EXPECT_EQ(pair.a, 1U);
  EXPECT_EQ(pair.b, 0U) << "what is missing reads as zero";
  EXPECT_EQ(data(8).read(&pair, sizeof pair, 4), 0);
  EXPECT_EQ(pair.b, 2U);
}

TEST_F(UserDataTest, AStructureIsWrittenBackAsFarAsItsLength) {
  const Pair pair{70, 80};
  EXPECT_EQ(data(4).write(&pair, sizeof pair), 0);
  Pair now{};
  EXPECT_EQ(data(8).read(&now, sizeof now, 8), 0);
  EXPECT_EQ(now.a, 70U);
  EXPECT_EQ(now.b, 2U);
  EXPECT_EQ(data(8, 0x5000).write(&pair, sizeof pair), EFAULT);
}

TEST_F(UserDataTest, OneEntryHasExactlyTheKnownLength) {
  Pair pair{};
  EXPECT_EQ(array(4, 2).read_entry(0, &pair, sizeof pair), EINVAL);
  EXPECT_EQ(array(12, 2).read_entry(0, &pair, sizeof pair), EINVAL);
  EXPECT_EQ(array(8, 2, 0x5000).read_entry(0, &pair, sizeof pair), EFAULT);
  EXPECT_EQ(array(8, 2).read_entry(1, &pair, sizeof pair), 0);
  EXPECT_EQ(pair.a, 3U);
}

TEST_F(UserDataTest, AWholeArrayIsExtendedByZerosOrEndsInZeros) {
  std::vector<Pair> pairs;
  EXPECT_EQ(array(4, 2).read_all(pairs), 0);
  EXPECT_EQ(pairs[1].a, 2U);
  EXPECT_EQ(pairs[1].b, 0U);
  EXPECT_EQ(array(12, 2).read_all(pairs), E2BIG);
  const std::uint32_t zero = 0;
  user.copy_to_user(kAt + 8, &zero, sizeof zero);
  EXPECT_EQ(array(12, 1).read_all(pairs), 0);
  EXPECT_EQ(array(8, 2, kAt + 0xFF8).read_all(pairs), EFAULT);
  EXPECT_EQ(array(8, 0xFFFFFFFF).read_all(pairs), EFAULT) << "and no memory for what is not there";
  EXPECT_EQ(array(8, 0).read_all(pairs), 0);
  EXPECT_TRUE(pairs.empty());
}

}  // namespace
}  // namespace iommusim::domain
