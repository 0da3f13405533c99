// SPDX-License-Identifier: Apache-2.0
// The host's callbacks as the ports that the engines have. A copy of the caller's table is held, cut to the size that
// the caller knew.
#pragma once

#include <deque>

#include "embed/iommusim.h"
#include "stats/stats.h"
#include "timing/injector.h"
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

  translate::MemoryAnswer read(const translate::MemoryAsk& ask) override {
    return with_injections(ask, false, [&] { return perform_read(ask); });
  }
  translate::MemoryStatus write(const translate::MemoryAsk& ask) override {
    return with_injections(ask, true, [&] { return translate::MemoryAnswer{perform_write(ask), {}}; }).status;
  }
  translate::MemoryAnswer compare_swap(const translate::MemoryAsk& ask) override {
    return with_injections(ask, true, [&] { return perform_swap(ask); });
  }
  void send(const translate::DeviceMessage& message) override;

  /// Asked at each access from now on. `cycle` is the present one, of `clock`.
  void inject(timing::Injector* injector, const base::Cycle& cycle, const base::Clock& clock) {
    injector_ = injector;
    cycle_ = &cycle;
    clock_ = clock;
  }

  /// Tells the host the wires that changed since the last call.
  void show_wires(std::uint16_t wires) {
    if (wires != wires_) tell_wires(wires);
  }
  /// To the callback, or to who polls.
  void deliver(const iommusim_result& result);
  bool poll(iommusim_result& result);

 private:
  void tell_wires(std::uint16_t wires);
  template <class Perform>
  translate::MemoryAnswer with_injections(const translate::MemoryAsk& ask, bool is_write, Perform&& perform) {
    std::uint64_t delay_ns = 0;  // without time there is none
    return timing::perform_with(injector_, ask, is_write, injector_ == nullptr ? 0 : clock_.time_of(*cycle_), delay_ns,
                                perform);
  }
  translate::MemoryAnswer perform_read(const translate::MemoryAsk& ask);
  translate::MemoryStatus perform_write(const translate::MemoryAsk& ask);
  translate::MemoryAnswer perform_swap(const translate::MemoryAsk& ask);

  iommusim_host table_{};
  std::deque<iommusim_result> results_;
  HostStats stats_;
  std::uint16_t wires_ = 0;
  timing::Injector* injector_ = nullptr;
  const base::Cycle* cycle_ = nullptr;
  base::Clock clock_{1000};
};

}  // namespace iommusim::embed
