// SPDX-License-Identifier: Apache-2.0
#include "devices/pci_test.h"

#include "traces/event.h"

namespace iommusim::devices {

namespace test_hw = device_hw::pci_test;

PciTest::PciTest(const sc_core::sc_module_name& name, const PciTestParams& params, stats::Group& parent)
    : TimedModule(name),
      params_(params),
      device_(traces::parse_source(params.bdf).key()),
      stats_(parent, basename()),
      master_("dma", DmaLimits{params.outstanding, params.split_bytes}, *this, stats_),
      registers_("registers", params.register_ns, *this) {}

std::uint64_t PciTest::read_register(std::uint32_t offset, unsigned bytes) {
  switch (offset) {
    case test_hw::kAddress:
      return bytes == 8 ? address_ : address_ & 0xffffffff;
    case test_hw::kAddress + 4:
      return address_ >> 32;
    case test_hw::kCommand: {
      const std::uint64_t command = command_ | (state_ == State::kIdle ? 0 : test_hw::kStart);
      return bytes == 8 ? command | std::uint64_t{result_} << 32 : command;
    }
    case test_hw::kResult:
      return result_;
    case test_hw::kTransfers:
      return transfers_;
    default:
      return 0;
  }
}

void PciTest::write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) {
  if (offset == test_hw::kAddress && bytes == 8)
    address_ = value;
  else if (offset == test_hw::kAddress)
    address_ = (address_ & ~0xffffffffULL) | (value & 0xffffffff);
  else if (offset == test_hw::kAddress + 4)
    address_ = (address_ & 0xffffffff) | value << 32;
  else if (offset == test_hw::kCommand)
    command(static_cast<std::uint32_t>(value));
}

void PciTest::command(std::uint32_t value) {
  if (state_ != State::kIdle) {
    stats_.ignored += value & test_hw::kStart;
    return;
  }
  command_ = value & test_hw::kFromMemory;
  if ((value & test_hw::kStart) == 0) return;
  state_ = State::kStarting;
  start_ = bus::now_ps() + params_.start_ns * 1000;
  wake_at(start_);
}

void PciTest::set_bus_master(bool on) {
  bus_master_ = on;
  wake_at(bus::now_ps());
}

void PciTest::reset() {
  address_ = 0;
  command_ = result_ = transfers_ = 0;
  state_ = State::kIdle;
  forgotten_ = moving_;
  buffer_ = {};
}

base::Picoseconds PciTest::work(base::Picoseconds now) {
  if (state_ != State::kStarting || moving_ || !bus_master_) return base::kNever;
  if (now < start_) return start_;
  DmaRequest request;
  request.iova = address_;
  request.bytes = in_flight_.size();
  request.write = (command_ & test_hw::kFromMemory) == 0;
  request.device = device_;
  request.data = in_flight_.data();
  if (request.write) in_flight_ = buffer_;
  if (!master_.try_issue(request)) return base::kNever;  // ready() comes
  state_ = State::kMoving;
  moving_ = true;
  return base::kNever;
}

void PciTest::completed(const DmaRequest& request, translate::Response response) {
  moving_ = false;
  if (forgotten_) {
    forgotten_ = false;
    wake_at(bus::now_ps());  // a command of after the reset may wait
    return;
  }
  state_ = State::kIdle;
  ++transfers_;
  const bool ok = response == translate::Response::kSuccess;
  result_ = ok ? test_hw::kDone : test_hw::kFailed;
  ++(!ok ? stats_.failed : request.write ? stats_.to_memory : stats_.into_device);
  if (ok && !request.write) buffer_ = in_flight_;
  if (sink_ != nullptr && bus_master_) sink_->raise(0);
}

}  // namespace iommusim::devices
