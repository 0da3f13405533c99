// SPDX-License-Identifier: Apache-2.0
// From a number and a user address to a handler and back (uapi 1.3, its steps in order). The argument is copied in
// once; a shorter user struct reads as zero beyond its end, a longer one must be zero there, so both sides may be of
// another version. The rows come from uapi/ioctls.def, and a row without a handler does not compile.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "hal/zero_tail.h"
#include "iommufd/call.h"
#include "iommufd/handlers.h"

namespace iommusim::iommufd {
namespace {

using Handler = int (*)(Call&, void* argument);

constexpr Handler kHandlers[] = {
#define IOMMUSIM_IOCTL(nr, Name, Struct, min_size, reply, help) \
  [](Call& call, void* argument) { return handle(call, *static_cast<uapi::Struct*>(argument)); },
#include "uapi/ioctls.def"
#undef IOMMUSIM_IOCTL
};

union AnyArgument {
  std::uint64_t alignment;
#define IOMMUSIM_IOCTL(nr, Name, Struct, min_size, reply, help) uapi::Struct Name;
#include "uapi/ioctls.def"
#undef IOMMUSIM_IOCTL
  unsigned char extra[ExtraIoctl::kMaxStruct];
};

// Steps 5 to 8.
int copy_in(hal::Process& caller, std::uint64_t user_arg, std::uint32_t user_size, std::uint32_t size, void* to) {
  if (user_size > size)
    if (const int error = hal::check_zero_tail(caller, user_arg + size, user_size - size)) return error;
  return caller.copy_from_user(to, user_arg, std::min(user_size, size)) != 0 ? EFAULT : 0;
}

int copy_reply(hal::Process& caller, const uapi::IoctlRow& row, uapi::Reply reply, std::uint64_t user_arg,
               std::uint32_t user_size, const unsigned char* from) {
  const std::uint32_t size = std::min(user_size, row.struct_size);
  switch (reply) {
    case uapi::Reply::kNothing:
      return 0;
    case uapi::Reply::kStruct:
      return caller.copy_to_user(user_arg, from, size) != 0 ? EFAULT : 0;
    case uapi::Reply::kValueOnly: {
      const std::uint32_t at = row.struct_size - 8;
      return caller.copy_to_user(user_arg + at, from + at, 8) != 0 ? EFAULT : 0;
    }
  }
  return 0;
}

constexpr std::uint32_t nr_of(std::uint32_t command) { return command & 0xFF; }

// Step 1.
bool in_table(const Host& host, std::uint32_t command) {
  const std::uint32_t last = host.extra ? nr_of(host.extra->row.command) : uapi::kIommuLastNr;
  return nr_of(command) >= uapi::kIommuFirstNr && nr_of(command) <= last;
}

const uapi::IoctlRow* find_row(const Host& host, std::uint32_t command) {
  return host.extra && command == host.extra->row.command ? &host.extra->row : uapi::find_iommu_ioctl(command);
}

int handle_row(Call& call, const uapi::IoctlRow* row, AnyArgument& argument) {
  const ExtraIoctl* const extra = call.context().host().extra;
  if (extra && row == &extra->row) return extra->handle(call, &argument);
  return kHandlers[row - uapi::kIommuIoctls](call, &argument);
}

// A negative errno, or what the program gets.
int run(Context& context, CallInfo& info, std::uint64_t user_arg, AnyArgument& argument) {
  std::uint32_t user_size = 0;
  if (info.caller->copy_from_user(&user_size, user_arg, sizeof user_size) != 0) return -EFAULT;
  if (!info.row) return -ENOTTY;
  if (user_size < info.row->min_size) return -EINVAL;
  if (const int error = copy_in(*info.caller, user_arg, user_size, info.row->struct_size, &argument)) return -error;
  info.argument = &argument;

  Call call(context, *info.caller);
  int error = handle_row(call, info.row, argument);
  if (error == 0 || call.replies_on_error()) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(&argument);
    if (copy_reply(*info.caller, *info.row, call.reply(*info.row), user_arg, user_size, bytes) != 0) error = EFAULT;
  }
  if (error != 0) return -error;
  call.commit();
  return call.result();
}

}  // namespace

int Context::ioctl(hal::Process& caller, std::uint32_t command, std::uint64_t user_arg) {
  AnyArgument argument;
  std::memset(&argument, 0, sizeof argument);
  CallInfo info{this, &caller, command, find_row(host_, command), nullptr};
  if (host_.observer) host_.observer->call_begins(info);
  int result = -ENOTTY;
  try {
    if (in_table(host_, command))
      result = run(*this, info, user_arg, argument);
    else if (host_.outer)
      result = host_.outer->ioctl(*this, caller, command, user_arg);
  } catch (const std::bad_alloc&) {
    result = -ENOMEM;
  }
  if (host_.observer) host_.observer->call_ends(info, result);
  return result;
}

}  // namespace iommusim::iommufd
