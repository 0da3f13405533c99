// SPDX-License-Identifier: Apache-2.0
// Life of a test access, and its answer to an unmap.
#include "selftest/test_access.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

namespace iommusim::selftest {

TestAccess::TestAccess(hal::Os& os)
    : File("anon_inode:[iommufd_test_staccess]", hal::Pollable::kAlways), lock_(os.make_mutex()) {}

int TestAccess::create(iommufd::Context& context, bool pins, std::shared_ptr<TestAccess>& out) {
  auto made = std::make_shared<TestAccess>(context.os());
  iommufd::AccessOptions options;
  if (pins) {
    TestAccess* const me = made.get();
    options.pins = pagetable::AccessPins::kRevocable;
    options.unmapping = [me](std::uint64_t iova, std::uint64_t bytes) { me->unmapping(iova, bytes); };
  }
  made->pins_ = pins;
  if (const int error = iommufd::access_create(context, std::move(options), made->access_)) return error;
  out = std::move(made);
  return 0;
}

TestAccess::~TestAccess() {
  if (access_) iommufd::access_destroy(*access_);
}

int TestAccess::unpin(std::uint32_t number) {
  const std::lock_guard guard(*lock_);
  const auto item = std::find_if(items_.begin(), items_.end(), [&](const Item& at) { return at.number == number; });
  if (item == items_.end()) return ENOENT;
  access_->unpin(item->iova, item->last - item->iova + 1);
  items_.erase(item);
  return 0;
}

void TestAccess::unmapping(std::uint64_t iova, std::uint64_t bytes) {
  const std::lock_guard guard(*lock_);
  const std::uint64_t last = iova + (bytes - 1);
  const auto kept = std::remove_if(items_.begin(), items_.end(), [&](const Item& item) {
    if (item.iova > last || item.last < iova) return false;
    access_->unpin(item.iova, item.last - item.iova + 1);
    return true;
  });
  items_.erase(kept, items_.end());
}

}  // namespace iommusim::selftest
