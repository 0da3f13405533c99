// SPDX-License-Identifier: Apache-2.0
#include "tlm/iommu_messages.h"

#include <gtest/gtest.h>

#include "tlm/payload_pool.h"

namespace iommusim::bus {
namespace {

translate::DeviceMessage invalidation(std::uint16_t rid, std::uint8_t itag) {
  translate::DeviceMessage message;
  message.function.rid = rid;
  message.itag = itag;
  return message;
}

struct IommuMessagesTest : ::testing::Test {
  PooledPayload& credit(std::uint32_t device) {
    PooledPayload& payload = pool.take();
    payload.dma.device = base::DeviceId(device);
    payload.dma.type = translate::AddressType::kMessage;
    return payload;
  }
  stats::Group root{"root"};
  PayloadPool pool;
  IommuMessages messages{100, root, "messages"};
  IommuMessages::Delivery delivery;
};

TEST_F(IommuMessagesTest, CreditsAreUsedInOrderAndByFunction) {
  PooledPayload &first = credit(7), &second = credit(7), &other = credit(8);
  messages.give_credit(0, first, nullptr);
  messages.give_credit(0, second, nullptr);
  messages.give_credit(3, other, nullptr);
  ASSERT_TRUE(messages.send(invalidation(8, 0), 0, delivery));
  EXPECT_EQ(delivery.answer, &other);
  EXPECT_EQ(delivery.port, 3U);
  ASSERT_TRUE(messages.send(invalidation(7, 1), 0, delivery));
  EXPECT_EQ(delivery.answer, &first);
  ASSERT_TRUE(messages.send(invalidation(7, 2), 0, delivery));
  EXPECT_EQ(delivery.answer, &second);
  EXPECT_EQ(second.message.message.itag, 2);
  EXPECT_FALSE(messages.send(invalidation(7, 3), 0, delivery)) << "it exists, but has no credit";
  ASSERT_TRUE(messages.send(invalidation(9, 3), 0, delivery));
  EXPECT_EQ(delivery.answer, nullptr) << "it does not exist";
}

TEST_F(IommuMessagesTest, AtsTimeOutNsOfTagsOneByOneAndOnlyWhileOutstanding) {
  ASSERT_TRUE(messages.send(invalidation(9, 3), 0, delivery));
  ASSERT_TRUE(messages.send(invalidation(9, 5), 40, delivery));
  EXPECT_EQ(messages.next_time_out(1U << 3 | 1U << 5), 100U);
  EXPECT_EQ(messages.next_time_out(1U << 5), 140U);
  EXPECT_EQ(messages.take_timed_out(1U << 3 | 1U << 5, 99), 0U);
  EXPECT_EQ(messages.take_timed_out(1U << 3 | 1U << 5, 100), 1U << 3);
  EXPECT_EQ(messages.take_timed_out(0, 140), 0U) << "completed meanwhile";
  EXPECT_EQ(messages.next_time_out(1U << 5), kNever);
}

TEST_F(IommuMessagesTest, TheSenderOfAPageRequestIsWhoSentIt) {
  PooledPayload& payload = credit(0x21234);
  payload.message.page_request.function.rid = 1;
  const translate::PageRequest request = messages.page_request(payload);
  EXPECT_EQ(request.function.device_id(), base::DeviceId(0x21234));
  EXPECT_TRUE(request.function.segment_valid);
}

TEST_F(IommuMessagesTest, ACompletionInTheNameOfAnotherIsIgnored) {
  PooledPayload& payload = credit(7);
  translate::InvalidationCompletion completion;
  payload.message.completion.function.rid = 7;
  EXPECT_TRUE(messages.completion(payload, completion));
  payload.message.completion.function.rid = 8;
  EXPECT_FALSE(messages.completion(payload, completion));
}

}  // namespace
}  // namespace iommusim::bus
