// SPDX-License-Identifier: Apache-2.0
// Byte order and interrupts of a RISC-V IOMMU (riscv_driver.md 2, steps 3 to 5; IOMMU 5.3, 5.21, 5.22).
#include <cerrno>

#include "drivers/riscv/riscv_iommu.h"

namespace iommusim::drivers::riscv {

int RiscvIommu::set_byte_order() {
  if ((fctl_ & hw::fctl::kBeMask) == 0) return 0;
  if ((capabilities_ & hw::capabilities::kEndMask) == 0) return ENODEV;  // big-endian for ever
  fctl_ &= static_cast<std::uint32_t>(~hw::fctl::kBeMask);
  ports_.mmio.write32(hw::kFctlOffset, fctl_);
  return 0;
}

int RiscvIommu::set_up_interrupts() {
  const unsigned vectors = std::min(ports_.interrupts.vectors(), hw::kMsiAddrCount);
  if (vectors == 0) return ENODEV;
  const std::uint64_t igs = field_of(capabilities_, hw::capabilities::kIgsMask, hw::capabilities::kIgsShift);
  std::uint64_t address = 0;
  std::uint32_t data = 0;
  const bool messages = igs != hw::igs::kWsi && ports_.interrupts.message_of(0, address, data);
  const bool wires = igs != hw::igs::kMsi;
  if (!messages && !wires) return ENODEV;
  const bool use_messages = messages && (options_.prefer_messages || !wires);

  const std::uint32_t fctl = use_messages ? fctl_ & static_cast<std::uint32_t>(~hw::fctl::kWsiMask)
                                          : fctl_ | static_cast<std::uint32_t>(hw::fctl::kWsiMask);
  if (fctl != fctl_) ports_.mmio.write32(hw::kFctlOffset, fctl_ = fctl);
  if (use_messages) set_up_messages(vectors);

  const std::uint64_t wanted =
      (std::uint64_t{0} << hw::icvec::kCivShift) | (std::uint64_t{1 % vectors} << hw::icvec::kFivShift) |
      (std::uint64_t{3 % vectors} << hw::icvec::kPmivShift) | (std::uint64_t{2 % vectors} << hw::icvec::kPivShift);
  ports_.mmio.write64(hw::kIcvecOffset, wanted);
  const std::uint64_t got = ports_.mmio.read64(hw::kIcvecOffset);  // WARL
  for (const unsigned shift : {hw::icvec::kCivShift, hw::icvec::kFivShift, hw::icvec::kPmivShift, hw::icvec::kPivShift})
    if (((got >> shift) & 15) >= vectors) return ENODEV;
  command_vector_ = static_cast<unsigned>(field_of(got, hw::icvec::kCivMask, hw::icvec::kCivShift));
  fault_vector_ = static_cast<unsigned>(field_of(got, hw::icvec::kFivMask, hw::icvec::kFivShift));
  page_vector_ = static_cast<unsigned>(field_of(got, hw::icvec::kPivMask, hw::icvec::kPivShift));
  connect_handlers();
  return 0;
}

void RiscvIommu::set_up_messages(unsigned vectors) {
  for (unsigned vector = 0; vector < vectors; ++vector) {
    std::uint64_t address = 0;
    std::uint32_t data = 0;
    if (!ports_.interrupts.message_of(vector, address, data)) continue;
    ports_.mmio.write64(hw::kMsiAddrOffset + vector * hw::kMsiAddrStride, address);
    ports_.mmio.write32(hw::kMsiDataOffset + vector * hw::kMsiDataStride, data);
    ports_.mmio.write32(hw::kMsiVecCtlOffset + vector * hw::kMsiVecCtlStride, 0);  // not masked
  }
}

std::vector<unsigned> RiscvIommu::used_vectors() const {
  std::vector<unsigned> vectors = {command_vector_, fault_vector_};
  if (uses_ats()) vectors.push_back(page_vector_);
  return vectors;
}

void RiscvIommu::connect_handlers() {
  handlers_connected_ = true;
  for (const unsigned vector : used_vectors())
    ports_.interrupts.set_handler(vector, [this, vector] {  // causes may share the vector
      const std::uint32_t pending = ports_.mmio.read32(hw::kIpsrOffset);
      if (vector == command_vector_ && (pending & hw::ipsr::kCipMask)) commands_.handle_interrupt();
      if (vector == fault_vector_ && (pending & hw::ipsr::kFipMask)) faults_.handle_interrupt();
      if (uses_ats() && vector == page_vector_ && (pending & hw::ipsr::kPipMask)) pages_.handle_interrupt();
    });
}

void RiscvIommu::disconnect_handlers() {
  if (!handlers_connected_) return;
  handlers_connected_ = false;
  for (const unsigned vector : used_vectors()) ports_.interrupts.set_handler(vector, {});
}

}  // namespace iommusim::drivers::riscv
