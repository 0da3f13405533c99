// SPDX-License-Identifier: Apache-2.0
#include "platform/exec/exec_machine.h"

#include "base/error.h"
#include "platform/address_map.h"
#include "platform/bus_maker.h"
#include "platform/checks.h"
#include "platform/results.h"
#include "platform/summary.h"

namespace iommusim::platform {

namespace {

constexpr unsigned kDma = 0, kWalks = 1;                  // ports of memory
constexpr std::uint64_t kEndLimitPs = 1'000'000'000'000;  // 1 s for what is in flight at the end

const SystemParams& checked_for_exec(const SystemParams& params, const ExecRam& ram) {
  check(params);
  if (ram.bytes > 1ULL << params.memory.physical_bits)
    throw ParameterError("memory.physical_bits",
                         "less than the memory that exec gives the machine, expected at least " +
                             std::to_string(base::log2_floor(ram.bytes - 1) + 1));
  if (ram.user_start < kKernelMemory || params.software.kernel_memory_bytes > ram.user_start - kKernelMemory)
    throw ParameterError("software.kernel_memory_bytes",
                         "more than exec has, expected at most " + std::to_string(ram.user_start - kKernelMemory));
  return params;
}

hal::SimDriverOptions driver_options(std::function<void(std::exception_ptr)> on_failure) {
  hal::SimDriverOptions out;
  out.check = [] { bus::rethrow_failure(); };
  out.on_failure = std::move(on_failure);
  return out;
}

hal::TlmMmioParams iommu_mmio_of(const SystemParams& params) {
  hal::TlmMmioParams out;
  out.cpu_read_ns = out.cpu_write_ns = params.software.cost.mmio_ns;
  return out;
}

std::vector<Topology::Named> named_of(const std::vector<ExecSlot>& slots) {
  std::vector<Topology::Named> named;
  for (const ExecSlot& slot : slots) named.push_back({slot.name, slot.id, static_cast<std::uint32_t>(named.size())});
  return named;
}

std::vector<std::string> names_of(const std::vector<ExecSlot>& slots) {
  std::vector<std::string> names;
  for (const ExecSlot& slot : slots) names.push_back(slot.name);
  return names;
}

}  // namespace

ExecMachine::ExecMachine(const SystemParams& params, const ExecRam& ram,
                         std::function<void(std::exception_ptr)> on_failure)
    : params_(checked_for_exec(params, ram)),
      places_(exec_slots(params_)),
      driver_(driver_options(std::move(on_failure))),
      os_(driver_, params_.software.cost.poll_ns),
      memory_("memory", params_.memory, {"dma", "iommu"}, root_, params_.seed.timing),
      messages_("messages", kMessageWindow, kMessageWindowBytes),
      iommu_("iommu", params_.iommu, 1, params_.seed.timing, root_),
      courier_(os_, params_.software.cost.interrupt_ns),
      topology_(params_, named_of(places_)),
      bus_(make_bus("bus", params_, topology_, {}, names_of(places_), root_)),
      mmio_("mmio", iommu_mmio_of(params_), driver_),
      ram_(ram.base, ram.bytes, params_.software.cost.memory_line_ns, driver_),
      interrupts_(os_, params_.software.vectors, hal::MessageTarget{kMessageWindow, 0},
                  params_.software.cost.interrupt_ns),
      bridge_(interrupts_),
      kernel_(params_, os_, ram_, {{"iommu", "", mmio_, interrupts_}}, topology_, root_) {
  memory_.store().back_with(ram.base, ram.bytes);
  for (const ExecSlot& place : places_)
    functions_.push_back(std::make_unique<ExecFunction>(place, params_, driver_, courier_, root_));
  iommu_.memory_dma().bind(memory_.port(kDma));
  bus_->to_iommu().bind(iommu_.dma(0));
  iommu_.memory_own().bind(messages_.in);
  messages_.out.bind(memory_.port(kWalks));
  messages_.connect(&bridge_);
  iommu_.connect(&bridge_);
  mmio_.socket.bind(iommu_.registers());
  for (unsigned port = 0; port < functions_.size(); ++port) functions_[port]->socket().bind(bus_->port(port));
  received_.emplace(
      root_, "the IOMMU's own accesses = memory.iommu.requests + interrupt messages, over the run",
      [this] { return iommu_.own_accesses(); },
      [this] { return memory_.port_statistics(kWalks).requests.value() + messages_.taken(); });
  boot();
}

ExecMachine::~ExecMachine() {
  courier_.stop();
  driver_.stop_thread();
}

void ExecMachine::boot() {
  kernel_.boot();
  for (const auto& function : functions_) {
    const ExecSlot& slot = function->slot();
    const DeviceParams& device = params_.devices.at(slot.name);
    PasidParams pasid = device.pasid;
    pasid.bits = slot.identity.pasid_bits;
    domain::Device& hardware = kernel_.add_device(slot.id, "devices." + slot.name, device.atc, pasid);
    function->atc().enable(hardware);
    slots_.push_back({function.get(), &hardware});
  }
}

void ExecMachine::finish(bool closed) {
  courier_.stop();
  (void)driver_.run_until_idle(kEndLimitPs);
  if (closed && !driver_.failed()) kernel_.shutdown();
  const bool idle = driver_.run_until_idle(kEndLimitPs);
  driver_.stop_thread();
  const hal::SimDriver::Turn turn(driver_);
  end_ps_ = driver_.now_ps();
  iommu_.statistics().advance(iommu_.cycle());
  if (idle && closed && iommu_.idle()) stats::check_identities(root_);
}

RunTotals ExecMachine::totals() const {
  RunTotals totals;
  for (const auto& function : functions_) {
    const devices::DmaMasterStats& dma = function->model().master().statistics();
    totals.failed_transfers += dma.failed.value();
    totals.transfers += dma.completed.value() + dma.failed.value();
    totals.bytes_moved += dma.bytes_read.value() + dma.bytes_written.value();
  }
  totals.simulated_ps = totals.workload_ps = end_ps_;
  return totals;
}

std::string ExecMachine::summary() {
  return summary_of(SummaryParts{params_, iommu_.statistics(), kernel_, totals(), nullptr});
}

void ExecMachine::write_results(const std::string& folder) {
  platform::write_results({params_, root_, totals(), std::nullopt, {}, summary()}, folder);
}

}  // namespace iommusim::platform
