// SPDX-License-Identifier: Apache-2.0
// Bodies of the PCIe ATS and PRI messages as a device reads and writes them (the figures of IOMMU 3.1.4 and 3.3).
#pragma once

#include "base/bits.h"
#include "spec/formats.h"
#include "translate/device_message.h"

namespace iommusim::devices {

/// What an Invalidation Request names: addresses first to last of one address space, or of all.
struct AtsRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool process_valid = false;
  std::uint32_t process = 0;
  bool every_process = false;  ///< Global Invalidate

  /// The page of 2^size_log2 bytes at `address`, of that address space, lies at least partly inside.
  bool touches(std::uint64_t address, unsigned size_log2, bool with_process, std::uint32_t of_process) const {
    const std::uint64_t mask = base::mask_of(size_log2);
    if ((address & ~mask) > last || (address | mask) < first) return false;
    return every_process || (with_process == process_valid && (!process_valid || of_process == process));
  }
};

/// PCIe ATS: with S the size is coded by the lowest 0 bit from bit 12 on; bits 62:12 all ones: everything.
inline AtsRange range_of(const translate::DeviceMessage& message) {
  constexpr unsigned kSizeFlag = 11;
  const std::uint64_t page = message.payload >> base::kPageShift;
  unsigned size_log2 = base::kPageShift;
  if (base::bit(message.payload, kSizeFlag)) {
    const std::uint64_t zeros = ~page & base::mask_of(52);
    size_log2 += zeros == 0 ? 52 : static_cast<unsigned>(__builtin_ctzll(zeros)) + 1;
  }
  const std::uint64_t mask = base::mask_of(size_log2);
  AtsRange range;
  range.first = (page << base::kPageShift) & ~mask;
  range.last = range.first | mask;
  range.process_valid = message.process_valid;
  range.process = message.process.value;
  range.every_process = base::bit(message.payload, 0);
  return range;
}

enum class PageResponse : std::uint8_t { kSuccess = 0, kInvalidRequest = 1, kFailure = 15 };

/// Codes that PCIe reserves mean failure.
inline PageResponse response_of(const translate::DeviceMessage& message) {
  const std::uint64_t code = base::bits(message.payload, 44, 4);
  return code == 0 ? PageResponse::kSuccess : code == 1 ? PageResponse::kInvalidRequest : PageResponse::kFailure;
}
inline unsigned group_of(const translate::DeviceMessage& message) {
  return static_cast<unsigned>(base::bits(message.payload, 32, 9));
}

inline std::uint64_t page_request_body(std::uint64_t iova, bool write, unsigned group, bool last) {
  namespace record = spec::page_request_w1;
  return record::kPage.of(iova >> base::kPageShift) | record::kGroup.of(group) |
         (write ? record::kW.mask() : record::kR.mask()) | (last ? record::kL.mask() : 0);
}

}  // namespace iommusim::devices
