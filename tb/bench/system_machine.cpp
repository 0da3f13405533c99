// SPDX-License-Identifier: Apache-2.0
#include "system_machine.h"

#include "tlm/failure.h"

namespace iommusim::bench {

namespace {

std::vector<std::string> port_names(unsigned devices) {
  std::vector<std::string> names;
  for (unsigned i = 0; i < devices; ++i) names.push_back("port" + std::to_string(i));
  return names;
}

bus::MemoryParams memory_params() {
  bus::MemoryParams params;
  params.physical_bits = 46;
  params.latency_ns = 50;
  return params;
}

}  // namespace

Source::Source(const std::string& name, std::uint32_t outstanding, Machine& machine, stats::Group& parent)
    : machine_(machine), outstanding_(outstanding), master_(name.c_str(), {outstanding, 4096}, *this, parent) {}

void Source::pump() {
  devices::DmaRequest request;
  request.device = base::DeviceId(stream.device);
  request.bytes = 64;
  while (machine_.to_begin_ != 0 && in_flight_ < outstanding_) {
    request.iova = stream.address(number_, numbers_);
    if (!master_.try_issue(request)) return;
    ++number_;
    ++in_flight_;
    --machine_.to_begin_;
  }
}

void Source::completed(const devices::DmaRequest&, translate::Response response) {
  if (response != translate::Response::kSuccess) ++machine_.failed_;
  --in_flight_;
  if (--machine_.to_end_ == 0) return sc_core::sc_pause();
  pump();
}

Machine::Machine(const sc_core::sc_module_name& name, const MachineParams& params)
    : TimedModule(name),
      stats_(basename()),
      memory_("memory", memory_params(), {"dma", "own"}, stats_),
      iommu_("iommu", params.iommu, 1, 1, stats_),
      bus_("bus", params.bus, port_names(params.devices), stats_),
      tables_(memory_.store()) {
  iommu_.memory_dma().bind(memory_.port(0));
  iommu_.memory_own().bind(memory_.port(1));
  bus_.to_iommu().bind(iommu_.dma(0));
  processor_.socket.bind(iommu_.registers());
  for (unsigned i = 0; i < params.devices; ++i) {
    sources_.push_back(std::make_unique<Source>("device" + std::to_string(i), params.outstanding, *this, stats_));
    sources_.back()->socket().bind(bus_.port(i));
  }
}

void Machine::power_up() {
  std::uint64_t ddtp = tables_.directory() >> 2 | 4;
  bus::Payload payload;
  bus::set_access(payload, true, spec::kDdtpOffset, reinterpret_cast<std::uint8_t*>(&ddtp), 8);
  processor_.socket->transport_dbg(payload);
}

std::uint64_t Machine::run(std::uint64_t count) {
  to_begin_ = to_end_ = count;
  failed_ = 0;
  wake_at(bus::now_ps());
  while (to_end_ != 0) {
    sc_core::sc_start();
    bus::rethrow_failure();
  }
  return failed_;
}

base::Picoseconds Machine::work(base::Picoseconds) {
  for (const auto& source : sources_) source->pump();
  return base::kNever;
}

}  // namespace iommusim::bench
