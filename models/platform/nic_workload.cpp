// SPDX-License-Identifier: Apache-2.0
#include "platform/nic_workload.h"

#include <algorithm>

#include "base/error.h"

namespace iommusim::platform {

namespace {

drivers::rings::NicQueueOptions options_of(const DeviceParams& params, unsigned queue) {
  const DriverParams& driver = params.driver;
  drivers::rings::NicQueueOptions out;
  out.queue = queue;
  out.entries = driver.ring_entries;
  out.buffers = buffer_options_of(driver, driver.buffer_pages, queue);
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
    : RingWorkload(name, params, params.nic, system, params.nic.queues, buffer, parent),
      buffer_step_(nic_memory(params) / params.nic.queues) {
  for (std::uint32_t queue = 0; queue < params.nic.queues; ++queue) {
    Flow flow;
    flow.to_receive = devices::share_of(params.nic.receive_packets, params.nic.queues, queue);
    flow.to_send = devices::share_of(params.nic.transmit_packets, params.nic.queues, queue);
    flows_.push_back(flow);
  }
}

void NicWorkload::open(Kernel& kernel) {
  take_seat(kernel, ".nic.bdf");
  drivers::rings::NicClient& application = *this;
  for (unsigned queue = 0; queue < flows_.size(); ++queue)
    expect_open(
        open_queue(std::make_unique<drivers::rings::NicQueue>(
            seat_.os(), seat_.mmio(), seat_.port(), queue * buffer_step_, options_of(params_, queue), application)),
        "its rings cannot be mapped");
}

void NicWorkload::run(Kernel& kernel) {
  seat_.mmio().write32(device_hw::nic::kControl, 1);
  serve_queues(kernel);
  seat_.mmio().write32(device_hw::nic::kControl, 0);
}

void NicWorkload::close(Kernel&) {
  close_queues();
  leave_seat();
  base::ensure(device_.idle(), "a NIC is not idle after its driver has closed it");
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
  return flow.sent == flow.to_send && flow.received + device_.lost(queue) == flow.to_receive;
}

// What is reported.

double NicWorkload::progress() const {
  std::uint64_t done = 0;
  for (const Flow& flow : flows_) done += flow.sent + flow.received;
  const std::uint64_t all = params_.nic.receive_packets + params_.nic.transmit_packets;
  return all == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(all);
}

devices::Digest NicWorkload::digest() const {
  devices::Digest out = device_.digest();
  out.responses += digest_.responses;
  out.reads += digest_.reads;
  return out;
}

}  // namespace iommusim::platform
