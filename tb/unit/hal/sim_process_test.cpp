// SPDX-License-Identifier: Apache-2.0
// SimProcess: permissions, pins that outlive their area, the locked-memory limit.
#include "hal/sim_process.h"

#include <cerrno>

#include "hal/buddy_frames.h"
#include "hal/contradiction.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"

namespace iommusim::hal {
namespace {

struct SimProcessTest : ::testing::Test {
  ThreadOs os;
  SparseMemory memory;
  BuddyFrames frames{os, memory, 0x100000, 0x100000};
  SimProcess process{os, memory, frames, 10};
};

TEST_F(SimProcessTest, CopiesAcrossPagesOfBothKinds) {
  ASSERT_EQ(process.map_linear(0x10000, 0x1000, 0x8000000, kUserRead | kUserWrite), 0);
  ASSERT_EQ(process.map_frames(0x11000, 0x2000, kUserRead | kUserWrite), 0);
  const std::string text = "crosses the border";
  ASSERT_EQ(process.copy_to_user(0x10FF8, text.data(), text.size()), 0);
  std::string back(text.size(), ' ');
  ASSERT_EQ(process.copy_from_user(back.data(), 0x10FF8, back.size()), 0);
  EXPECT_EQ(back, text);
  memory.read(0x8000FF8, back.data(), 8);
  EXPECT_EQ(back.substr(0, 8), text.substr(0, 8));
}

TEST_F(SimProcessTest, HolesAndPermissionsAreFaults) {
  ASSERT_EQ(process.map_frames(0x10000, 0x1000, kUserRead), 0);
  std::uint64_t word = 0;
  std::uint64_t spa = 0;
  EXPECT_EQ(process.copy_from_user(&word, 0x10FF8, 8), 0);
  EXPECT_EQ(process.copy_from_user(&word, 0x10FFC, 8), EFAULT);
  EXPECT_EQ(process.copy_to_user(0x10000, &word, 8), EFAULT);
  EXPECT_EQ(process.pin_page(0x10000, true, spa), EFAULT);
  EXPECT_EQ(process.pin_page(0x20000, false, spa), EFAULT);
  EXPECT_EQ(process.pinned_pages(), 0U);
}

TEST_F(SimProcessTest, AreasMustNotOverlap) {
  ASSERT_EQ(process.map_frames(0x10000, 0x4000, kUserRead), 0);
  EXPECT_EQ(process.map_frames(0x13000, 0x1000, kUserRead), EEXIST);
  EXPECT_EQ(process.map_frames(0xF000, 0x2000, kUserRead), EEXIST);
  EXPECT_EQ(process.map_frames(0x14000, 0x1000, kUserRead), 0);
  EXPECT_EQ(process.map_frames(0x14800, 0x1000, kUserRead), EINVAL);
}

TEST_F(SimProcessTest, APinnedPageOutlivesItsArea) {
  ASSERT_EQ(process.map_frames(0x10000, 0x2000, kUserRead | kUserWrite), 0);
  std::uint64_t spa = 0;
  std::uint64_t same = 0;
  ASSERT_EQ(process.pin_page(0x10000, true, spa), 0);
  ASSERT_EQ(process.pin_page(0x10000, false, same), 0);
  EXPECT_EQ(spa, same);
  EXPECT_EQ(process.pinned_pages(), 1U);
  const char byte = 1;
  ASSERT_EQ(process.copy_to_user(0x11000, &byte, 1), 0);
  EXPECT_EQ(frames.frames_in_use(), 2U);
  process.unmap(0x10000, 0x2000);
  EXPECT_EQ(frames.frames_in_use(), 1U);
  process.unpin_page(spa);
  EXPECT_EQ(frames.frames_in_use(), 1U);
  process.unpin_page(spa);
  EXPECT_EQ(frames.frames_in_use(), 0U);
  EXPECT_THROW(process.unpin_page(spa), Contradiction);
}

TEST_F(SimProcessTest, TheLockedLimitIsExact) {
  EXPECT_EQ(process.charge_locked(10, LockedAccount::kUser), 0);
  EXPECT_EQ(process.charge_locked(1, LockedAccount::kUser), ENOMEM);
  process.uncharge_locked(1, LockedAccount::kUser);
  EXPECT_EQ(process.charge_locked(1, LockedAccount::kUser), 0);
  EXPECT_EQ(process.locked_pages(), 10U);
  EXPECT_THROW(process.uncharge_locked(11, LockedAccount::kUser), Contradiction);
}

TEST_F(SimProcessTest, AccountsAreApartAndAllCountAsPinned) {
  EXPECT_EQ(process.charge_locked(10, LockedAccount::kUser), 0);
  EXPECT_EQ(process.charge_locked(10, LockedAccount::kMm), 0);
  EXPECT_EQ(process.charge_locked(1, LockedAccount::kMm), ENOMEM);
  EXPECT_EQ(process.charge_locked(1000, LockedAccount::kNone), 0);
  EXPECT_EQ(process.locked_pages(), 20U);
  EXPECT_EQ(process.mm_locked_pages(), 10U);
  EXPECT_EQ(process.mm_pinned_pages(), 1020U);
  process.uncharge_locked(1000, LockedAccount::kNone);
  process.uncharge_locked(10, LockedAccount::kMm);
  process.uncharge_locked(10, LockedAccount::kUser);
  EXPECT_EQ(process.mm_pinned_pages(), 0U);
}

TEST_F(SimProcessTest, ProcessesOfOneUserShareItsAccount) {
  const auto user = std::make_shared<SimUser>();
  SimProcess one(os, memory, frames, 10, user);
  SimProcess two(os, memory, frames, 10, user);
  EXPECT_EQ(one.user_identity(), two.user_identity());
  EXPECT_NE(one.mm_identity(), two.mm_identity());
  EXPECT_EQ(one.charge_locked(6, LockedAccount::kUser), 0);
  EXPECT_EQ(two.charge_locked(5, LockedAccount::kUser), ENOMEM);
  EXPECT_EQ(two.charge_locked(10, LockedAccount::kMm), 0);
  two.uncharge_locked(10, LockedAccount::kMm);
  one.uncharge_locked(6, LockedAccount::kUser);
  EXPECT_EQ(user->locked_pages, 0U);
}

TEST_F(SimProcessTest, PinsManyPagesUpToTheFirstThatIsMissing) {
  ASSERT_EQ(process.map_frames(0x10000, 0x2000, kUserRead), 0);
  ASSERT_EQ(process.map_linear(0x12000, 0x2000, 0x5000000, kUserRead), 0);
  std::uint64_t spas[5] = {};
  std::uint64_t pinned = 9;
  EXPECT_EQ(process.pin_pages(0x10000, 5, false, spas, pinned), EFAULT);
  EXPECT_EQ(pinned, 4U);
  EXPECT_EQ(process.pinned_pages(), 4U);
  EXPECT_EQ(spas[3], 0x5001000U);
  std::uint64_t pins = 0;
  EXPECT_EQ(process.pins_of_page(0x13000, pins), 0);
  EXPECT_EQ(pins, 1U);
  EXPECT_EQ(process.pins_of_page(0x14000, pins), EFAULT);
  process.unpin_pages(spas, 4);
  EXPECT_EQ(process.pinned_pages(), 0U);
  EXPECT_EQ(process.pin_pages(0x10000, 1, true, spas, pinned), EFAULT);
}

}  // namespace
}  // namespace iommusim::hal
