// SPDX-License-Identifier: Apache-2.0
#include "dma/call.h"

#include <gtest/gtest.h>

#include "hal/thread_os.h"

namespace iommusim::dma {
namespace {

TEST(DmaCall, CountsItsTime) {
  hal::ThreadOs os;
  Count time;
  {
    const Call call(os, 0, time);
    os.sleep_ns(1'000'000);
  }
  EXPECT_GE(time.value(), 1'000'000U);
}

}  // namespace
}  // namespace iommusim::dma
