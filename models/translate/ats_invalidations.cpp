// SPDX-License-Identifier: Apache-2.0
#include "translate/ats_invalidations.h"

#include "base/bits.h"
#include "base/error.h"

namespace iommusim::translate {

unsigned AtsInvalidations::free_tag() const { return static_cast<unsigned>(__builtin_ctzll(~std::uint64_t{busy_})); }

std::uint8_t AtsInvalidations::take_tag(DeviceFunction function) {
  base::ensure(has_free_tag(), "ATS invalidation without a free ITAG");
  const unsigned tag = free_tag();
  busy_ |= 1U << tag;
  slots_[tag] = {function, 0};
  return static_cast<std::uint8_t>(tag);
}

/// PCIe ATS: a request is complete when as many messages as their count says have named its tag.
bool AtsInvalidations::complete(const InvalidationCompletion& message) {
  for (unsigned tag = 0; tag < kMaxTags; ++tag) {
    if (!base::bit(message.itag_vector, tag)) continue;
    if (!base::bit(busy_, tag) || !(slots_[tag].function == message.function)) return false;
  }
  const unsigned expected = message.count == 0 ? 8 : message.count;
  for (unsigned tag = 0; tag < kMaxTags; ++tag)
    if (base::bit(message.itag_vector, tag) && ++slots_[tag].received >= expected) busy_ &= ~(1U << tag);
  return message.itag_vector != 0;
}

void AtsInvalidations::time_out(std::uint32_t itag_vector) {
  timed_out_ = timed_out_ || (busy_ & itag_vector) != 0;
  busy_ &= ~itag_vector;
}

bool AtsInvalidations::take_time_out() {
  const bool timed_out = timed_out_;
  timed_out_ = false;
  return timed_out;
}

}  // namespace iommusim::translate
