// SPDX-License-Identifier: Apache-2.0
// The host's callbacks as the ports that the engines have. A copy of the caller's table is held, cut to the size that
// the caller knew.
#pragma once

#include <deque>

#include "embed/iommusim.h"
#include "stats/stats.h"
#include "translate/functional.h"

namespace iommusim::embed {

struct HostStats : stats::Group {
  using stats::Group::Group;
  Counter accesses{*this, "accesses", Unit::kCount, "memory accesses of the IOMMU itself, as callbacks"};
  Counter messages{*this, "messages", Unit::kCount, "PCIe messages to devices"};
  Counter wire_changes{*this, "wire_changes", Unit::kCount, "interrupt wires that changed their level"};
};

class Host final : public translate::MemoryPort, public translate::MessagePort {
 public:
  /// InputError when a callback that must be there is not.
  Host(const iommusim_host& table, stats::Group& parent);

  translate::MemoryAnswer read(const translate::MemoryAsk& ask) override;
  translate::MemoryStatus write(const translate::MemoryAsk& ask) override;
  translate::MemoryAnswer compare_swap(const translate::MemoryAsk& ask) override;
  void send(const translate::DeviceMessage& message) override;

  /// Tells the host the wires that changed since the last call.
  void show_wires(std::uint16_t wires) {
    if (wires != wires_) tell_wires(wires);
  }
  /// To the callback, or to who polls.
  void deliver(const iommusim_result& result);
  bool poll(iommusim_result& result);

 private:
  void tell_wires(std::uint16_t wires);

  iommusim_host table_{};
  std::deque<iommusim_result> results_;
  HostStats stats_;
  std::uint16_t wires_ = 0;
};

}  // namespace iommusim::embed
