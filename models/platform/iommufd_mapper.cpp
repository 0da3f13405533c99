// SPDX-License-Identifier: Apache-2.0
#include "platform/iommufd_mapper.h"

#include <cerrno>

#include "base/error.h"
#include "iommufd/device.h"
#include "platform/address_map.h"

namespace iommusim::platform {

int IommufdMapper::open(domain::Device& device) {
  Function& function = functions_.emplace_back();
  int error = iommufd::device_bind(program_->context(), device, function.device);
  if (error == 0) error = -program_->ioas_alloc(function.ioas);
  iommufd::ObjectId page_table = function.ioas;
  if (error == 0) error = iommufd::device_attach(program_->context(), function.device, page_table);
  return error;
}

int IommufdMapper::map(std::size_t function, const traces::Event& event) {
  return -program_->ioas_map(functions_[function].ioas, event.iova, kBufferVa + buffer_ + event.pa, event.bytes);
}

int IommufdMapper::unmap(std::size_t function, std::uint64_t iova, std::uint64_t bytes) {
  return -program_->ioas_unmap(functions_[function].ioas, iova, bytes);
}

int IommufdMapper::invalidate(std::size_t, std::uint64_t, std::uint64_t) { return EOPNOTSUPP; }

void IommufdMapper::close() {
  for (const Function& function : functions_) {
    program_->ioas_unmap(function.ioas, 0, ~0ULL);
    base::ensure(iommufd::device_detach(program_->context(), function.device) == 0, "a function cannot be detached");
    base::ensure(iommufd::device_unbind(program_->context(), function.device) == 0, "a function cannot be unbound");
    base::ensure(program_->destroy(function.ioas) == 0, "an IOAS cannot be destroyed");
  }
  base::ensure(program_->pinned_pages() == 0, "pages are pinned after everything was unmapped");
  program_.reset();
}

}  // namespace iommusim::platform
