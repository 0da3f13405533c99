// SPDX-License-Identifier: Apache-2.0
// Looks at address spaces, page tables and pages behind the program's back.
#include <cerrno>

#include "drivers/mock_domain.h"
#include "iommufd/hwpt.h"
#include "iommufd/ioas.h"
#include "selftest/ops.h"

namespace iommusim::selftest {
namespace {

using pagetable::kPage;

/// Where a page of the program lies. 0 or EFAULT.
int physical_page(hal::Process& process, std::uint64_t user_va, std::uint64_t& spa) {
  if (const int error = process.pin_page(user_va, false, spa)) return error;
  process.unpin_page(spa);
  return 0;
}

bool wraps(std::uint64_t start, std::uint64_t length) { return start + length < start; }

}  // namespace

int add_reserved(iommufd::Call& call, Command& command) {
  const auto& argument = command.add_reserved;
  if (argument.length == 0) return EINVAL;
  const pagetable::Interval range{argument.start, argument.start + (argument.length - 1)};
  if (range.last < range.start) return EOVERFLOW;
  auto* const ioas = call.hold<iommufd::Ioas>(command.id);
  return ioas ? ioas->space().reserve(range, nullptr) : ENOENT;  // nobody's: goes with the address space
}

int check_map(iommufd::Call& call, Command& command) {
  const auto& argument = command.check_map;
  auto* const hwpt = call.hold<iommufd::HwptPaging>(command.id);
  if (!hwpt) return ENOENT;
  auto* const domain = dynamic_cast<drivers::MockDomain*>(&hwpt->domain());
  if (!domain) return EINVAL;
  const std::uint64_t page = domain->smallest_page();
  if ((argument.iova | argument.length | argument.uptr) % page != 0) return EINVAL;
  if (wraps(argument.uptr, argument.length)) return EINVAL;
  std::uint64_t known = ~0ULL, spa = 0;  // the page looked at last
  for (std::uint64_t done = 0; done < argument.length; done += page) {
    const std::uint64_t user_va = argument.uptr + done;
    if (user_va - user_va % kPage != known) {
      known = user_va - user_va % kPage;
      if (physical_page(call.caller(), known, spa) != 0) return EFAULT;
    }
    std::uint64_t mapped = 0;
    if (!domain->iova_to_phys(argument.iova + done, mapped) || mapped != spa + user_va % kPage) return EINVAL;
  }
  return 0;
}

int check_refs(iommufd::Call& call, Command& command) {
  const auto& argument = command.check_refs;
  if ((argument.length | argument.uptr) % kPage != 0 || wraps(argument.uptr, argument.length)) return EINVAL;
  for (std::uint64_t done = 0; done < argument.length; done += kPage) {
    std::uint64_t pins = 0;
    if (call.caller().pins_of_page(argument.uptr + done, pins) != 0) return EFAULT;
    if (pins != argument.refs) return EIO;
  }
  return 0;
}

}  // namespace iommusim::selftest
