// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets of the translation share: any implementation that the specification allows, memory that counts
// the IOMMU's accesses, and bounds on them.
#pragma once

#include "base/error.h"
#include "choices.h"
#include "machine.h"

namespace iommusim::fuzz {

using timing::test::Choices;

/// Contradictions of the choice are settled in favour of less.
inline spec::Implementation random_implementation(Choices& choices) {
  spec::Implementation result;
  const std::uint8_t kind = choices.byte();
  if (kind < 32) return result;
  result.set_capabilities(choices.number(8));
  constexpr spec::InterruptSupport kSupports[] = {spec::InterruptSupport::kMsi, spec::InterruptSupport::kWsi,
                                                  spec::InterruptSupport::kBoth};
  result.igs = choices.pick(kSupports);
  result.pas = 32 + choices.below(25);
  result.fctl = (result.igs == spec::InterruptSupport::kWsi ? 2U : 0U) | (result.end ? choices.below(2) : 0U);
  result.vector_bits = choices.below(5);
  result.gxl_writeable = choices.flag();
  if (result.gxl_writeable && result.sv32 && result.sv32x4) result.fctl |= 4;
  result.be_writeable = choices.flag();
  result.qosid_mask = static_cast<std::uint32_t>(choices.number(4));
  result.itags = 1 + choices.below(32);
  result.device_id_mask = choices.flag() ? 0xffffff : static_cast<std::uint32_t>(choices.number(3));
  result.num_hpm = result.hpm ? 2 + choices.below(31) : 0;
  result.sv48 = result.sv48 && result.sv39;
  result.sv57 = result.sv57 && result.sv48;
  result.t2gpa = result.t2gpa && result.ats;
  result.msi_mrif = result.msi_mrif && result.msi_flat;
  base::ensure(result.contradiction() == nullptr, "the implementation is contradictory");
  return result;
}

/// Memory that stops what goes on for ever: `limit` accesses since the last clear_counts().
class BoundedMemory : public translate::test::SparseMemory {
 public:
  explicit BoundedMemory(unsigned limit) : limit_(limit) {}

  translate::MemoryAnswer read(const translate::MemoryAsk& ask) override {
    count();
    return SparseMemory::read(ask);
  }
  translate::MemoryStatus write(const translate::MemoryAsk& ask) override {
    count();
    return SparseMemory::write(ask);
  }
  translate::MemoryAnswer compare_swap(const translate::MemoryAsk& ask) override {
    count();
    return SparseMemory::compare_swap(ask);
  }
  void begin() { accesses_ = 0; }

 private:
  void count() { base::ensure(++accesses_ <= limit_, "more memory accesses than any operation needs"); }
  unsigned limit_;
  unsigned accesses_ = 0;
};

inline translate::Request random_request(Choices& choices, std::uint32_t device, std::uint64_t iova) {
  constexpr translate::AddressType kTypes[] = {
      translate::AddressType::kUntranslated, translate::AddressType::kUntranslated, translate::AddressType::kTranslated,
      translate::AddressType::kAtsRequest};
  constexpr translate::Access kAccesses[] = {translate::Access::kRead, translate::Access::kWrite,
                                             translate::Access::kAtomic};
  translate::Request request = translate::test::Machine::request(device, iova, choices.pick(kAccesses));
  request.type = choices.pick(kTypes);
  const std::uint8_t bits = choices.byte();
  request.process_valid = (bits & 1) != 0;
  request.privileged = request.process_valid && (bits & 2) != 0;
  // ATS is PCIe's: without a PASID nothing is executed.
  const bool may_execute = request.type == translate::AddressType::kUntranslated || request.process_valid;
  request.execute = may_execute && request.access == translate::Access::kRead && (bits & 4) != 0;
  const bool ats = request.type == translate::AddressType::kAtsRequest;
  if (ats) request.access = translate::Access::kRead;
  request.no_write = ats && (bits & 8) != 0;
  request.cxl = ats && (bits & 16) != 0;
  if (request.process_valid) request.process = base::ProcessId(static_cast<std::uint32_t>(choices.number(3)) & 0xfffff);
  if (request.access == translate::Access::kWrite &&
      (bits & 32) != 0) {  // a message, should it reach an interrupt file
    request.bytes = 4;
    request.stores_msi = true;
    request.data = static_cast<std::uint32_t>(iova) ^ (bits >> 6);
    request.iova = base::Iova(iova & ~base::mask_of(12) & ~4ULL);
  }
  return request;
}

}  // namespace iommusim::fuzz
