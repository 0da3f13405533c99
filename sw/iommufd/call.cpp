// SPDX-License-Identifier: Apache-2.0
// The two ends of a call.
#include "iommufd/call.h"

namespace iommusim::iommufd {

Call::~Call() {
  mapping_.reset();
  while (!created_.empty()) created_.pop_back();  // the last one made may need an earlier one
}

void Call::commit() noexcept {
  if (mapping_) mapping_->publish();
  mapping_.reset();
  for (Reservation& reservation : created_) reservation.publish();
  created_.clear();
}

}  // namespace iommusim::iommufd
