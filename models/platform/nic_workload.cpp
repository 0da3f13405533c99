// SPDX-License-Identifier: Apache-2.0
#include "platform/nic_workload.h"

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "domain/errno_name.h"
#include "platform/checks.h"
#include "platform/kernel.h"
#include "tlm/failure.h"

namespace iommusim::platform {

namespace {

drivers::rings::NicQueueOptions options_of(const DeviceParams& params, unsigned queue) {
  const DriverParams& driver = params.driver;
  drivers::rings::NicQueueOptions out;
  out.queue = queue;
  out.entries = driver.ring_entries;
  out.buffers.mapping = driver.mapping;
  out.buffers.scattered = driver.layout == BufferLayout::kScattered;
  out.buffers.pages = driver.buffer_pages;
  out.buffers.count = driver.buffers;
  out.buffers.wrong_every = driver.wrong_every;
  out.buffers.cpu = queue;
  out.receive = params.nic.receive_packets != 0;
  out.transmit = params.nic.transmit_packets != 0;
  out.polling = driver.completion == Completion::kPolling;
  out.batch = driver.batch;
  out.packet_ns = driver.packet_ns;
  return out;
}

}  // namespace

std::uint64_t nic_memory(const DeviceParams& params) {
  return params.nic.queues * drivers::rings::NicQueue::memory(options_of(params, 0));
}

NicWorkload::NicWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system,
                         std::uint64_t buffer, stats::Group& parent)
    : name_(name),
      params_(params),
      nic_(name.c_str(), params.nic, parent),
      seat_(name, params.driver, system, params.nic.queues, buffer),
      stats_(parent, name + "_driver"),
      buffer_step_(nic_memory(params) / params.nic.queues) {
  seat_.mmio().socket.bind(nic_.registers());
  nic_.connect(&seat_);
  for (std::uint32_t queue = 0; queue < params.nic.queues; ++queue) {
    Flow flow;
    flow.to_receive = devices::share_of(params.nic.receive_packets, params.nic.queues, queue);
    flow.to_send = devices::share_of(params.nic.transmit_packets, params.nic.queues, queue);
    flows_.push_back(flow);
  }
}

void NicWorkload::open(Kernel& kernel) {
  lock_ = kernel.os().make_mutex();
  changed_ = kernel.os().make_wait_queue();
  seat_.open(kernel, nic_.device(), "devices." + name_ + ".nic.bdf");
  drivers::rings::NicClient& application = *this;
  for (unsigned queue = 0; queue < flows_.size(); ++queue) {
    queues_.push_back(std::make_unique<drivers::rings::NicQueue>(
        seat_.os(), seat_.mmio(), seat_.port(), queue * buffer_step_, options_of(params_, queue), application));
    if (const int error = queues_.back()->open(); error != 0)
      throw ParameterError("devices." + name_ + ".driver", std::string("its rings cannot be mapped: ") +
                                                               domain::errno_name(error) +
                                                               ", expected IOVAs inside what the IOMMU can hold");
    seat_.interrupts().set_handler(queue, [this, queue] { queues_[queue]->interrupt(); });
  }
}

void NicWorkload::run(Kernel& kernel) {
  seat_.mmio().write32(device_hw::nic::kControl, 1);
  running_ = queues_.size();
  for (auto& queue : queues_)
    kernel.os().start_thread(name_ + "_queue", [this, served = queue.get()] {
      bus::guarded([&] {
        if (!served->run()) ++stats_.stopped;
      });
      --running_;
      changed_->wake_all();
    });
  std::unique_lock<hal::Mutex> guard(*lock_);
  while (running_ != 0) changed_->wait(*lock_);
  guard.unlock();
  seat_.mmio().write32(device_hw::nic::kControl, 0);
}

void NicWorkload::close(Kernel&) {
  for (auto& queue : queues_) {
    queue->close();
    for (const auto* const pool : {&queue->receive_buffers(), &queue->transmit_buffers()}) {
      stats_.maps += pool->maps();
      stats_.unmaps += pool->unmaps();
      stats_.wrong += pool->wrong();
    }
    stats_.interrupts += queue->waits().interrupts();
    stats_.polls += queue->waits().turns();
  }
  seat_.close();
  base::ensure(nic_.idle(), "a NIC is not idle after its driver has closed it");
  queues_.clear();
}

// The application.

void NicWorkload::received(unsigned queue, const std::uint8_t* data, std::size_t bytes, bool ok) {
  Flow& flow = flows_[queue];
  ++flow.received;
  if (!ok) {
    ++stats_.failed;
    return;
  }
  ++stats_.completed;
  stats_.payload_bytes += bytes;
  const std::uint64_t number = bytes < 16 ? 0 : devices::packet_number(data);
  if (number <= flow.last_number || bytes != params_.nic.packet_bytes ||
      !devices::packet_is_whole(queue, data, bytes)) {
    ++stats_.mismatched;
    return;
  }
  flow.last_number = number;
  digest_.add_read(std::uint64_t{queue} << 48 | number, devices::checksum(0, data, bytes));
}

std::uint32_t NicWorkload::next_to_send(unsigned queue, std::uint8_t* data, std::uint32_t room) {
  Flow& flow = flows_[queue];
  if (flow.made == flow.to_send) return 0;
  ++flow.made;
  const std::uint32_t bytes = std::min(params_.nic.packet_bytes, room);
  devices::fill_packet(queue, flow.made, 0, data, bytes);
  return bytes;
}

void NicWorkload::sent(unsigned queue, bool ok) {
  ++flows_[queue].sent;
  ++(ok ? stats_.completed : stats_.failed);
  if (ok) stats_.payload_bytes += params_.nic.packet_bytes;
}

bool NicWorkload::finished(unsigned queue) {
  const Flow& flow = flows_[queue];
  return flow.sent == flow.to_send && flow.received + nic_.lost(queue) == flow.to_receive;
}

// What is reported.

double NicWorkload::progress() const {
  std::uint64_t done = 0;
  for (const Flow& flow : flows_) done += flow.sent + flow.received;
  const std::uint64_t all = params_.nic.receive_packets + params_.nic.transmit_packets;
  return all == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(all);
}

devices::Digest NicWorkload::digest() const {
  devices::Digest out = nic_.digest();
  out.responses += digest_.responses;
  out.reads += digest_.reads;
  return out;
}

std::uint64_t NicWorkload::transfers() const {
  return nic_.master().statistics().completed.value() + failed_transfers();
}

std::uint64_t NicWorkload::bytes_moved() const {
  const auto& stats = nic_.master().statistics();
  return stats.bytes_read.value() + stats.bytes_written.value();
}

}  // namespace iommusim::platform
