// SPDX-License-Identifier: Apache-2.0
#include "iommufd/dma_ownership.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "hal/contradiction.h"
#include "hal/thread_os.h"

namespace iommusim::iommufd {
namespace {

TEST(DmaOwnership, OneOwnerAtATimeAsOftenAsItLikes) {
  hal::ThreadOs os;
  DmaOwnership ownership(os);
  const domain::Group group;
  const domain::Group other;
  const int a = 0;
  const int b = 0;
  EXPECT_EQ(ownership.claim(group, &a), 0);
  EXPECT_EQ(ownership.claim(group, &a), 0);
  EXPECT_EQ(ownership.claim(group, &b), EBUSY);
  EXPECT_EQ(ownership.claim(other, &b), 0);
  ownership.release(group);
  EXPECT_EQ(ownership.claim(group, &b), EBUSY);
  ownership.release(group);
  EXPECT_EQ(ownership.claim(group, &b), 0);
}

}  // namespace
}  // namespace iommusim::iommufd
