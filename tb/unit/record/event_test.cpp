// SPDX-License-Identifier: Apache-2.0
// The plain record: its size, its names, and the way from a row to absolute times.
#include "record/event.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <type_traits>

#include "base/error.h"

namespace iommusim::record {
namespace {

static_assert(sizeof(Event) == 64 && std::is_trivially_copyable_v<Event>);

TEST(Event, TimesOfARowAreAbsolute) {
  Event event{};
  event.kind = Kind::kTranslation;
  event.time = 1000;
  for (auto& stage : event.stage) stage = kAbsentStage;
  event.stage[static_cast<unsigned>(Stage::kIotlb)] = 5;
  event.stage[static_cast<unsigned>(Stage::kDone)] = kWideStage;
  Event wide{};
  wide.kind = Kind::kWideTime;
  wide.code = static_cast<std::uint8_t>(Stage::kDone);
  wide.time = 1ULL << 40;
  const Row row{&event, nullptr, &wide, 1};
  EXPECT_EQ(row.time_of(Stage::kIotlb), 1005U);
  EXPECT_EQ(row.time_of(Stage::kWalkStart), base::kNever);
  EXPECT_EQ(row.time_of(Stage::kAnswered), base::kNever);
  EXPECT_EQ(row.time_of(Stage::kDone), 1ULL << 40);
  const Row lost{&event, nullptr, nullptr, 0};
  EXPECT_THROW(lost.time_of(Stage::kDone), base::Contradiction);
}

TEST(Event, EveryNameIsItsOwn) {
  std::set<std::string> names;
  for (unsigned i = 0; i <= static_cast<unsigned>(Kind::kDetail); ++i) names.insert(kind_name(static_cast<Kind>(i)));
  EXPECT_EQ(names.size(), 9U);
  for (unsigned i = 0; i < kStages; ++i) names.insert(stage_name(static_cast<Stage>(i)));
  EXPECT_EQ(names.size(), 9U + kStages);
  for (unsigned i = 0; i <= static_cast<unsigned>(Outcome::kDropped); ++i)
    names.insert(outcome_name(static_cast<Outcome>(i)));
  for (unsigned i = 0; i <= static_cast<unsigned>(Access::kAtomic); ++i)
    names.insert(access_name(static_cast<Access>(i)));
  EXPECT_EQ(names.size(), 9U + kStages + 3U + 4U);
  EXPECT_EQ(names.count("?"), 0U);
}

}  // namespace
}  // namespace iommusim::record
