// SPDX-License-Identifier: Apache-2.0
#include "platform/paging_workload.h"

#include <algorithm>
#include <mutex>

#include "base/bits.h"
#include "base/error.h"
#include "domain/errno_name.h"
#include "iommufd/device.h"
#include "platform/address_map.h"
#include "platform/checks.h"
#include "platform/kernel.h"
#include "tlm/failure.h"

namespace iommusim::platform {

PagingWorkload::PagingWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system,
                               std::uint64_t buffer, stats::Group& parent)
    : name_(name),
      params_(params),
      seed_(system.seed.workload),
      buffer_(buffer),
      generator_(name.c_str(), params.uniform, system.seed.workload, parent),
      atc_(name, params.atc, generator_.device(), system.seed.timing, generator_.socket(), parent),
      stats_(parent, name + "_pager"),
      buffers_(system.software.buffer_digest) {}

void PagingWorkload::open(Kernel& kernel) {
  os_ = &kernel.os();
  lock_ = os_->make_mutex();
  changed_ = os_->make_wait_queue();
  program_ = kernel.start_program();
  hardware_ = &kernel.add_device(generator_.device().value, "devices." + name_ + ".uniform.bdf", params_.atc);
  int error = iommufd::device_bind(program_->context(), *hardware_, device_);
  if (error == 0) error = -program_->ioas_alloc(ioas_);
  iommufd::ObjectId page_table = ioas_;
  if (error == 0) error = iommufd::device_attach(program_->context(), device_, page_table);
  if (error == 0) error = hardware_->set_page_fault_handler(this);
  if (error != 0)
    throw ParameterError("devices." + name_, std::string("cannot be attached: ") + domain::errno_name(error) +
                                                 ", expected an IOMMU with a first stage and page requests");
  atc_.enable(*hardware_);
}

void PagingWorkload::run(Kernel&) {
  os_->start_thread("pager", [this] { bus::guarded([this] { serve_faults(); }); });
  generator_.start(params_.window.iova, [this] {
    finished_ = true;
    changed_->wake_all();
  });
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
  while (!finished_ || !faults_.empty()) {
    if (faults_.empty()) {
      changed_->wait(*lock_);
      continue;
    }
    const Waiting oldest = std::move(faults_.front());
    faults_.pop_front();
    guard.unlock();
    const domain::PageAnswer answer = serve(oldest.group);
    stats_.service_ns.add(os_->now_ns() - oldest.since_ns);
    hardware_->answer_page_fault(oldest.group, answer);
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

std::uint64_t PagingWorkload::bytes_of(std::uint64_t chunk) const {
  const std::uint64_t bytes = base::align_up(params_.uniform.window_bytes, base::kPageSize);
  return std::min(params_.window.chunk_bytes, bytes - chunk * params_.window.chunk_bytes);
}

void PagingWorkload::make_resident(std::uint64_t chunk) {
  if (is_resident_.count(chunk) != 0) return;
  const std::uint64_t limit = params_.paging.resident_bytes / params_.window.chunk_bytes;
  if (limit != 0 && resident_.size() >= limit) {
    ++stats_.evictions;
    evict_oldest();
  }
  const std::uint64_t offset = chunk * params_.window.chunk_bytes;
  const int error =
      -program_->ioas_map(ioas_, params_.window.iova + offset, kBufferVa + buffer_ + offset, bytes_of(chunk));
  if (error != 0)
    throw ParameterError("devices." + name_ + ".window.iova",
                         std::string("a chunk cannot be mapped: ") + domain::errno_name(error) +
                             ", expected a window inside what the IOMMU and memory can hold");
  ++stats_.maps;
  resident_.push_back(chunk);
  is_resident_.insert(chunk);
}

void PagingWorkload::evict_oldest() {
  const std::uint64_t chunk = resident_.front();
  const std::uint64_t iova = params_.window.iova + chunk * params_.window.chunk_bytes;
  resident_.pop_front();
  is_resident_.erase(chunk);
  base::ensure(program_->ioas_unmap(ioas_, iova, bytes_of(chunk)) == 0, "a chunk cannot be unmapped");
}

void PagingWorkload::close(Kernel& kernel) {
  atc_.disable();
  base::ensure(hardware_->set_page_fault_handler(nullptr) == 0, "a fault handler cannot be taken away");
  // The whole window, mapped or not: what it holds does not depend on what was unmapped when.
  for (std::uint64_t chunk = 0; chunk * params_.window.chunk_bytes < params_.uniform.window_bytes; ++chunk) {
    const std::uint64_t offset = chunk * params_.window.chunk_bytes;
    buffers_.mapped(ioas_, params_.window.iova + offset, bytes_of(chunk), program_->buffers() + buffer_ + offset);
  }
  buffers_.finish(kernel.memory());
  while (!resident_.empty()) evict_oldest();
  base::ensure(iommufd::device_detach(program_->context(), device_) == 0, "the device cannot be detached");
  base::ensure(iommufd::device_unbind(program_->context(), device_) == 0, "the device cannot be unbound");
  base::ensure(program_->destroy(ioas_) == 0, "an IOAS cannot be destroyed");
  base::ensure(program_->pinned_pages() == 0, "pages are pinned after everything was unmapped");
  program_.reset();
}

double PagingWorkload::progress() const {
  return static_cast<double>(transfers()) / static_cast<double>(params_.uniform.count);
}

std::uint64_t PagingWorkload::transfers() const {
  return generator_.master().statistics().completed.value() + failed_transfers();
}

std::uint64_t PagingWorkload::bytes_moved() const {
  const auto& stats = generator_.master().statistics();
  return stats.bytes_read.value() + stats.bytes_written.value();
}

}  // namespace iommusim::platform
