// SPDX-License-Identifier: Apache-2.0
// The performance monitor (IOMMU 5.19 to 5.23): which counters an event increments, and what an overflow does.
#include "translate/registers.h"

namespace iommusim::translate {
namespace {

namespace evt = spec::iohpmevt;

/// DMASK: the low bits of the selector up to and including its first 0 are not compared.
bool matches(std::uint64_t id, std::uint64_t wanted, bool partial) {
  const std::uint64_t ignored = partial ? wanted ^ (wanted + 1) : 0;
  return ((id ^ wanted) & ~ignored) == 0;
}

/// Table "Standard Events list", column "IDT settings supported".
bool supports_soft_context_filter(HpmEvent event) {
  return event == HpmEvent::kTlbMiss || event == HpmEvent::kFirstStageWalk || event == HpmEvent::kSecondStageWalk;
}

}  // namespace

/// Table "filtering options".
bool Registers::selects_event(std::uint64_t selector, HpmEvent event, const EventSource& source) const {
  if (evt::kEventId.get(selector) != static_cast<std::uint64_t>(event)) return false;
  const bool soft_context = evt::kIdt.is_set(selector);
  if (soft_context && !supports_soft_context_filter(event)) return false;
  const bool device_valid = !soft_context || source.gscid_valid;
  const bool process_valid = soft_context ? source.pscid_valid : source.process_valid;
  const std::uint64_t device = soft_context ? source.gscid.value : source.device.value;
  const std::uint64_t process = soft_context ? source.pscid.value : source.process.value;
  const bool device_matches =
      !evt::kDvGscv.is_set(selector) ||
      (device_valid && matches(device, evt::kDidGscid.get(selector), evt::kDmask.is_set(selector)));
  const bool process_matches =
      !evt::kPvPscv.is_set(selector) || (process_valid && process == evt::kPidPscid.get(selector));
  return device_matches && process_matches;
}

/// IOMMU 5.20: bit X of iocountinh stops iohpmctrX. IOMMU 5.23: event 0 counts nothing.
void Registers::find_running_counters() {
  running_counters_ = 0;
  if (!implementation_.hpm) return;
  for (unsigned counter = 1; counter < implementation_.num_hpm; ++counter)
    if (evt::kEventId.get(get(Id::kIohpmevt, counter - 1)) != 0) running_counters_ |= 1U << counter;
  running_counters_ &= ~static_cast<std::uint32_t>(get(Id::kIocountinh));
}

/// IOMMU 5.23: an overflow with OF = 0 sets OF and raises pmip.
void Registers::count_event(HpmEvent event, const EventSource& source) {
  for (std::uint32_t running = running_counters_; running != 0; running &= running - 1) {
    const auto counter = static_cast<unsigned>(__builtin_ctz(running));
    const std::uint64_t selector = get(Id::kIohpmevt, counter - 1);
    if (!selects_event(selector, event, source)) continue;
    const std::uint64_t next = (get(Id::kIohpmctr, counter - 1) + 1) & base::mask_of(implementation_.hpm_counter_bits);
    set(Id::kIohpmctr, next, counter - 1);
    if (next != 0 || evt::kOf.is_set(selector)) continue;
    set(Id::kIohpmevt, evt::kOf.set(selector, 1), counter - 1);
    raise(spec::ipsr::kPmip);
  }
}

/// IOMMU 5.21.
void Registers::count_cycles(std::uint64_t cycles) {
  if (!implementation_.hpm || spec::iocountinh::kCy.is_set(get(Id::kIocountinh))) return;
  const std::uint64_t value = get(Id::kIohpmcycles);
  const std::uint64_t before = spec::iohpmcycles::kCounter.get(value);
  const std::uint64_t after = (before + cycles) & base::mask_of(spec::iohpmcycles::kCounter.width);
  const bool overflows = after < before;
  set(Id::kIohpmcycles, spec::iohpmcycles::kCounter.set(value, after) | spec::iohpmcycles::kOf.of(overflows ? 1 : 0));
  if (overflows && !spec::iohpmcycles::kOf.is_set(value)) raise(spec::ipsr::kPmip);
}

}  // namespace iommusim::translate
