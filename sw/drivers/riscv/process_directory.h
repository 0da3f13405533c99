// SPDX-License-Identifier: Apache-2.0
// The process directory of one device: where the context of a PASID lies (IOMMU 2.2). Tables are added as PASIDs come,
// and stay until the directory ends; an entry goes from invalid to valid only, so nothing has to be forgotten for it.
#pragma once

#include "drivers/riscv/ports.h"

namespace iommusim::drivers::riscv {

class ProcessDirectory {
 public:
  /// The widest PASID that a hardware with these capabilities can look up, as bits; 0: none.
  static unsigned widest(std::uint64_t capabilities);

  /// The shallowest directory that the hardware has for PASIDs of `bits` bits, or the deepest if none is deep enough.
  ProcessDirectory(const Ports& ports, std::uint64_t capabilities, unsigned bits);
  ~ProcessDirectory();
  ProcessDirectory(const ProcessDirectory&) = delete;
  ProcessDirectory& operator=(const ProcessDirectory&) = delete;

  /// Where the context of a PASID lies, all zeros at first. 0, ENOMEM.
  int locate(std::uint32_t process_id, std::uint64_t& context_out);
  /// The word of a device context that points here; locate() has succeeded once.
  std::uint64_t pdtp() const;
  unsigned levels() const { return levels_; }

 private:
  void release(std::uint64_t table, unsigned level);

  const Ports& ports_;
  const unsigned levels_;
  std::uint64_t root_ = 0;
};

}  // namespace iommusim::drivers::riscv
