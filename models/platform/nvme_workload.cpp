// SPDX-License-Identifier: Apache-2.0
#include "platform/nvme_workload.h"

#include "devices/wire.h"

namespace iommusim::platform {

namespace {

namespace nvme_hw = device_hw::nvme;

drivers::rings::NvmeQueueOptions nvme_options_of(const DeviceParams& params, unsigned queue) {
  const DriverParams& driver = params.driver;
  drivers::rings::NvmeQueueOptions out;
  out.queue = queue;
  out.entries = driver.ring_entries;
  out.depth = params.io.depth;
  out.buffers = buffer_options_of(driver, params.io.io_bytes / nvme_hw::kBlockBytes, queue);
  out.polling = driver.completion == Completion::kPolling;
  out.batch = driver.batch;
  out.command_ns = driver.packet_ns;
  return out;
}

/// Of a command in digests.
std::uint64_t identity_of(unsigned queue, std::uint64_t number) { return std::uint64_t{queue} << 48 | number; }

}  // namespace

std::uint64_t nvme_memory(const DeviceParams& params) {
  return drivers::rings::NvmeController::kMemory +
         params.io.queues * drivers::rings::NvmeQueue::memory(nvme_options_of(params, 0));
}

NvmeWorkload::NvmeWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system,
                           std::uint64_t buffer, stats::Group& parent)
    : RingWorkload(name, params, params.nvme, system, params.io.queues, buffer, parent),
      queue_step_(drivers::rings::NvmeQueue::memory(nvme_options_of(params, 0))) {
  for (std::uint32_t queue = 0; queue < params.io.queues; ++queue)
    threads_.push_back({base::Random(devices::scramble(system.seed.workload) + queue),
                        devices::share_of(params.io.count, params.io.queues, queue)});
}

void NvmeWorkload::open(Kernel& kernel) {
  take_seat(kernel, ".nvme.bdf");
  controller_ = std::make_unique<drivers::rings::NvmeController>(seat_.os(), seat_.mmio(), seat_.port(), 0);
  int error = controller_->open();
  drivers::rings::NvmeClient& application = *this;
  for (unsigned queue = 0; queue < threads_.size() && error == 0; ++queue)
    error = open_queue(std::make_unique<drivers::rings::NvmeQueue>(
        seat_.os(), seat_.mmio(), seat_.port(), *controller_,
        drivers::rings::NvmeController::kMemory + queue * queue_step_, nvme_options_of(params_, queue), application));
  expect_open(error, "its queues cannot be created");
}

void NvmeWorkload::run(Kernel& kernel) { serve_queues(kernel); }

void NvmeWorkload::close(Kernel&) {
  close_queues();
  controller_->close();
  leave_seat();
}

// The program.

bool NvmeWorkload::next(unsigned queue, drivers::rings::NvmeIo& out) {
  Thread& thread = threads_[queue];
  if (thread.begun == thread.commands) return false;
  out.number = ++thread.begun;
  out.blocks = params_.io.io_bytes / nvme_hw::kBlockBytes;
  const std::uint64_t places = params_.nvme.blocks / out.blocks;
  const std::uint64_t place =
      params_.io.sequential ? ((out.number - 1) * threads_.size() + queue) % places : thread.random.below(places);
  out.block = place * out.blocks;
  out.write = !thread.random.chance(params_.io.read_percent, 100);
  return true;
}

void NvmeWorkload::fill(unsigned, const drivers::rings::NvmeIo& io, std::uint8_t* data) {
  for (std::uint32_t i = 0; i < io.blocks; ++i)
    devices::fill_block(io.block + i, 0, data + std::size_t{i} * nvme_hw::kBlockBytes, nvme_hw::kBlockBytes);
}

void NvmeWorkload::done(unsigned queue, const drivers::rings::NvmeIo& io, int status, const std::uint8_t* data,
                        std::uint64_t latency_ns) {
  const std::uint64_t identity = identity_of(queue, io.number);
  const bool ok = status == nvme_hw::kSuccess;
  digest_.add_response(identity, ok ? translate::Response::kSuccess : translate::Response::kCompleterAbort);
  ++(ok ? stats_.completed : stats_.failed);
  stats_.latency_ns.add(latency_ns);
  if (!ok) return;
  const std::size_t bytes = std::size_t{io.blocks} * nvme_hw::kBlockBytes;
  stats_.payload_bytes += bytes;
  if (io.write) return;
  std::vector<std::uint8_t> expected(bytes);
  fill(queue, io, expected.data());
  if (std::memcmp(expected.data(), data, bytes) != 0) ++stats_.mismatched;
  digest_.add_read(identity, devices::checksum(io.block * nvme_hw::kBlockBytes, data, bytes));
}

// What is reported.

double NvmeWorkload::progress() const {
  return static_cast<double>(stats_.completed.value() + stats_.failed.value()) / static_cast<double>(params_.io.count);
}

}  // namespace iommusim::platform
