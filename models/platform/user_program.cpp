// SPDX-License-Identifier: Apache-2.0
#include "platform/user_program.h"

#include "base/error.h"
#include "platform/address_map.h"
#include "uapi/ioctls.h"

namespace iommusim::platform {

UserProgram::UserProgram(hal::Os& os, hal::Memory& memory, hal::FrameAllocator& frames, iommufd::Host& host,
                         SoftwareStats& stats, std::uint64_t user_memory, std::uint64_t bytes)
    : os_(os),
      stats_(stats),
      buffers_(user_memory),
      process_(os, memory, frames),
      context_(iommufd::Context::open(host)) {
  const unsigned access = hal::kUserRead | hal::kUserWrite;
  base::ensure(process_.map_frames(kArgumentVa, 4096, access) == 0 &&
                   process_.map_linear(kBufferVa, bytes, user_memory, access) == 0,
               "the areas of a new process overlap");
}

template <class Argument>
int UserProgram::call(std::uint32_t command, Argument& argument) {
  argument.size = sizeof argument;
  if (process_.copy_to_user(kArgumentVa, &argument, sizeof argument) != 0)
    base::contradiction("a program cannot write its own argument page");
  const std::uint64_t start = os_.now_ns();
  const int result = context_->ioctl(process_, command, kArgumentVa);
  stats_.of(command).time_ns.add(os_.now_ns() - start);
  if (process_.copy_from_user(&argument, kArgumentVa, sizeof argument) != 0)
    base::contradiction("a program cannot read its own argument page");
  return result;
}

int UserProgram::ioas_alloc(std::uint32_t& id_out) {
  uapi::IommuIoasAlloc argument{};
  const int result = call(uapi::kIommuIoasAlloc, argument);
  id_out = argument.out_ioas_id;
  return result;
}

int UserProgram::ioas_map(std::uint32_t ioas, std::uint64_t iova, std::uint64_t user_va, std::uint64_t bytes) {
  uapi::IommuIoasMap argument{};
  argument.flags = uapi::kIommuIoasMapFixedIova | uapi::kIommuIoasMapReadable | uapi::kIommuIoasMapWriteable;
  argument.ioas_id = ioas;
  argument.user_va = user_va;
  argument.length = bytes;
  argument.iova = iova;
  return call(uapi::kIommuIoasMap, argument);
}

int UserProgram::ioas_unmap(std::uint32_t ioas, std::uint64_t iova, std::uint64_t bytes) {
  uapi::IommuIoasUnmap argument{};
  argument.ioas_id = ioas;
  argument.iova = iova;
  argument.length = bytes;
  return call(uapi::kIommuIoasUnmap, argument);
}

int UserProgram::destroy(std::uint32_t id) {
  uapi::IommuDestroy argument{};
  argument.id = id;
  return call(uapi::kIommuDestroy, argument);
}

}  // namespace iommusim::platform
