// SPDX-License-Identifier: Apache-2.0
// The configuration space that a program reads and writes: registers that live here (base addresses, message
// addresses), bits that switch the function (memory, bus mastering, power state, wire interrupts), and bits that the
// kernel owns (enabling of MSI and MSI-X, which SET_IRQS does). Accesses have any length and alignment. Not
// thread-safe; its owner guards it and acts on what a write tells.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vfio/config_layout.h"

namespace iommusim::vfio {

class ConfigSpace {
 public:
  explicit ConfigSpace(ConfigLayout layout);

  std::uint32_t size() const { return static_cast<std::uint32_t>(layout_.value.size()); }
  /// All registers as after power-on.
  void restart();

  /// [offset, offset + bytes) lies inside.
  void read(std::uint32_t offset, void* out, std::size_t bytes) const;
  struct Written {
    bool switches = false;        ///< command or power state may have changed
    bool function_reset = false;  ///< the program asked for a reset of the function
  };
  Written write(std::uint32_t offset, const void* in, std::size_t bytes);

  bool memory_enabled() const { return in_d0() && (word(kCfgCommand) & kCommandMemory) != 0; }
  bool bus_master() const { return in_d0() && (word(kCfgCommand) & kCommandMaster) != 0; }
  bool wire_disabled() const { return (word(kCfgCommand) & kCommandIntxDisable) != 0; }

  // What the kernel shows.
  void show_wire(bool asserted);
  /// MSI: `vectors` 0 switches it off, else so many were granted.
  void show_msi(unsigned vectors);
  void show_msix(bool enabled);

 private:
  std::uint16_t word(std::uint32_t at) const;
  void set_word(std::uint32_t at, std::uint16_t value);
  bool in_d0() const;
  void settle_power(std::uint16_t before);
  void settle_msi();

  const ConfigLayout layout_;
  std::vector<std::uint8_t> value_;
  std::uint16_t msi_most_ = 0;  // log2 of the vectors granted, in place
  bool msi_granted_ = false;
};

}  // namespace iommusim::vfio
