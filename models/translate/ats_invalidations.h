// SPDX-License-Identifier: Apache-2.0
// The ATS invalidation requests that wait for their completions (IOMMU 3.1.4): which ITAG is whose, how many messages
// are still to come, and whether one timed out since the last fence told of it.
#pragma once

#include <array>

#include "translate/device_message.h"

namespace iommusim::translate {

class AtsInvalidations {
 public:
  explicit AtsInvalidations(unsigned tags) : tags_(tags) {}

  bool has_free_tag() const { return free_tag() < tags_; }
  /// Takes the lowest free tag for a request to this function.
  std::uint8_t take_tag(DeviceFunction function);
  /// False: it answers no outstanding request (wrong tag or function) and is ignored.
  bool complete(const InvalidationCompletion& message);
  /// The requests with these tags are given up.
  void time_out(std::uint32_t itag_vector);

  bool outstanding() const { return busy_ != 0; }
  std::uint32_t outstanding_tags() const { return busy_; }
  /// A request timed out since this was last called.
  bool take_time_out();

 private:
  unsigned free_tag() const;
  static constexpr unsigned kMaxTags = 32;
  struct Slot {
    DeviceFunction function{};
    std::uint8_t received = 0;
  };
  unsigned tags_;
  std::uint32_t busy_ = 0;
  bool timed_out_ = false;
  std::array<Slot, kMaxTags> slots_{};
};

}  // namespace iommusim::translate
