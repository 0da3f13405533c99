// SPDX-License-Identifier: Apache-2.0
// The two ends of a call.
#include "iommufd/call.h"

#include <cerrno>

namespace iommusim::iommufd {

Call::~Call() {
  if (on_failure_) on_failure_();
  if (fd_ >= 0) caller_.files()->cancel(fd_);
  mapping_.reset();
  while (!created_.empty()) created_.pop_back();  // the last one made may need an earlier one
  while (!owned_.empty()) owned_.pop_back();
}

int Call::open(std::shared_ptr<hal::File> file, std::uint32_t& fd_out, bool close_on_exec) {
  hal::Files* const files = caller_.files();
  if (!files) return ENOMEM;
  if (const int error = files->reserve(std::move(file), fd_, close_on_exec)) return -error;
  fd_out = static_cast<std::uint32_t>(fd_);
  return 0;
}

void Call::commit() noexcept {
  on_failure_ = nullptr;
  if (mapping_) mapping_->publish();
  mapping_.reset();
  for (Reservation& reservation : created_) reservation.publish();
  created_.clear();
  for (Reservation& reservation : owned_) reservation.publish_owned();
  owned_.clear();
  if (fd_ >= 0) caller_.files()->publish(fd_);
  fd_ = -1;
}

}  // namespace iommusim::iommufd
