// SPDX-License-Identifier: Apache-2.0
// Looks at address spaces, page tables and pages behind the program's back.
#include <algorithm>
#include <cerrno>
#include <vector>

#include "drivers/mock_nested.h"
#include "iommufd/hwpt.h"
#include "iommufd/hwpt_nested.h"
#include "iommufd/ioas.h"
#include "pagetable/scratch.h"
#include "selftest/ops.h"
#include "selftest/user_page.h"

namespace iommusim::selftest {
namespace {

using pagetable::kPage;

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

int set_temp_memory_limit(iommufd::Call& /*call*/, Command& command) {
  return pagetable::set_scratch_limit(command.memory_limit.limit);
}

int mark_dirty(iommufd::Call& call, Command& command) {
  auto& argument = command.dirty;
  if (argument.page_size == 0 || argument.length == 0 || argument.uptr == 0) return EINVAL;
  if (argument.iova % argument.page_size != 0 || argument.length % argument.page_size != 0) return EINVAL;
  auto* const hwpt = call.hold<iommufd::HwptPaging>(command.id);
  if (!hwpt) return ENOENT;
  auto* const domain = dynamic_cast<drivers::MockDomain*>(&hwpt->domain());
  if (!domain || !domain->dirty_tracking_on()) return EINVAL;
  std::vector<unsigned char> bitmap;  // all of it first: an error marks nothing
  for (std::uint64_t left = (argument.length / argument.page_size + 7) / 8; left > 0;) {
    const std::uint64_t piece = std::min(left, kPage), at = bitmap.size();
    bitmap.resize(at + piece);
    if (call.caller().copy_from_user(bitmap.data() + at, argument.uptr + at, piece) != 0) return EFAULT;
    left -= piece;
  }
  argument.out_nr_dirty = 0;
  for (std::uint64_t page = 0; page < argument.length / argument.page_size; ++page) {
    if ((bitmap[page / 8] >> page % 8 & 1) == 0) continue;
    ++argument.out_nr_dirty;  // also of pages that are not mapped
    (void)domain->mark_dirty(argument.iova + page * argument.page_size);
  }
  return 0;
}

int check_iotlb(iommufd::Call& call, Command& command) {
  auto* const hwpt = call.hold<iommufd::HwptNested>(command.id);
  if (!hwpt) return ENOENT;
  const auto& argument = command.check_iotlb;
  auto* const nested = dynamic_cast<drivers::MockNestedDomain*>(&hwpt->translation());
  if (!nested || argument.id >= uapi::kMockWords) return EINVAL;
  return nested->word(argument.id) == argument.iotlb ? 0 : EINVAL;
}

}  // namespace iommusim::selftest
