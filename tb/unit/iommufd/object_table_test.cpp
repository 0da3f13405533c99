// SPDX-License-Identifier: Apache-2.0
// Ids, visibility, and who may remove what.
#include "iommufd/object_table.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cerrno>
#include <set>

#include "hal/contradiction.h"
#include "hal/thread_os.h"

namespace iommusim::iommufd {
namespace {

struct Thing final : Object {
  static constexpr ObjectType kType = ObjectType::kAccess;
  explicit Thing(int* alive = nullptr) : Object(kType), alive_(alive) {
    if (alive_) ++*alive_;
  }
  ~Thing() override {
    if (alive_) --*alive_;
  }
  UsersRef<Thing> uses;
  int* alive_;
};

struct ObjectTableTest : ::testing::Test {
  ObjectId add() {
    Reservation made = table.reserve(std::make_unique<Thing>(&alive));
    made.publish();
    return made.id();
  }
  int alive = 0;
  hal::ThreadOs os{[this](const std::string& line) { log += line; }};
  std::string log;
  ObjectTable table{os, DestroyPolicy::kWait, nullptr};
};

// R1.1
TEST_F(ObjectTableTest, GivesTheLowestFreeIdFromOne) {
  for (ObjectId id = 1; id <= 4; ++id) EXPECT_EQ(add(), id);
  EXPECT_EQ(table.destroy(3), 0);
  EXPECT_EQ(table.destroy(1), 0);
  EXPECT_EQ(add(), 1U);
  EXPECT_EQ(add(), 3U);
  EXPECT_EQ(add(), 5U);
}

// R1.2
TEST_F(ObjectTableTest, AReservedObjectIsInvisibleButTakesItsId) {
  Reservation made = table.reserve(std::make_unique<Thing>(&alive));
  EXPECT_EQ(made.id(), 1U);
  EXPECT_FALSE(table.hold_any(1));
  EXPECT_EQ(table.destroy(1), ENOENT);
  EXPECT_EQ(add(), 2U);
  made.publish();
  EXPECT_TRUE(table.hold<Thing>(1));
}

TEST_F(ObjectTableTest, AnAbandonedReservationLeavesNothing) {
  { Reservation made = table.reserve(std::make_unique<Thing>(&alive)); }
  EXPECT_EQ(alive, 0);
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(add(), 1U);
}

TEST_F(ObjectTableTest, AReservedIdCountsAsTaken) {
  Reservation made = table.reserve(std::make_unique<Thing>(&alive));
  EXPECT_FALSE(table.empty());  // R1.9
}

TEST_F(ObjectTableTest, KnowsNothingOfOtherIds) {
  add();
  EXPECT_EQ(table.destroy(0), ENOENT);
  EXPECT_EQ(table.destroy(2), ENOENT);
  EXPECT_EQ(table.destroy(~0U), ENOENT);
  EXPECT_FALSE(table.hold_any(0));
}

// R1.4, R1.5
TEST_F(ObjectTableTest, AUserMakesDestroyBusy) {
  add();
  UsersRef<Thing> user = to_users(table.hold<Thing>(1));
  EXPECT_EQ(table.destroy(1), EBUSY);
  EXPECT_TRUE(table.hold_any(1)) << "it stays visible";
  UsersRef<Thing> another = user.again();
  user.drop();
  EXPECT_EQ(table.destroy(1), EBUSY);
  another.drop();
  EXPECT_EQ(table.destroy(1), 0);
  EXPECT_EQ(alive, 0);
}

// R1.5, R1.5a
TEST_F(ObjectTableTest, InThePolicyBusyACallMakesDestroyBusyToo) {
  ObjectTable busy(os, DestroyPolicy::kBusy, nullptr);
  busy.reserve(std::make_unique<Thing>(&alive)).publish();
  {
    const CallHold<Thing> call = busy.hold<Thing>(1);
    EXPECT_EQ(busy.destroy(1), EBUSY);
    EXPECT_TRUE(busy.hold_any(1));
  }
  EXPECT_EQ(busy.destroy(1), 0);
}

// R1.6
TEST_F(ObjectTableTest, WhatTheKernelOwnsIsBusyUntilItRemovesIt) {
  table.reserve(std::make_unique<Thing>(&alive)).publish_owned();
  EXPECT_EQ(table.destroy(1), EBUSY);
  EXPECT_EQ(table.remove_owned(1, ObjectType::kDevice), ENOENT);
  EXPECT_EQ(table.remove_owned(1, Thing::kType), 0);
  EXPECT_EQ(table.remove_owned(1, Thing::kType), ENOENT);
  EXPECT_EQ(alive, 0);
}

TEST_F(ObjectTableTest, ALeftoverUserOfWhatTheKernelRemovesIsAContradiction) {
  table.reserve(std::make_unique<Thing>(&alive)).publish_owned();
  UsersRef<Thing> user = to_users(table.hold<Thing>(1));
  EXPECT_THROW(table.remove_owned(1, Thing::kType), hal::Contradiction);
}

// R1.6: an automatic page table is not waited for.
TEST_F(ObjectTableTest, DropOrRemoveRemovesOnlyWithTheLastProtection) {
  add();
  UsersRef<Thing> a = to_users(table.hold<Thing>(1));
  UsersRef<Thing> b = a.again();
  table.drop_or_remove(std::move(a));
  EXPECT_EQ(alive, 1);
  {
    const CallHold<Thing> call = table.hold<Thing>(1);
    table.drop_or_remove(std::move(b));
    EXPECT_EQ(alive, 1) << "it survives, and nobody waited";
  }
  table.drop_or_remove(to_users(table.hold<Thing>(1)));
  EXPECT_EQ(alive, 0);
}

// R1.8
TEST_F(ObjectTableTest, ReleaseDestroysLeavesFirst) {
  for (int i = 0; i < 3; ++i) add();
  // 1 is used by 2, which is used by 3: only 3 can go first.
  table.hold<Thing>(2)->uses = to_users(table.hold<Thing>(1));
  table.hold<Thing>(3)->uses = to_users(table.hold<Thing>(2));
  table.release();
  EXPECT_EQ(alive, 0);
  EXPECT_TRUE(table.empty());
}

TEST_F(ObjectTableTest, ALeakAtTheEndIsAContradictionThatNamesIt) {
  add();
  UsersRef<Thing> forgotten = to_users(table.hold<Thing>(1));
  EXPECT_THROW(table.release(), hal::Contradiction);
  EXPECT_NE(log.find("ACCESS 1 (1 users, 0 calls)"), std::string::npos) << log;
  forgotten.drop();
  table.release();
  EXPECT_EQ(alive, 0);
}

RC_GTEST_PROP(ObjectTableIds, AlwaysTheLowestFree, ()) {
  hal::ThreadOs os;
  ObjectTable table(os, DestroyPolicy::kWait, nullptr);
  std::set<ObjectId> used;
  const int steps = *rc::gen::inRange(0, 80);
  for (int step = 0; step < steps; ++step) {
    if (*rc::gen::inRange(0, 3) != 0 || used.empty()) {
      ObjectId lowest = 1;
      while (used.count(lowest)) ++lowest;
      Reservation made = table.reserve(std::make_unique<Thing>());
      RC_ASSERT(made.id() == lowest);
      made.publish();
      used.insert(lowest);
    } else {
      const ObjectId victim = *rc::gen::elementOf(used);
      RC_ASSERT(table.destroy(victim) == 0);
      used.erase(victim);
    }
  }
}

// R1.7
TEST_F(ObjectTableTest, ATombstoneKeepsItsIdAndNamesNothing) {
  const ObjectId buried = add();
  EXPECT_TRUE(table.tombstone(table.hold<Thing>(buried)));
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(table.hold_any(buried));
  EXPECT_EQ(table.destroy(buried), ENOENT);
  EXPECT_EQ(add(), buried + 1);
  EXPECT_EQ(table.destroy(buried + 1), 0);
  EXPECT_EQ(add(), buried + 1) << "the number is not used again";
  EXPECT_EQ(table.destroy(buried + 1), 0);
  EXPECT_FALSE(table.empty());  // R1.9
  table.release();              // and is no leak
}

// R1.5: the mark of the compat object is no reference, and goes with it.
TEST_F(ObjectTableTest, TheCompatMarkGoesWithItsObject) {
  EXPECT_FALSE(table.hold_compat<Thing>());
  Reservation first = table.reserve(std::make_unique<Thing>(&alive));
  const ObjectId id = first.id();
  EXPECT_TRUE(table.publish_compat(std::move(first)));
  EXPECT_EQ(table.hold_compat<Thing>()->id(), id);
  {
    Reservation second = table.reserve(std::make_unique<Thing>(&alive));
    EXPECT_FALSE(table.publish_compat(std::move(second))) << "there is one";
  }
  EXPECT_EQ(alive, 1);
  EXPECT_EQ(table.destroy(id), 0);
  EXPECT_FALSE(table.hold_compat<Thing>());
  const ObjectId other = add();
  table.set_compat(table.hold_any(other).get());
  EXPECT_EQ(table.hold_compat<Thing>()->id(), other);
  table.set_compat(nullptr);
  EXPECT_FALSE(table.hold_compat<Thing>());
}

// R1.8: what the kernel owns goes with its owner, here an object with a higher id.
struct Owner final : Object {
  static constexpr ObjectType kType = ObjectType::kSelftest;
  Owner(ObjectTable& table, ObjectId owned) : Object(kType), table_(table), owned_(owned) {}
  ~Owner() override { EXPECT_EQ(table_.remove_owned(owned_, Thing::kType), 0); }
  ObjectTable& table_;
  const ObjectId owned_;
};

TEST_F(ObjectTableTest, AnOwnerRemovesWhatItOwnsAtTheEnd) {
  Reservation thing = table.reserve(std::make_unique<Thing>(&alive));
  thing.publish_owned();
  table.reserve(std::make_unique<Owner>(table, thing.id())).publish();
  table.release();
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(log, "");
}

}  // namespace
}  // namespace iommusim::iommufd
