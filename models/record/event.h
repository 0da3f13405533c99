// SPDX-License-Identifier: Apache-2.0
// What the recorder hands to its sinks: plain records of 64 bytes. A translation is one row: a record with the stage
// times as 32-bit distances from its acceptance, and a kDetail record with what else is known of it. A time that does
// not fit is marked kWide and follows, in full, in a kWideTime record right behind the row. Nothing is cut.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace iommusim::record {

using base::Picoseconds;

enum class Kind : std::uint8_t {
  kTranslation,
  kWideTime,
  kFault,
  kCommand,
  kRegister,
  kMap,
  kUnmap,
  kPageRequest,
  kDetail,
};

/// How a translation ended.
enum class Outcome : std::uint8_t { kCompleted, kFaulted, kDropped };

enum class Access : std::uint8_t { kRead, kWrite, kExecute, kAtomic };

/// Where a translation found what it needed.
enum class Found : std::uint8_t {
  kNothing,    ///< it needed none, or ended before
  kIotlb,      ///< the IOTLB had it
  kLookAgain,  ///< missed, and the IOTLB had it when a walker was granted
  kMerged,     ///< missed, and waited for the walk of another
  kWalk,       ///< missed, and walked
};

/// The stages of a translation after its acceptance. A stage that it did not pass has no time (base::kNever).
enum class Stage : std::uint8_t {
  kDeviceContext,   ///< the device context is there
  kProcessContext,  ///< the process context is there
  kIotlb,           ///< the IOTLB has answered
  kWalkStart,       ///< a walker is granted
  kWalkEnd,         ///< and given back
  kDone,            ///< the IOMMU has decided: the end of the translation
  kPicked,          ///< it entered the pipeline
  kAnswered,        ///< the answer leaves for the device
};
inline constexpr unsigned kStages = 8;
inline constexpr unsigned kMainStages = 6;  ///< those in the first record of a row

inline constexpr std::uint32_t kNoProcess = 0xFFFFFFFF;
inline constexpr std::uint32_t kAbsentStage = 0xFFFFFFFF;
inline constexpr std::uint32_t kWideStage = 0xFFFFFFFE;

struct Event {
  Kind kind;
  std::uint8_t code;        ///< Outcome; Stage of a kWideTime; 1 = write for kRegister; Found of a kDetail
  std::uint8_t access;      ///< Access, for kTranslation and kFault
  std::uint8_t page_shift;  ///< log2 of the page's size, 0 when unknown
  std::uint32_t device;
  std::uint32_t process;  ///< or kNoProcess; cause of a kDetail, 0: no fault
  std::uint32_t bytes;    ///< of a kDetail: memory accesses of its walk
  std::uint64_t id;       ///< of the translation, the command, ...
  std::uint64_t address;  ///< IOVA; register offset; where a kDetail went
  Picoseconds time;       ///< of acceptance, of the event; the wide time of a kWideTime
  union {
    /// kTranslation: picoseconds after `time`, kAbsentStage or kWideStage. kDetail: the stages from kPicked on.
    std::uint32_t stage[kMainStages];
    /// kFault: cause, iotval, iotval2. kCommand: both words, time of its end. kRegister: data, time of its end.
    /// kMap and kUnmap: length, IOAS or domain, time of its end. kPageRequest: the payload. kWideTime: unused.
    std::uint64_t value[3];
  };
};
static_assert(sizeof(Event) <= 64);

/// One event with what follows it, as a sink gets it.
struct Row {
  const Event* event;
  const Event* detail;  ///< of a kTranslation; nullptr: unknown, and the stages from kPicked on with it
  const Event* wide;    ///< its kWideTime records
  unsigned wide_count;

  /// Absolute time of a stage of a kTranslation; base::kNever when it was not passed.
  Picoseconds time_of(Stage stage) const;
};

const char* kind_name(Kind kind);
const char* outcome_name(Outcome outcome);
const char* access_name(Access access);
const char* found_name(Found found);
const char* stage_name(Stage stage);

}  // namespace iommusim::record
