// SPDX-License-Identifier: Apache-2.0
#include "tlm/payload_pool.h"

#include <gtest/gtest.h>

namespace iommusim::bus {
namespace {

TEST(PayloadPool, AllocatesOnlyForMoreInFlightThanEver) {
  PayloadPool pool(64);
  PooledPayload& first = pool.take();
  PooledPayload& second = pool.take();
  EXPECT_EQ(pool.allocated(), 2U);
  first.release();
  second.release();
  EXPECT_EQ(pool.in_use(), 0U);
  for (int i = 0; i < 100; ++i) pool.take().release();
  EXPECT_EQ(pool.allocated(), 2U);
}

TEST(PayloadPool, ComesBackWithTheLastReferenceOnly) {
  PayloadPool pool;
  PooledPayload& payload = pool.take();
  payload.acquire();
  payload.release();
  EXPECT_EQ(pool.in_use(), 1U);
  payload.release();
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(PayloadPool, NothingOfThePastIsLeft) {
  PayloadPool pool(8);
  PooledPayload& used = pool.take();
  used.dma.device = base::DeviceId(7);
  used.dma.response = translate::Response::kCompleterAbort;
  used.dma.push_hop(3);
  used.atomic.bytes = 8;
  used.poison.poisoned = true;
  used.set_response_status(::tlm::TLM_OK_RESPONSE);
  used.release();
  PooledPayload& fresh = pool.take();
  ASSERT_EQ(&fresh, &used);
  EXPECT_EQ(&dma_of(fresh), &fresh.dma);
  EXPECT_EQ(fresh.dma.device, base::DeviceId(0));
  EXPECT_EQ(fresh.dma.response, translate::Response::kSuccess);
  EXPECT_THROW(fresh.dma.pop_hop(), base::Contradiction);
  EXPECT_EQ(fresh.get_extension<AtomicExtension>()->bytes, 0);
  EXPECT_FALSE(fresh.get_extension<PoisonExtension>()->poisoned);
  EXPECT_EQ(fresh.get_response_status(), ::tlm::TLM_INCOMPLETE_RESPONSE);
  fresh.release();
}

TEST(DmaExtension, HopsComeBackInReverse) {
  DmaExtension dma;
  dma.push_hop(4);
  dma.push_hop(9);
  EXPECT_EQ(dma.pop_hop(), 9U);
  EXPECT_EQ(dma.pop_hop(), 4U);
  Payload bare;
  EXPECT_THROW(dma_of(bare), base::Contradiction);
}

}  // namespace
}  // namespace iommusim::bus
