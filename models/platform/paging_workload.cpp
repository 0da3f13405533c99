// SPDX-License-Identifier: Apache-2.0
#include "platform/paging_workload.h"

#include <mutex>

#include "base/error.h"
#include "domain/errno_name.h"
#include "platform/checks.h"
#include "platform/kernel.h"
#include "tlm/failure.h"

namespace iommusim::platform {

PagingWorkload::PagingWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system,
                               std::uint64_t buffer, stats::Group& parent)
    : GeneratorWorkload(name, params, system, buffer, parent),
      seed_(system.seed.workload),
      stats_(parent, name + "_pager") {}

void PagingWorkload::open(Kernel& kernel) {
  attach(kernel);
  if (const int error = attachment_.hardware().set_page_fault_handler(this); error != 0)
    throw ParameterError("devices." + name_, std::string("cannot be attached: ") + domain::errno_name(error) +
                                                 ", expected an IOMMU with a first stage and page requests");
}

void PagingWorkload::run(Kernel&) {
  os_->start_thread("pager", [this] { bus::guarded([this] { serve_faults(); }); });
  start();
  std::unique_lock<hal::Mutex> guard(*lock_);
  while (!pager_ended_) changed_->wait(*lock_);
}

/// In the driver's thread.
void PagingWorkload::page_fault(const domain::PageFaultGroup& group) {
  const std::unique_lock<hal::Mutex> guard(*lock_);
  faults_.push_back({group, os_->now_ns()});
  changed_->wake_all();
}

void PagingWorkload::serve_faults() {
  std::unique_lock<hal::Mutex> guard(*lock_);
  while (!finished() || !faults_.empty()) {
    if (faults_.empty()) {
      changed_->wait(*lock_);
      continue;
    }
    const Waiting oldest = std::move(faults_.front());
    faults_.pop_front();
    guard.unlock();
    const domain::PageAnswer answer = serve(oldest.group);
    stats_.service_ns.add(os_->now_ns() - oldest.since_ns);
    attachment_.hardware().answer_page_fault(oldest.group, answer);
    guard.lock();
  }
  pager_ended_ = true;
  changed_->wake_all();
}

/// One answer serves a whole group: what can be mapped is, and a page that is refused decides.
domain::PageAnswer PagingWorkload::serve(const domain::PageFaultGroup& group) {
  ++stats_.groups;
  stats_.pages += group.pages.size();
  bool refused = false;
  for (const domain::PageFault& page : group.pages) {
    const std::uint64_t offset = page.iova - params_.window.iova;
    if (offset >= params_.uniform.window_bytes || refuses(offset / params_.window.chunk_bytes))
      refused = true;
    else
      make_resident(offset / params_.window.chunk_bytes);
  }
  if (!refused) return domain::PageAnswer::kSuccess;
  ++stats_.refusals;
  return domain::PageAnswer::kInvalid;
}

bool PagingWorkload::refuses(std::uint64_t chunk) const {
  return devices::scramble(devices::scramble(seed_) + chunk) % 100 < params_.paging.refuse_percent;
}

void PagingWorkload::make_resident(std::uint64_t chunk) {
  if (is_resident_.count(chunk) != 0) return;
  const std::uint64_t limit = params_.paging.resident_bytes / params_.window.chunk_bytes;
  if (limit != 0 && resident_.size() >= limit) {
    ++stats_.evictions;
    evict_oldest();
  }
  if (const int error = map(chunks()[chunk]); error != 0)
    throw ParameterError("devices." + name_ + ".window.iova",
                         std::string("a chunk cannot be mapped: ") + domain::errno_name(error) +
                             ", expected a window inside what the IOMMU and memory can hold");
  ++stats_.maps;
  resident_.push_back(chunk);
  is_resident_.insert(chunk);
}

void PagingWorkload::evict_oldest() {
  const std::uint64_t chunk = resident_.front();
  resident_.pop_front();
  is_resident_.erase(chunk);
  unmap(chunks()[chunk]);
}

void PagingWorkload::close(Kernel& kernel) {
  atc_.disable();
  base::ensure(attachment_.hardware().set_page_fault_handler(nullptr) == 0, "a fault handler cannot be taken away");
  // The whole window, mapped or not: what it holds does not depend on what was unmapped when.
  for (const Chunk& chunk : chunks()) take_digest(chunk);
  buffers_.finish(kernel.memory());
  while (!resident_.empty()) evict_oldest();
  detach();
}

}  // namespace iommusim::platform
