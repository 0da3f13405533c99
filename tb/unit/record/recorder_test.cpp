// SPDX-License-Identifier: Apache-2.0
// The recorder: what reaches which sink, wide times, windows, samples, sinks that are full or fail.
#include "record/recorder.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "base/error.h"

namespace iommusim::record {
namespace {

struct Seen {
  std::vector<Event> events;
  std::vector<Translation> translations;
  std::vector<Closing> closings;
};

/// Keeps what it gets; full after `capacity` rows.
class KeepingSink final : public Sink {
 public:
  explicit KeepingSink(Seen& seen, std::size_t capacity = 1000) : seen_(seen), capacity_(capacity) {}
  bool write(const Row& row) override {
    if (seen_.events.size() == capacity_) return false;
    seen_.events.push_back(*row.event);
    if (row.event->kind == Kind::kTranslation) {
      Translation t;
      t.id = row.event->id;
      t.accepted = row.event->time;
      t.device_context = row.time_of(Stage::kDeviceContext);
      t.process_context = row.time_of(Stage::kProcessContext);
      t.iotlb = row.time_of(Stage::kIotlb);
      t.walk_start = row.time_of(Stage::kWalkStart);
      t.walk_end = row.time_of(Stage::kWalkEnd);
      t.done = row.time_of(Stage::kDone);
      t.picked = row.time_of(Stage::kPicked);
      t.answered = row.time_of(Stage::kAnswered);
      seen_.translations.push_back(t);
    }
    return true;
  }
  void close(const Closing& closing) override { seen_.closings.push_back(closing); }

 private:
  Seen& seen_;
  std::size_t capacity_;
};

class FailingSink final : public Sink {
 public:
  bool write(const Row& /*row*/) override { return true; }
  void close(const Closing& /*closing*/) override { throw base::InputError("disk full"); }
};

Translation translation_at(Picoseconds time) {
  Translation translation;
  translation.accepted = time;
  translation.done = time + 1;
  return translation;
}

TEST(Recorder, IsInactiveWithoutASink) {
  Seen seen;
  Recorder recorder;
  EXPECT_FALSE(recorder.active());
  recorder.emit(translation_at(1));
  recorder.attach(std::make_unique<KeepingSink>(seen));
  EXPECT_TRUE(recorder.active());
  recorder.emit(translation_at(2));
  recorder.close();
  EXPECT_FALSE(recorder.active());
  recorder.emit(translation_at(3));
  ASSERT_EQ(seen.events.size(), 1U);
  EXPECT_EQ(seen.events[0].time, 2U);
}

RC_GTEST_PROP(Recorder, NoTimeIsEverCut, ()) {
  // Distances around the width of the field, small ones, huge ones, and none.
  const auto distance = rc::gen::map(
      rc::gen::pair(rc::gen::element<std::uint64_t>(0, 0xFFFFFFF0, 1ULL << 62), rc::gen::inRange<std::uint64_t>(0, 32)),
      [](const std::pair<std::uint64_t, std::uint64_t>& p) { return p.first + p.second; });
  const auto time = rc::gen::oneOf(rc::gen::just(base::kNever), distance);
  Translation in;
  in.id = 7;
  in.accepted = *rc::gen::inRange<std::uint64_t>(0, 1ULL << 40);
  for (Picoseconds* stage : {&in.device_context, &in.process_context, &in.iotlb, &in.walk_start, &in.walk_end, &in.done,
                             &in.picked, &in.answered})
    if (const std::uint64_t d = *time; d != base::kNever) *stage = in.accepted + d;
  Seen seen;
  Recorder recorder;
  recorder.attach(std::make_unique<KeepingSink>(seen));
  recorder.emit(in);
  RC_ASSERT(seen.translations.size() == 1U);
  const Translation& out = seen.translations[0];
  RC_ASSERT(out.accepted == in.accepted);
  RC_ASSERT(out.device_context == in.device_context);
  RC_ASSERT(out.process_context == in.process_context);
  RC_ASSERT(out.iotlb == in.iotlb);
  RC_ASSERT(out.walk_start == in.walk_start);
  RC_ASSERT(out.walk_end == in.walk_end);
  RC_ASSERT(out.done == in.done);
  RC_ASSERT(out.picked == in.picked);
  RC_ASSERT(out.answered == in.answered);
}

TEST(Recorder, AStageBeforeAcceptanceIsAContradiction) {
  Seen seen;
  Recorder recorder;
  recorder.attach(std::make_unique<KeepingSink>(seen));
  Translation translation = translation_at(10);
  translation.iotlb = 9;
  EXPECT_THROW(recorder.emit(translation), base::Contradiction);
}

TEST(Recorder, EveryKindHasItsFields) {
  Seen seen;
  Recorder recorder;
  recorder.attach(std::make_unique<KeepingSink>(seen));
  recorder.emit(Fault{1, 2, 3, Access::kWrite, 0x1000, 50, 15, 0x1008, 0x2000});
  recorder.emit(Command{4, 60, 70, 0xA, 0xB});
  recorder.emit(RegisterAccess{5, 0x30, 8, true, 80, 90, 0xC});
  recorder.emit(Mapping{false, 6, 0x4000, 0x2000, 100, 110});
  recorder.emit(Mapping{true, 6, 0x4000, 0x2000, 120, 130});
  ASSERT_EQ(seen.events.size(), 5U);
  const Event& fault = seen.events[0];
  EXPECT_EQ(fault.kind, Kind::kFault);
  EXPECT_EQ(fault.id, 1U);
  EXPECT_EQ(fault.device, 2U);
  EXPECT_EQ(fault.process, 3U);
  EXPECT_EQ(fault.access, static_cast<std::uint8_t>(Access::kWrite));
  EXPECT_EQ(fault.address, 0x1000U);
  EXPECT_THAT(fault.value, testing::ElementsAre(15, 0x1008, 0x2000));
  EXPECT_EQ(seen.events[1].kind, Kind::kCommand);
  EXPECT_EQ(seen.events[1].time, 60U);
  EXPECT_THAT(seen.events[1].value, testing::ElementsAre(0xA, 0xB, 70));
  EXPECT_EQ(seen.events[2].kind, Kind::kRegister);
  EXPECT_EQ(seen.events[2].code, 1U);
  EXPECT_EQ(seen.events[2].bytes, 8U);
  EXPECT_EQ(seen.events[2].address, 0x30U);
  EXPECT_EQ(seen.events[2].value[0], 0xCU);
  EXPECT_EQ(seen.events[2].value[1], 90U);
  EXPECT_EQ(seen.events[3].kind, Kind::kMap);
  EXPECT_EQ(seen.events[3].address, 0x4000U);
  EXPECT_THAT(seen.events[3].value, testing::ElementsAre(0x2000, 6, 110));
  EXPECT_EQ(seen.events[4].kind, Kind::kUnmap);
}

TEST(Recorder, AWindowHasItsStartInsideAndItsEndOutside) {
  Seen seen;
  Recorder recorder;
  recorder.attach(std::make_unique<KeepingSink>(seen), {10, 20, 1});
  for (const Picoseconds time : {9U, 10U, 19U, 20U}) recorder.emit(translation_at(time));
  recorder.close();
  ASSERT_EQ(seen.events.size(), 2U);
  EXPECT_EQ(seen.events[0].time, 10U);
  EXPECT_EQ(seen.events[1].time, 19U);
  ASSERT_EQ(seen.closings.size(), 1U);
  EXPECT_EQ(seen.closings[0].written, 2U);
  EXPECT_EQ(seen.closings[0].outside, 2U);
  EXPECT_EQ(seen.closings[0].time, 20U);
  EXPECT_FALSE(seen.closings[0].full);
}

TEST(Recorder, SamplesOneInNOfEachKind) {
  Seen seen;
  Recorder recorder;
  recorder.attach(std::make_unique<KeepingSink>(seen), {0, base::kNever, 3});
  for (Picoseconds time = 0; time < 7; ++time) {
    recorder.emit(translation_at(time));
    if (time == 5) recorder.emit(Command{});
  }
  recorder.close();
  std::vector<Picoseconds> times;
  for (const Event& event : seen.events)
    if (event.kind == Kind::kTranslation) times.push_back(event.time);
  EXPECT_THAT(times, testing::ElementsAre(0, 3, 6));
  EXPECT_EQ(seen.events.size(), 4U) << "the first command is in the sample";
  EXPECT_EQ(seen.closings[0].not_sampled, 4U);
}

TEST(Recorder, AFullSinkIsClosedOnceAndTheOthersGoOn) {
  Seen small;
  Seen large;
  Recorder recorder;
  recorder.attach(std::make_unique<KeepingSink>(small, 2));
  recorder.attach(std::make_unique<KeepingSink>(large));
  for (Picoseconds time = 1; time <= 5; ++time) recorder.emit(translation_at(time));
  EXPECT_EQ(small.events.size(), 2U);
  ASSERT_EQ(small.closings.size(), 1U);
  EXPECT_TRUE(small.closings[0].full);
  EXPECT_EQ(small.closings[0].time, 3U);
  EXPECT_EQ(small.closings[0].written, 2U);
  EXPECT_EQ(large.events.size(), 5U);
  recorder.close();
  EXPECT_EQ(small.closings.size(), 1U);
  EXPECT_EQ(large.closings.size(), 1U);
}

TEST(Recorder, TheLastFullSinkMakesItInactive) {
  Seen seen;
  Recorder recorder;
  recorder.attach(std::make_unique<KeepingSink>(seen, 0));
  recorder.emit(translation_at(1));
  EXPECT_FALSE(recorder.active());
}

TEST(Recorder, AnErrorWhileClosingComesOutAfterAllWereClosed) {
  Seen seen;
  Recorder recorder;
  recorder.attach(std::make_unique<FailingSink>());
  recorder.attach(std::make_unique<KeepingSink>(seen));
  EXPECT_THROW(recorder.close(), base::InputError);
  EXPECT_EQ(seen.closings.size(), 1U);
  EXPECT_NO_THROW(recorder.close());
}

TEST(Recorder, ClosesWhatIsOpenWhenItEnds) {
  Seen seen;
  {
    Recorder recorder;
    recorder.attach(std::make_unique<FailingSink>());
    recorder.attach(std::make_unique<KeepingSink>(seen));
  }
  EXPECT_EQ(seen.closings.size(), 1U);
}

}  // namespace
}  // namespace iommusim::record
