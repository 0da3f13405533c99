// SPDX-License-Identifier: Apache-2.0
// The performance monitor in time (IOMMU 5.19 to 5.23). Cycles are counted when somebody looks, and at the cycle in
// which the counter overflows; events when they happen. What matches and what an overflow does is
// translate::Registers'.
#pragma once

#include "base/time.h"
#include "translate/cache_entries.h"
#include "translate/registers.h"
#include "translate/request.h"

namespace iommusim::timing {

class Monitor {
 public:
  explicit Monitor(translate::Registers& registers) : registers_(registers), present_(registers.implementation().hpm) {}

  bool present() const { return present_; }
  /// Brings iohpmcycles to `now`: before each access to a register.
  void catch_up(base::Cycle now) {
    if (!present_ || now == counted_) return;
    registers_.count_cycles(now - counted_);
    counted_ = now;
  }
  /// After each write to a register, and after an overflow: when iohpmcycles overflows next.
  void find_overflow();
  /// kNever, or when iohpmcycles overflows and raises pmip.
  base::Cycle next_overflow() const { return overflow_; }

  void count_request(const translate::Request& request);
  /// An event that belongs to `request`; `tag` is the address space, where there is one.
  void count(translate::HpmEvent event, const translate::Request& request, const translate::AddressSpaceTag& tag = {});

 private:
  translate::Registers& registers_;
  base::Cycle counted_ = 0;
  base::Cycle overflow_ = base::kNever;
  bool present_;
};

}  // namespace iommusim::timing
