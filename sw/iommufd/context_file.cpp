// SPDX-License-Identifier: Apache-2.0
// Calls of a program on its descriptor of a context.
#include "iommufd/context_file.h"

#include <cerrno>

namespace iommusim::iommufd {

std::int64_t ContextFile::ioctl(hal::Process& caller, std::uint32_t command, std::uint64_t arg) {
  return context_->ioctl(caller, command, arg);
}

int ContextFile::mmap(hal::Process& /*caller*/, std::uint64_t offset, std::uint64_t bytes, unsigned prot, bool shared,
                      hal::MappedRegion& out) {
  return context_->mmap(offset, bytes, prot, shared, out);
}

int find_context(hal::Process& caller, int fd, std::shared_ptr<Context>& out) {
  hal::Files* const files = caller.files();
  std::shared_ptr<hal::File> file;
  if (!files) return -EBADF;
  if (const int error = files->find(fd, file)) return error;
  const auto* const mine = dynamic_cast<const ContextFile*>(file.get());
  if (!mine) return -EBADFD;
  out = mine->context();
  return 0;
}

}  // namespace iommusim::iommufd
