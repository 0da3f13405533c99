// SPDX-License-Identifier: Apache-2.0
// What an open of /dev/iommu or of /dev/vfio/vfio gives a program: the file of a context. It keeps the context alive,
// as bound devices and accesses do.
#pragma once

#include <memory>

#include "hal/file.h"
#include "iommufd/context.h"

namespace iommusim::iommufd {

class ContextFile final : public hal::File {
 public:
  ContextFile(const char* node, std::shared_ptr<Context> context)
      : File(node, hal::Pollable::kAlways), context_(std::move(context)) {}

  const std::shared_ptr<Context>& context() const { return context_; }

  std::int64_t ioctl(hal::Process& caller, std::uint32_t command, std::uint64_t arg) override;
  /// A region that a driver announced (uapi 9). The mapping keeps the region's owner and the context.
  int mmap(hal::Process& caller, std::uint64_t offset, std::uint64_t bytes, unsigned prot, bool shared,
           hal::MappedRegion& out) override;

 private:
  const std::shared_ptr<Context> context_;
};

/// The context behind a descriptor of `caller`, for calls that take one. Negative: EBADF (not open), EBADFD (something
/// else is open).
int find_context(hal::Process& caller, int fd, std::shared_ptr<Context>& out);

}  // namespace iommusim::iommufd
