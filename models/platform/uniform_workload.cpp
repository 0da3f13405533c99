// SPDX-License-Identifier: Apache-2.0
#include "platform/uniform_workload.h"

#include <algorithm>
#include <mutex>

#include "base/bits.h"
#include "base/error.h"
#include "domain/errno_name.h"
#include "iommufd/device.h"
#include "platform/address_map.h"
#include "platform/checks.h"
#include "platform/kernel.h"

namespace iommusim::platform {

UniformWorkload::UniformWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system,
                                 std::uint64_t buffer, stats::Group& parent)
    : name_(name),
      params_(params),
      buffer_(buffer),
      generator_(name.c_str(), params.uniform, system.seed.workload, parent),
      atc_(name, params.atc, generator_.device(), system.seed.timing, generator_.socket(), parent),
      buffers_(system.software.buffer_digest) {}

template <class Visit>
void UniformWorkload::for_each_chunk(Visit&& visit) const {
  const std::uint64_t bytes = base::align_up(params_.uniform.window_bytes, base::kPageSize);
  for (std::uint32_t flow = 0; flow < params_.uniform.flows; ++flow)
    for (std::uint64_t offset = 0; offset < bytes; offset += params_.window.chunk_bytes) {
      const std::uint64_t at = flow * params_.uniform.stride() + offset;
      visit(params_.window.iova + at, kBufferVa + buffer_ + at, std::min(params_.window.chunk_bytes, bytes - offset));
    }
}

void UniformWorkload::open(Kernel& kernel) {
  lock_ = kernel.os().make_mutex();
  changed_ = kernel.os().make_wait_queue();
  program_ = kernel.start_program();
  domain::Device& hardware =
      kernel.add_device(generator_.device().value, "devices." + name_ + ".uniform.bdf", params_.atc);
  int error = iommufd::device_bind(program_->context(), hardware, device_);
  if (error == 0) error = -program_->ioas_alloc(ioas_);
  iommufd::ObjectId page_table = ioas_;
  if (error == 0) error = iommufd::device_attach(program_->context(), device_, page_table);
  if (error != 0)
    throw ParameterError("devices." + name_, std::string("cannot be attached: ") + domain::errno_name(error) +
                                                 ", expected an IOMMU with a first stage that the driver can use");
  atc_.enable(hardware);
  for_each_chunk([&](std::uint64_t iova, std::uint64_t va, std::uint64_t bytes) {
    if (error == 0) error = -program_->ioas_map(ioas_, iova, va, bytes);
    if (error == 0) buffers_.mapped(ioas_, iova, bytes, va - kBufferVa + program_->buffers());
  });
  if (error != 0)
    throw ParameterError("devices." + name_ + ".window.iova",
                         std::string("the window cannot be mapped: ") + domain::errno_name(error) +
                             ", expected one inside what the IOMMU and memory can hold");
}

void UniformWorkload::run(Kernel&) {
  generator_.start(params_.window.iova, [this] {
    finished_ = true;
    changed_->wake_all();
  });
  std::unique_lock<hal::Mutex> guard(*lock_);
  while (!finished_) changed_->wait(*lock_);
}

void UniformWorkload::close(Kernel& kernel) {
  atc_.disable();
  buffers_.finish(kernel.memory());
  for_each_chunk([&](std::uint64_t iova, std::uint64_t, std::uint64_t bytes) {
    base::ensure(program_->ioas_unmap(ioas_, iova, bytes) == 0, "a chunk cannot be unmapped");
  });
  base::ensure(iommufd::device_detach(program_->context(), device_) == 0, "the device cannot be detached");
  base::ensure(iommufd::device_unbind(program_->context(), device_) == 0, "the device cannot be unbound");
  base::ensure(program_->destroy(ioas_) == 0, "an IOAS cannot be destroyed");
  base::ensure(program_->pinned_pages() == 0, "pages are pinned after everything was unmapped");
  program_.reset();
}

double UniformWorkload::progress() const {
  return static_cast<double>(transfers()) / static_cast<double>(params_.uniform.count);
}

std::uint64_t UniformWorkload::transfers() const {
  return generator_.master().statistics().completed.value() + failed_transfers();
}

std::uint64_t UniformWorkload::bytes_moved() const {
  const auto& stats = generator_.master().statistics();
  return stats.bytes_read.value() + stats.bytes_written.value();
}

}  // namespace iommusim::platform
