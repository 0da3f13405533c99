// SPDX-License-Identifier: Apache-2.0
#include "platform/exec/exec_function.h"

#include <cstring>

namespace iommusim::platform {

namespace {

/// Model: DMA that has not ended by then waits for software (a page request): it ends when software answers.
constexpr std::uint64_t kResetLimitPs = 100'000'000'000;

hal::TlmMmioParams program_mmio_of(const SystemParams& params) {
  hal::TlmMmioParams out;
  out.cpu_read_ns = out.cpu_write_ns = params.software.cost.mmio_ns;
  return out;
}

}  // namespace

ExecFunction::ExecFunction(const ExecSlot& slot, const SystemParams& params, hal::SimDriver& driver,
                           InterruptCourier& courier, stats::Group& parent)
    : slot_(slot),
      driver_(driver),
      courier_(courier),
      model_(make_pci_model(slot.name, params.devices.at(slot.name), parent)),
      atc_(slot.name, params.devices.at(slot.name).atc, base::DeviceId(slot.id), params.seed.timing, model_->socket(),
           parent),
      mmio_((slot.name + "_mmio").c_str(), program_mmio_of(params), driver),
      table_(std::size_t{16} * slot.identity.msix.vectors) {
  mmio_.socket.bind(model_->registers());
  model_->connect(this);
  model_->set_bus_master(false);
}

bool ExecFunction::in_table(std::uint64_t offset) const {
  return offset - slot_.identity.msix.table_offset < table_.size();
}

/// Registers are words: of a narrower access the word is read, and written back. None of these devices has a register
/// whose reading does something.
bool ExecFunction::access(bool write, std::uint64_t offset, unsigned bytes, std::uint64_t& value) {
  if (bytes >= 4) return mmio_.try_access(write, offset, &value, bytes);
  std::uint32_t word = 0;
  const std::uint64_t word_offset = offset & ~3ULL;
  const unsigned shift = static_cast<unsigned>(offset & 3) * 8;
  const std::uint32_t mask = ((1U << 8 * bytes) - 1) << shift;
  if (!mmio_.try_access(false, word_offset, &word, sizeof word)) return false;
  if (!write) {
    value = (word & mask) >> shift;
    return true;
  }
  word = (word & ~mask) | (static_cast<std::uint32_t>(value) << shift & mask);
  return mmio_.try_access(true, word_offset, &word, sizeof word);
}

std::uint64_t ExecFunction::bar_read(unsigned bar, std::uint64_t offset, unsigned bytes) {
  std::uint64_t value = 0;
  if (in_table(offset)) {
    const std::lock_guard<std::mutex> guard(table_lock_);
    std::memcpy(&value, table_.data() + (offset - slot_.identity.msix.table_offset), bytes);
    return value;
  }
  const std::uint64_t start = driver_.now_ps();
  if (!access(false, offset, bytes, value)) value = ~0ULL;  // PCI: nobody answered
  if (listener_ != nullptr) listener_->mmio(slot_.id, bar, offset, bytes, false, value, start, driver_.now_ps());
  return value;
}

void ExecFunction::bar_write(unsigned bar, std::uint64_t offset, unsigned bytes, std::uint64_t value) {
  if (in_table(offset)) {
    const std::lock_guard<std::mutex> guard(table_lock_);
    std::memcpy(table_.data() + (offset - slot_.identity.msix.table_offset), &value, bytes);
    return;
  }
  const std::uint64_t start = driver_.now_ps();
  std::uint64_t written = value;
  (void)access(true, offset, bytes, written);
  if (listener_ != nullptr) listener_->mmio(slot_.id, bar, offset, bytes, true, value, start, driver_.now_ps());
}

void ExecFunction::set_bus_master(bool on) {
  const hal::SimDriver::Turn turn(driver_);
  model_->set_bus_master(on);
}

void ExecFunction::connect(vfio::PciInterruptSink* sink) {
  const std::lock_guard<std::mutex> guard(sink_lock_);
  sink_ = sink;
}

/// In a process of the simulation.
void ExecFunction::raise(unsigned vector) {
  courier_.post([this, vector] {
    const std::lock_guard<std::mutex> guard(sink_lock_);
    if (sink_ != nullptr) sink_->message(vector);
  });
}

void ExecFunction::reset() {
  set_bus_master(false);
  (void)driver_.run_until([this] { return model_->idle(); }, kResetLimitPs);
  {
    const hal::SimDriver::Turn turn(driver_);
    model_->reset();
  }
  const std::lock_guard<std::mutex> guard(table_lock_);
  std::fill(table_.begin(), table_.end(), std::uint8_t{0});
}

}  // namespace iommusim::platform
