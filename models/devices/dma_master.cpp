// SPDX-License-Identifier: Apache-2.0
#include "devices/dma_master.h"

#include <algorithm>
#include <string>

#include "base/bits.h"

namespace iommusim::devices {

namespace {

/// What the device is told. An error without a reason by the IOMMU is the memory's.
translate::Response response_of(const bus::PooledPayload& payload) {
  if (payload.dma.response != translate::Response::kSuccess) return payload.dma.response;
  return payload.is_response_ok() ? translate::Response::kSuccess : translate::Response::kCompleterAbort;
}

}  // namespace

void DmaLimits::check() const {
  if (outstanding == 0) throw base::InputError("outstanding is 0, expected at least 1");
  if (split_bytes < 64 || split_bytes > base::kPageSize || !base::is_power_of_two(split_bytes))
    throw base::InputError("split_bytes is " + std::to_string(split_bytes) +
                           ", expected a power of two from 64 to 4096");
}

DmaMaster::DmaMaster(const sc_core::sc_module_name& name, const DmaLimits& limits, DmaClient& client,
                     stats::Group& parent)
    : TimedModule(name),
      limits_((limits.check(), limits)),
      client_(client),
      stats_(parent, basename()),
      port_("socket", 0, *this),
      pool_(limits.split_bytes),
      returned_(limits.outstanding) {
  for (std::uint32_t slot = 0; slot <= limits.outstanding; ++slot) free_.push_back(slot);
  dmas_.resize(free_.size());
}

bool DmaMaster::try_issue(const DmaRequest& request) {
  const base::Picoseconds now = bus::now_ps();
  base::ensure(request.bytes > 0, "a DMA of no bytes");
  if (!can_issue(now)) {
    refused_ = true;
    ++stats_.refused;
    return false;
  }
  cutting_ = free_.back();
  free_.pop_back();
  Dma& dma = dmas_[cutting_];
  dma = Dma{};
  dma.request = request;
  dma.number = issued_++;
  dma.issued = now;
  ++stats_.issued;
  stats_.in_flight.enter(now);
  send_parts(now);
  return true;
}

void DmaMaster::send_parts(base::Picoseconds now) {
  while (cutting_ != kNone && parts_ < limits_.outstanding && port_.ready(now)) {
    Dma& dma = dmas_[cutting_];
    const std::uint64_t in_unit = (dma.request.iova + dma.sent) & (limits_.split_bytes - 1);
    const std::uint64_t bytes = std::min(dma.request.bytes - dma.sent, limits_.split_bytes - in_unit);
    send_part(dma, static_cast<std::uint32_t>(bytes));
  }
}

void DmaMaster::send_part(Dma& dma, std::uint32_t bytes) {
  const DmaRequest& request = dma.request;
  bus::PooledPayload& payload = pool_.take();
  std::uint8_t* data = request.data != nullptr ? request.data + dma.sent : payload.buffer();
  bus::set_access(payload, request.write, request.iova + dma.sent, data, bytes);
  if (request.write && request.data == nullptr) client_.produce(request, dma.sent, data, bytes);
  payload.dma.device = request.device;
  payload.dma.process = request.process;
  payload.dma.process_valid = request.process_valid;
  payload.dma.privileged = request.privileged;
  payload.dma.execute = request.execute;
  payload.dma.type = request.type;
  payload.dma.origin = dma.number;
  payload.slot = cutting_;
  payload.offset = dma.sent;
  dma.sent += bytes;
  if (dma.sent == request.bytes) cutting_ = kNone;
  ++parts_;
  ++stats_.parts;
  port_.send(payload);
}

void DmaMaster::response(unsigned, bus::Payload& payload, base::Picoseconds at) {
  returned_.push(at, static_cast<bus::PooledPayload*>(&payload));
  wake_at(at);
}

base::Picoseconds DmaMaster::work(base::Picoseconds now) {
  while (returned_.due(now)) part_returned(*returned_.pop(), now);
  send_parts(now);
  if (refused_ && can_issue(now)) {
    refused_ = false;
    client_.ready();
  }
  const bool waits_for_port = (refused_ || cutting_ != kNone) && !port_.ready(now);
  return std::min(returned_.next(), waits_for_port ? port_.ready_at() : base::kNever);
}

void DmaMaster::part_returned(bus::PooledPayload& payload, base::Picoseconds now) {
  const std::uint32_t slot = payload.slot;
  Dma& dma = dmas_[slot];
  const auto response = response_of(payload);
  dma.worst = std::max(dma.worst, response);
  dma.returned += payload.get_data_length();
  if (response == translate::Response::kSuccess && !dma.request.write && dma.request.data == nullptr)
    client_.consume(dma.request, payload.offset, payload.get_data_ptr(), payload.get_data_length());
  --parts_;
  payload.release();
  if (dma.returned == dma.request.bytes) finish(slot, now);
}

void DmaMaster::finish(std::uint32_t slot, base::Picoseconds now) {
  const Dma dma = dmas_[slot];  // a copy: the client may begin the next one in its place
  free_.push_back(slot);
  stats_.latency_ps.add(now - dma.issued);
  stats_.in_flight.leave(now);
  if (dma.worst == translate::Response::kSuccess) {
    ++stats_.completed;
    (dma.request.write ? stats_.bytes_written : stats_.bytes_read) += dma.request.bytes;
  } else {
    ++stats_.failed;
  }
  client_.completed(dma.request, dma.worst);
}

}  // namespace iommusim::devices
