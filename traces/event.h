// SPDX-License-Identifier: Apache-2.0
// One line of a trace (traces/FORMAT.md) as a value, and the rules that tie its fields together. Reader and Writer both
// apply broken_rule(), so nothing is written that would not be read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/types.h"

namespace iommusim::traces {

/// A PCI function: the requester of an access, or the owner of the domain that an M, U or I line is about.
struct Source {
  std::uint16_t segment = 0;
  std::uint16_t bdf = 0;  ///< bus 15:8, device 7:3, function 2:0

  /// Segment and BDF in one number, as wide as a device_id may need; orders sources as their text does.
  constexpr std::uint32_t key() const { return static_cast<std::uint32_t>(segment) << 16 | bdf; }
  static constexpr Source from_key(std::uint32_t key) {
    return {static_cast<std::uint16_t>(key >> 16), static_cast<std::uint16_t>(key)};
  }
  friend constexpr bool operator==(Source a, Source b) { return a.key() == b.key(); }
  friend constexpr bool operator!=(Source a, Source b) { return a.key() != b.key(); }
};

/// "bb:dd.f", or "ssss:bb:dd.f" for a segment other than 0.
std::string to_string(Source source);

/// Parses a whole string, as given on a command line; throws base::InputError.
Source parse_source(std::string_view text);

enum class Op : std::uint8_t { kRead, kWrite, kAccess, kMap, kUnmap, kInvalidate };
inline constexpr unsigned kOps = 6;
inline constexpr char kOpLetters[kOps + 1] = "RWXMUI";  ///< by value of Op

constexpr bool is_access(Op op) { return op <= Op::kAccess; }

struct Event {
  std::uint64_t time_ns = 0;
  std::uint64_t iova = 0;
  std::uint64_t bytes = 0;
  std::uint64_t pa = 0;    ///< valid when has_pa
  std::uint64_t line = 0;  ///< of the file it was read from; not part of the event's value
  Source source;
  Op op = Op::kRead;
  bool has_pa = false;

  /// The last byte; bytes is not 0.
  std::uint64_t last() const { return iova + bytes - 1; }
};

/// Equal in all but the line.
bool operator==(const Event& a, const Event& b);

/// The columns, in file order.
enum class Field : std::uint8_t { kTime, kSource, kOp, kIova, kBytes, kPa };
inline constexpr unsigned kFields = 6;
inline constexpr char kColumns[] = "time_ns,source,op,iova,bytes,pa";

inline constexpr std::uint64_t kPageOffset = base::kPageSize - 1;

/// What breaks traces/FORMAT.md in an event on its own, as "what is wrong, what was expected"; nullptr: nothing.
/// `field` then names the column to blame.
inline const char* broken_rule(const Event& event, Field& field) {
  field = Field::kBytes;
  if (event.bytes == 0 && event.op != Op::kInvalidate) return "bytes is 0, expected at least 1";
  if (event.bytes != 0 && event.iova > ~0ULL - (event.bytes - 1))
    return "iova + bytes passes 2^64, expected a range inside the address space";
  if (is_access(event.op)) {
    if (!event.has_pa) return nullptr;
    if (event.pa > ~0ULL - (event.bytes - 1))
      return "pa + bytes passes 2^64, expected a range inside the address space";
    field = Field::kPa;
    return ((event.pa ^ event.iova) & kPageOffset) != 0
               ? "pa and iova differ in bits 11:0, expected the same page offset"
               : nullptr;
  }
  if ((event.bytes & kPageOffset) != 0) return "bytes is unaligned, expected a multiple of 4096 in M, U and I";
  field = Field::kIova;
  if ((event.iova & kPageOffset) != 0) return "iova is unaligned, expected a multiple of 4096 in M, U and I";
  if (event.bytes == 0 && event.iova != 0) return "iova is not 0, expected 0x0 in an I of the whole domain (bytes 0)";
  field = Field::kPa;
  if (event.op != Op::kMap) return event.has_pa ? "U and I have no pa, expected an empty column" : nullptr;
  if (!event.has_pa) return "M without pa, expected the physical address that is mapped";
  if ((event.pa & kPageOffset) != 0) return "pa is unaligned, expected a multiple of 4096 in M";
  if (event.pa > ~0ULL - (event.bytes - 1)) return "pa + bytes passes 2^64, expected a range inside the address space";
  return nullptr;
}

}  // namespace iommusim::traces
