// SPDX-License-Identifier: Apache-2.0
// Units of a fault queue: in, out, and answered.
#include "iommufd/fault.h"

#include <cerrno>
#include <mutex>
#include <vector>

#include "hal/contradiction.h"
#include "iommufd/device.h"
#include "iommufd/fault_file.h"
#include "uapi/iommufd_hwpt.h"

namespace iommusim::iommufd {
namespace {

constexpr std::uint64_t kMessage = sizeof(uapi::IommuHwptPageFault);
constexpr std::uint64_t kResponse = sizeof(uapi::IommuHwptPageResponse);

std::uint32_t permissions(const domain::PageFault& fault) {
  return (fault.read ? uapi::kIommuPageFaultRead : 0U) | (fault.write ? uapi::kIommuPageFaultWrite : 0U) |
         (fault.execute ? uapi::kIommuPageFaultExecute : 0U) |
         (fault.privileged ? uapi::kIommuPageFaultPrivileged : 0U) | fault.more_permissions;
}

}  // namespace

Fault::~Fault() {
  hal::ensure(queue_.empty() && waiting_.empty(), "a fault queue ends with page faults that are owed an answer");
}

void Fault::set_file(FaultFile* file) {
  const std::lock_guard guard(*queue_lock_);
  file_ = file;
}

void Fault::queue_changed_locked() {
  if (file_) file_->tell(!queue_.empty());
}

void Fault::deliver(Device& device, std::uint32_t pasid, const domain::PageFaultGroup& group) {
  Units fresh;
  fresh.push_back({&device, pasid, group});
  const std::lock_guard guard(*queue_lock_);
  queue_.splice(queue_.end(), fresh);
  queue_changed_locked();
}

void Fault::answer_all(Device& device, std::uint32_t pasid) {
  const std::lock_guard guard(*answers_lock_);
  Units ended;
  const auto take = [&](Units& from) {
    for (auto at = from.begin(); at != from.end();) {
      const auto unit = at++;
      if (unit->device == &device && unit->pasid == pasid) ended.splice(ended.end(), from, unit);
    }
  };
  {
    const std::lock_guard queue(*queue_lock_);
    take(queue_);
    queue_changed_locked();
  }
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    take(at->second);
    at = at->second.empty() ? waiting_.erase(at) : std::next(at);
  }
  for (const Unit& unit : ended) device.hardware().answer_page_fault(unit.group, domain::PageAnswer::kInvalid);
}

// One message a page; the last one says so.
int Fault::copy_unit(hal::Process& caller, std::uint64_t user_va, const Unit& unit, std::uint32_t cookie) const {
  const domain::PageFaultGroup& group = unit.group;
  for (const domain::PageFault& page : group.pages) {
    uapi::IommuHwptPageFault message{};
    if (group.process_valid) message.flags |= uapi::kIommuPageFaultPasidValid;
    if (&page == &group.pages.back()) message.flags |= uapi::kIommuPageFaultLastPage;
    message.dev_id = unit.device->id();
    message.pasid = group.process_id;
    message.grpid = group.index;
    message.perm = permissions(page);
    message.addr = page.iova;
    message.cookie = cookie;
    if (caller.copy_to_user(user_va, &message, kMessage) != 0) return EFAULT;
    user_va += kMessage;
  }
  return 0;
}

std::int64_t Fault::read(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes) {
  if (bytes % kMessage != 0) return -ESPIPE;
  const std::lock_guard guard(*answers_lock_);
  std::uint64_t done = 0;
  int error = 0;
  for (;;) {
    const Unit* unit = nullptr;  // stays in front until it is copied: nobody else removes units now
    {
      const std::lock_guard queue(*queue_lock_);
      if (!queue_.empty()) unit = &queue_.front();
    }
    if (!unit) break;
    const std::uint64_t size = unit->group.pages.size() * kMessage;
    if (size > bytes - done) break;
    std::uint32_t cookie = 1;
    for (auto at = waiting_.begin(); at != waiting_.end() && at->first == cookie; ++at) ++cookie;
    std::map<std::uint32_t, Units>::iterator place;
    try {
      place = waiting_.emplace(cookie, Units()).first;
    } catch (const std::bad_alloc&) {
      error = ENOMEM;
      break;
    }
    error = copy_unit(caller, user_va + done, *unit, cookie);
    if (error) {
      waiting_.erase(place);
      break;
    }
    const std::lock_guard queue(*queue_lock_);
    place->second.splice(place->second.begin(), queue_, queue_.begin());
    queue_changed_locked();
    done += size;
  }
  return done == 0 ? -error : static_cast<std::int64_t>(done);
}

std::int64_t Fault::write(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes) {
  if (bytes % kResponse != 0) return -ESPIPE;
  const std::lock_guard guard(*answers_lock_);
  std::uint64_t done = 0;
  int error = 0;
  for (; done < bytes; done += kResponse) {
    uapi::IommuHwptPageResponse response{};
    error = EFAULT;
    if (caller.copy_from_user(&response, user_va + done, kResponse) != 0) break;
    error = EINVAL;
    if (response.code > uapi::kIommuPageResponseInvalid) break;
    const auto at = waiting_.find(response.cookie);
    if (at == waiting_.end()) break;
    error = 0;
    const Units units = std::move(at->second);
    waiting_.erase(at);
    units.front().device->hardware().answer_page_fault(
        units.front().group,
        response.code == uapi::kIommuPageResponseSuccess ? domain::PageAnswer::kSuccess : domain::PageAnswer::kInvalid);
  }
  return done == 0 ? -error : static_cast<std::int64_t>(done);
}

}  // namespace iommusim::iommufd
