// SPDX-License-Identifier: Apache-2.0
// What the recorder hands to its sinks: a plain record of 64 bytes. A translation is one row with its stage times as
// 32-bit distances from its acceptance; one that does not fit is marked kWide and follows, in full, in a kWideTime
// record right behind the row. Nothing is cut.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace iommusim::record {

using base::Picoseconds;

enum class Kind : std::uint8_t { kTranslation, kWideTime, kFault, kCommand, kRegister, kMap, kUnmap };

/// How a translation ended.
enum class Outcome : std::uint8_t { kCompleted, kFaulted, kDropped };

enum class Access : std::uint8_t { kRead, kWrite, kExecute, kAtomic };

/// The stages of a translation after its acceptance. A stage that it did not pass has no time (base::kNever).
enum class Stage : std::uint8_t { kDeviceContext, kProcessContext, kIotlb, kWalkStart, kWalkEnd, kDone };
inline constexpr unsigned kStages = 6;

inline constexpr std::uint32_t kNoProcess = 0xFFFFFFFF;
inline constexpr std::uint32_t kAbsentStage = 0xFFFFFFFF;
inline constexpr std::uint32_t kWideStage = 0xFFFFFFFE;

struct Event {
  Kind kind;
  std::uint8_t code;        ///< Outcome; Stage of a kWideTime; 1 = write for kRegister
  std::uint8_t access;      ///< Access, for kTranslation and kFault
  std::uint8_t page_shift;  ///< log2 of the page's size, 0 when unknown
  std::uint32_t device;
  std::uint32_t process;  ///< or kNoProcess
  std::uint32_t bytes;
  std::uint64_t id;       ///< of the translation, the command, ...
  std::uint64_t address;  ///< IOVA; register offset
  Picoseconds time;       ///< of acceptance, of the event; the wide time of a kWideTime
  union {
    std::uint32_t stage[kStages];  ///< kTranslation: picoseconds after `time`, kAbsentStage or kWideStage
    /// kFault: cause, iotval, iotval2. kCommand: both words, time of its end. kRegister: data, time of its end.
    /// kMap and kUnmap: length, IOAS or domain, time of its end. kWideTime: unused.
    std::uint64_t value[3];
  };
};
static_assert(sizeof(Event) <= 64);

/// One event with what follows it, as a sink gets it.
struct Row {
  const Event* event;
  const Event* wide;  ///< its kWideTime records
  unsigned wide_count;

  /// Absolute time of a stage of a kTranslation; base::kNever when it was not passed.
  Picoseconds time_of(Stage stage) const;
};

const char* kind_name(Kind kind);
const char* outcome_name(Outcome outcome);
const char* access_name(Access access);
const char* stage_name(Stage stage);

}  // namespace iommusim::record
