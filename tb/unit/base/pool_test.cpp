// SPDX-License-Identifier: Apache-2.0
// The pool: addresses stay, slots are reused afresh, and a dead handle stops the run.
#include "base/pool.h"

#include <gtest/gtest.h>

#include <string>

namespace iommusim::base {
namespace {

TEST(Pool, AHandleNamesItsObject) {
  Pool<std::string> pool;
  const auto a = pool.take();
  const auto b = pool.take();
  pool.get(a) = "a";
  pool.get(b) = "b";
  EXPECT_EQ(pool.get(a), "a");
  EXPECT_EQ(pool.get(b), "b");
  EXPECT_NE(a, b);
  EXPECT_EQ(pool.in_use(), 2U);
}

TEST(Pool, NoHandleIsNone) {
  Pool<int> pool;
  EXPECT_TRUE(static_cast<bool>(pool.take()));
  EXPECT_FALSE(static_cast<bool>(Handle<int>{}));
  EXPECT_THROW(pool.get(Handle<int>{}), Contradiction);
}

TEST(Pool, AReusedSlotIsFreshAndTheOldHandleIsDead) {
  Pool<int> pool;
  const auto old = pool.take();
  pool.get(old) = 7;
  pool.give_back(old);
  EXPECT_THROW(pool.get(old), Contradiction);
  const auto fresh = pool.take();
  EXPECT_EQ(fresh.index, old.index);
  EXPECT_EQ(pool.get(fresh), 0);
  EXPECT_THROW(pool.get(old), Contradiction);
  EXPECT_THROW(pool.give_back(old), Contradiction);
  EXPECT_EQ(pool.in_use(), 1U);
}

TEST(Pool, AddressesStayWhileItGrows) {
  Pool<int> pool;
  const auto first = pool.take();
  const int* address = &pool.get(first);
  for (int i = 0; i < 5000; ++i) (void)pool.take();
  EXPECT_EQ(&pool.get(first), address);
}

TEST(Pool, VisitsWhatIsInUseOnly) {
  Pool<int> pool;
  const auto a = pool.take();
  const auto b = pool.take();
  const auto c = pool.take();
  pool.get(a) = 1;
  pool.get(c) = 3;
  pool.give_back(b);
  int sum = 0;
  pool.for_each([&](Handle<int> handle, int& value) {
    EXPECT_EQ(pool.get(handle), value);
    sum = 10 * sum + value;
  });
  EXPECT_EQ(sum, 13);
}

}  // namespace
}  // namespace iommusim::base
