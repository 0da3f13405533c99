// SPDX-License-Identifier: Apache-2.0
// Kernel users of address spaces, by file descriptor.
#include <cerrno>
#include <vector>

#include "selftest/ops.h"
#include "selftest/test_access.h"
#include "selftest/user_page.h"

namespace iommusim::selftest {
namespace {

using pagetable::kPage;

constexpr std::uint64_t kLongest = 16 << 20;  ///< of one pin or copy

std::shared_ptr<TestAccess> find_access(iommufd::Call& call, std::uint32_t fd) {
  std::shared_ptr<hal::File> file;
  hal::Files* const files = call.caller().files();
  if (!files || files->find(static_cast<int>(fd), file) != 0) return nullptr;
  return std::dynamic_pointer_cast<TestAccess>(file);
}

// A fuzzer cannot guess IOVAs that the kernel chose; it names an area by its number, and an offset in it.
std::uint64_t iova_of(TestAccess& access, std::uint64_t iova, std::uint32_t flags) {
  if ((flags & uapi::kTestSyz) == 0) return iova;
  std::uint64_t start = 0;
  const auto number = static_cast<std::uint32_t>(iova);
  return access.access().area_start(number, start) ? start + (iova >> 32) : 0;
}

// What was pinned must be what the program itself sees at `user_va`.
int compare_pages(hal::Process& process, std::uint64_t user_va, const std::vector<std::uint64_t>& spas) {
  for (const std::uint64_t expected : spas) {
    std::uint64_t spa = 0;
    if (physical_page(process, user_va, spa) != 0) return EFAULT;
    if (spa != expected) return EBADE;
    user_va += kPage;
  }
  return 0;
}

}  // namespace

int create_access(iommufd::Call& call, Command& command) {
  if ((command.create_access.flags & ~uapi::kTestAccessNeedsPin) != 0) return EOPNOTSUPP;
  std::shared_ptr<TestAccess> access;
  const bool pins = (command.create_access.flags & uapi::kTestAccessNeedsPin) != 0;
  if (const int error = TestAccess::create(call.context(), pins, access)) return error;
  std::uint32_t fd = 0;
  if (call.open(access, fd) != 0) return ENOMEM;
  command.create_access.out_access_fd = static_cast<std::int32_t>(fd);
  return access->access().attach(command.id);
}

int destroy_access_pages(iommufd::Call& call, Command& command) {
  const auto access = find_access(call, command.id);
  return access ? access->unpin(command.destroy_access_pages.access_pages_id) : EBADFD;
}

int access_pages(iommufd::Call& call, Command& command) {
  auto& argument = command.access_pages;
  if (argument.length > kLongest) return ENOMEM;
  if ((argument.flags & ~(uapi::kTestAccessWrite | uapi::kTestSyz)) != 0) return EOPNOTSUPP;
  const auto access = find_access(call, command.id);
  if (!access) return EBADFD;
  if (!access->may_pin()) return EOPNOTSUPP;
  const std::uint64_t iova = iova_of(*access, argument.iova, argument.flags);
  const bool write = (argument.flags & uapi::kTestAccessWrite) != 0;
  const std::uint64_t first = argument.uptr - iova % kPage;  // of the user's byte that iova's page begins with
  const int error = access->pin(iova, argument.length, write, argument.out_access_pages_id, [&](const auto& spas) {
    return argument.uptr == 0 ? 0 : compare_pages(call.caller(), first - first % kPage, spas);
  });
  if (!error) call.on_failure([access, number = argument.out_access_pages_id] { (void)access->unpin(number); });
  return error;
}

int access_rw(iommufd::Call& call, Command& command) {
  const auto& argument = command.access_rw;
  constexpr std::uint32_t kKnown = uapi::kTestAccessWrite | uapi::kTestAccessSlowPath | uapi::kTestSyz;
  if (argument.length > kLongest) return ENOMEM;
  if ((argument.flags & ~kKnown) != 0) return EOPNOTSUPP;
  const auto access = find_access(call, command.id);
  if (!access) return EBADFD;
  std::vector<unsigned char> bytes(argument.length);
  const bool write = (argument.flags & uapi::kTestAccessWrite) != 0;
  if (write && call.caller().copy_from_user(bytes.data(), argument.uptr, bytes.size()) != 0) return EFAULT;
  const std::uint64_t iova = iova_of(*access, argument.iova, argument.flags);
  if (write) return access->access().write(iova, bytes.data(), bytes.size());
  if (const int error = access->access().read(iova, bytes.data(), bytes.size())) return error;
  return call.caller().copy_to_user(argument.uptr, bytes.data(), bytes.size()) != 0 ? EFAULT : 0;
}

int access_replace_ioas(iommufd::Call& call, Command& command) {
  const auto access = find_access(call, command.id);
  return access ? access->access().replace(command.access_replace_ioas.ioas_id) : EBADFD;
}

}  // namespace iommusim::selftest
