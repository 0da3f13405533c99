// SPDX-License-Identifier: Apache-2.0
// Ignorable extensions of accesses to memory. AtomicExtension turns a READ into a compare-and-swap that returns the old
// value; PoisonExtension tells corrupted data from other errors; OriginExtension tells what an IOMMU makes the access
// for. Whoever sends the payload owns them.
#pragma once

#include "tlm/systemc.h"
#include "translate/ask.h"

namespace iommusim::bus {

class AtomicExtension : public ::tlm::tlm_extension<AtomicExtension> {
 public:
  std::uint64_t expected = 0;
  std::uint64_t desired = 0;
  std::uint8_t bytes = 0;  ///< 4 or 8, the payload's length, naturally aligned; 0: an ordinary access

  ::tlm::tlm_extension_base* clone() const override { return new AtomicExtension(*this); }
  void copy_from(const ::tlm::tlm_extension_base& other) override {
    *this = static_cast<const AtomicExtension&>(other);
  }
};

class PoisonExtension : public ::tlm::tlm_extension<PoisonExtension> {
 public:
  bool poisoned = false;  ///< set by the memory, together with TLM_GENERIC_ERROR_RESPONSE

  ::tlm::tlm_extension_base* clone() const override { return new PoisonExtension(*this); }
  void copy_from(const ::tlm::tlm_extension_base& other) override {
    *this = static_cast<const PoisonExtension&>(other);
  }
};

class OriginExtension : public ::tlm::tlm_extension<OriginExtension> {
 public:
  bool own = false;  ///< an access of the IOMMU itself; else the DMA of `device`
  translate::Structure structure = translate::Structure::kDdt;  ///< own
  base::DeviceId device{};                                      ///< DMA
  translate::QosId qos{};

  ::tlm::tlm_extension_base* clone() const override { return new OriginExtension(*this); }
  void copy_from(const ::tlm::tlm_extension_base& other) override {
    *this = static_cast<const OriginExtension&>(other);
  }
};

}  // namespace iommusim::bus
