// SPDX-License-Identifier: Apache-2.0
#include "iommufd/dirty_bitmap.h"

#include <algorithm>
#include <cerrno>

namespace iommusim::iommufd {

using pagetable::Interval;
using pagetable::kMaxAddress;
using pagetable::kPage;

DirtyBitmap::DirtyBitmap(hal::Process& process, std::uint64_t user_va, const Interval& range, std::uint64_t unit)
    : process_(process), user_va_(user_va), range_(range) {
  while ((unit >> shift_ & 1) == 0) ++shift_;
}

int DirtyBitmap::check() {
  const std::uint64_t last_byte = ((range_.last - range_.start) >> shift_) / 8;
  if (user_va_ > kMaxAddress - last_byte) return ENOMEM;
  const std::uint64_t last_page = (user_va_ + last_byte) / kPage;
  for (std::uint64_t page = user_va_ / kPage; page <= last_page; ++page) {
    std::uint64_t spa = 0;
    if (process_.pin_page(page * kPage, true, spa) != 0) return ENOMEM;
    process_.unpin_page(spa);
  }
  return 0;
}

void DirtyBitmap::dirty(std::uint64_t iova, std::uint64_t bytes) {
  const std::uint64_t first = std::max(iova, range_.start);
  const std::uint64_t last = std::min(iova + (bytes - 1), range_.last);
  if (first > last) return;
  const std::uint64_t last_bit = (last - range_.start) >> shift_;
  for (std::uint64_t bit = (first - range_.start) >> shift_; bit <= last_bit; ++bit) {
    if (bit / 8 - window_ >= kWindow) {
      flush();
      window_ = bit / 8;
    }
    const std::uint64_t at = bit / 8 - window_;
    bits_[at] |= static_cast<unsigned char>(1U << (bit % 8));
    used_ = std::max(used_, at + 1);
  }
}

void DirtyBitmap::flush() {
  std::array<unsigned char, kWindow> theirs;
  for (std::uint64_t at = 0; at < used_;) {
    std::uint64_t end = at;
    while (end < used_ && bits_[end] != 0) ++end;
    if (end != at) {
      const std::uint64_t va = user_va_ + window_ + at;
      // The program may have taken the memory away since check(); then it does not hear of these pages.
      if (process_.copy_from_user(theirs.data(), va, end - at) == 0) {
        for (std::uint64_t i = at; i < end; ++i) theirs[i - at] |= bits_[i];
        (void)process_.copy_to_user(va, theirs.data(), end - at);
      }
    }
    at = std::max(end, at + 1);
  }
  bits_.fill(0);
  used_ = 0;
}

}  // namespace iommusim::iommufd
