// SPDX-License-Identifier: Apache-2.0
#include "record/event.h"

#include "base/error.h"

namespace iommusim::record {

Picoseconds Row::time_of(Stage stage) const {
  const auto number = static_cast<unsigned>(stage);
  if (number >= kMainStages && detail == nullptr) return base::kNever;
  const std::uint32_t distance = number < kMainStages ? event->stage[number] : detail->stage[number - kMainStages];
  if (distance == kAbsentStage) return base::kNever;
  if (distance != kWideStage) return event->time + distance;
  for (unsigned i = 0; i < wide_count; ++i)
    if (wide[i].code == static_cast<std::uint8_t>(stage)) return wide[i].time;
  base::contradiction("a stage of a translation is marked wide and no wide time follows");
}

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::kTranslation:
      return "translation";
    case Kind::kWideTime:
      return "wide_time";
    case Kind::kFault:
      return "fault";
    case Kind::kCommand:
      return "command";
    case Kind::kRegister:
      return "register";
    case Kind::kMap:
      return "map";
    case Kind::kUnmap:
      return "unmap";
    case Kind::kPageRequest:
      return "page_request";
    case Kind::kDetail:
      return "detail";
  }
  return "?";
}

const char* outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCompleted:
      return "completed";
    case Outcome::kFaulted:
      return "faulted";
    case Outcome::kDropped:
      return "dropped";
  }
  return "?";
}

const char* access_name(Access access) {
  switch (access) {
    case Access::kRead:
      return "read";
    case Access::kWrite:
      return "write";
    case Access::kExecute:
      return "execute";
    case Access::kAtomic:
      return "atomic";
  }
  return "?";
}

const char* found_name(Found found) {
  switch (found) {
    case Found::kNothing:
      return "nothing";
    case Found::kIotlb:
      return "hit";
    case Found::kLookAgain:
      return "look_again";
    case Found::kMerged:
      return "merged";
    case Found::kWalk:
      return "walk";
  }
  return "?";
}

const char* stage_name(Stage stage) {
  switch (stage) {
    case Stage::kDeviceContext:
      return "device_context";
    case Stage::kProcessContext:
      return "process_context";
    case Stage::kIotlb:
      return "iotlb";
    case Stage::kWalkStart:
      return "walk_start";
    case Stage::kWalkEnd:
      return "walk_end";
    case Stage::kDone:
      return "done";
    case Stage::kPicked:
      return "picked";
    case Stage::kAnswered:
      return "answered";
  }
  return "?";
}

}  // namespace iommusim::record
