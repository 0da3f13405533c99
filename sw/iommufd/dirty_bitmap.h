// SPDX-License-Identifier: Apache-2.0
// The bitmap of GET_DIRTY_BITMAP in the memory of a program (R7.3, R7.4). Bits are only ever set, by or-ing a byte; a
// byte in which nothing is to be set is neither read nor written. Bits are collected in a window and brought to the
// program when a report falls outside of it, and at the end.
#pragma once

#include <array>
#include <cstdint>

#include "domain/domain.h"
#include "hal/process.h"
#include "pagetable/interval.h"

namespace iommusim::iommufd {

class DirtyBitmap final : public domain::DirtySink {
 public:
  /// Bit n, least significant first, at `user_va` stands for [range.start + n * unit, ...); a unit of another number
  /// than a power of two counts as its lowest set bit.
  DirtyBitmap(hal::Process& process, std::uint64_t user_va, const pagetable::Interval& range, std::uint64_t unit);

  /// Whether the whole bitmap is memory that can be written: 0 or ENOMEM. Costs no more than what is there.
  int check();
  void dirty(std::uint64_t iova, std::uint64_t bytes) override;
  /// After the last report.
  void flush();

 private:
  static constexpr std::uint64_t kWindow = 512;  // bytes of the bitmap

  hal::Process& process_;
  const std::uint64_t user_va_;
  const pagetable::Interval range_;
  unsigned shift_ = 0;
  std::uint64_t window_ = 0;  // byte of the bitmap at which the window begins
  std::uint64_t used_ = 0;    // bytes of the window that may have bits
  std::array<unsigned char, kWindow> bits_{};
};

}  // namespace iommusim::iommufd
