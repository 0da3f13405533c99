// SPDX-License-Identifier: Apache-2.0
#include "timing/cache.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <list>

namespace iommusim::timing {
namespace {

struct NumberKey {
  std::uint64_t number = 0;
  std::uint64_t hash() const { return mix(number); }
  std::uint64_t index() const { return number; }
  std::uint64_t space() const { return 0; }
  friend bool operator==(NumberKey a, NumberKey b) { return a.number == b.number; }
};
using NumberCache = Cache<NumberKey, int>;

CacheParams geometry(std::uint32_t entries, std::uint32_t ways, Policy policy = Policy::kLru) {
  CacheParams params;
  params.entries = entries;
  params.ways = ways;
  params.policy = policy;
  return params;
}

TEST(Cache, HoldsWhatWasInserted) {
  NumberCache cache(geometry(8, 2), 0, "test");
  cache.insert({5}, 50, [](const auto&) {});
  ASSERT_NE(cache.find({5}), nullptr);
  EXPECT_EQ(cache.find({5})->value, 50);
  EXPECT_EQ(cache.find({6}), nullptr);
  cache.insert({5}, 51, [](const auto&) { FAIL() << "the same key was replaced, nothing gave way"; });
  EXPECT_EQ(cache.find({5})->value, 51);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(Cache, EvictsWithinTheSet) {
  NumberCache cache(geometry(8, 2), 0, "test");  // 4 sets
  std::uint64_t gone = 0;
  const auto note = [&](const auto& entry) { gone = entry.key.number; };
  EXPECT_FALSE(cache.insert({0}, 0, note));
  EXPECT_FALSE(cache.insert({4}, 0, note));
  EXPECT_FALSE(cache.insert({1}, 0, note));
  cache.touch(*cache.find({0}));
  EXPECT_TRUE(cache.insert({8}, 0, note));
  EXPECT_EQ(gone, 4U);
  EXPECT_NE(cache.find({1}), nullptr);
}

TEST(Cache, AReservedWayIsFreeForTheFillThatComes) {
  NumberCache cache(geometry(4, 2), 0, "test");  // 2 sets
  std::vector<std::uint64_t> gone;
  const auto note = [&](const auto& entry) { gone.push_back(entry.key.number); };
  cache.insert({0}, 0, note);
  EXPECT_EQ(cache.reserve({2}, note), NumberCache::Reserved::kFree) << "an invalid way is there";
  EXPECT_EQ(cache.reserve({4}, note), NumberCache::Reserved::kEvicted) << "but one only";
  EXPECT_EQ(gone, (std::vector<std::uint64_t>{0}));
  EXPECT_EQ(cache.reserve({6}, note), NumberCache::Reserved::kNone) << "nobody is left";
  EXPECT_EQ(cache.reserve({1}, note), NumberCache::Reserved::kFree) << "the other set";
  cache.unreserve({2});
  EXPECT_FALSE(cache.insert({2}, 0, note));
  cache.unreserve({4});
  EXPECT_FALSE(cache.insert({4}, 0, note));
  EXPECT_EQ(gone.size(), 1U);
  EXPECT_EQ(cache.reserve({6}, note), NumberCache::Reserved::kEvicted);
  EXPECT_EQ(gone, (std::vector<std::uint64_t>{0, 2})) << "the least recently used";
}

TEST(Cache, WithoutEntriesHoldsNothing) {
  NumberCache cache(geometry(0, 0), 0, "test");
  EXPECT_FALSE(cache.enabled());
  EXPECT_FALSE(cache.insert({1}, 1, [](const auto&) {}));
  EXPECT_EQ(cache.find({1}), nullptr);
}

TEST(Cache, RefusesWaysThatDoNotDivide) { EXPECT_THROW(NumberCache(geometry(10, 4), 0, "iotlb"), base::InputError); }

/// A fully associative LRU cache with removals behaves as the obvious list, at few and at many ways.
RC_GTEST_PROP(CacheLaw, FullyAssociativeLruIsAList, ()) {
  const auto entries = *rc::gen::inRange<std::uint32_t>(1, 40);
  NumberCache cache(geometry(entries, 0), 0, "test");
  std::list<std::uint64_t> model;  // most recent first
  const auto steps = *rc::gen::container<std::vector<std::pair<int, std::uint64_t>>>(
      300, rc::gen::pair(rc::gen::inRange(0, 10), rc::gen::inRange<std::uint64_t>(0, 60)));
  for (const auto& [what, number] : steps) {
    const auto at = std::find(model.begin(), model.end(), number);
    auto* const entry = cache.find({number});
    RC_ASSERT((entry != nullptr) == (at != model.end()));
    if (what == 0) {
      const std::uint64_t divisor = number % 7 + 2;
      const auto removed = cache.remove_if([&](const NumberKey& key, int) { return key.number % divisor == 0; });
      const auto before = model.size();
      model.remove_if([&](std::uint64_t n) { return n % divisor == 0; });
      RC_ASSERT(removed == before - model.size());
    } else if (entry != nullptr) {
      cache.touch(*entry);
      model.splice(model.begin(), model, at);
    } else {
      std::uint64_t gone = ~0ULL;
      const bool evicted = cache.insert({number}, 0, [&](const auto& old) { gone = old.key.number; });
      RC_ASSERT(evicted == (model.size() == entries));
      if (evicted) {
        RC_ASSERT(gone == model.back());
        model.pop_back();
      }
      model.push_front(number);
    }
    RC_ASSERT(cache.size() == model.size());
  }
}

}  // namespace
}  // namespace iommusim::timing
