// SPDX-License-Identifier: Apache-2.0
// The register file (IOMMU 5): every register with its WARL behaviour, write-1-to-clear bits, busy bits and interrupt
// conditions. Reads and writes have no time. A write that starts something (queue on/off, ddtp) sets its busy bit and
// an effect; who drives the IOMMU does the work and calls finish_*(), which makes the new value the one in force.
#pragma once

#include <array>
#include <cstdint>

#include "base/types.h"
#include "spec/parameters.h"
#include "spec/registers.h"
#include "translate/ats_invalidations.h"
#include "translate/qos.h"

namespace iommusim::translate {

namespace detail {
constexpr std::array<std::uint16_t, spec::kRegisterCount + 1> make_first_cells() {
  std::array<std::uint16_t, spec::kRegisterCount + 1> cells{};
  for (unsigned i = 0; i < spec::kRegisterCount; ++i)
    cells[i + 1] = static_cast<std::uint16_t>(cells[i] + spec::kRegisters[i].count);
  return cells;
}
}  // namespace detail

/// Standard events (IOMMU 5.23).
enum class HpmEvent : std::uint8_t {
  kNone,
  kUntranslatedRequest,
  kTranslatedRequest,
  kAtsRequest,
  kTlbMiss,
  kDeviceDirectoryWalk,
  kProcessDirectoryWalk,
  kFirstStageWalk,
  kSecondStageWalk,
};

/// The transaction that an event belongs to, for the filters.
struct EventSource {
  base::DeviceId device{};
  base::ProcessId process{};
  bool process_valid = false;
  base::Gscid gscid{};
  base::Pscid pscid{};
  bool gscid_valid = false;
  bool pscid_valid = false;
};

class Registers {
 public:
  explicit Registers(const spec::Implementation& implementation);
  /// All registers to their reset values.
  void reset();

  /// `offset` within the 4 KiB register page, `bytes` 4 or 8, naturally aligned; anything else reads 0 and writes
  /// nothing.
  std::uint64_t read(std::uint32_t offset, unsigned bytes) const;
  void write(std::uint32_t offset, unsigned bytes, std::uint64_t value);

  /// What earlier writes started and nobody finished yet.
  bool ddtp_busy() const { return spec::ddtp::kBusy.is_set(get(Id::kDdtp)); }
  bool command_queue_busy() const { return spec::cqcsr::kBusy.is_set(get(Id::kCqcsr)); }
  bool fault_queue_busy() const { return spec::fqcsr::kBusy.is_set(get(Id::kFqcsr)); }
  bool page_request_queue_busy() const { return spec::pqcsr::kBusy.is_set(get(Id::kPqcsr)); }
  /// Makes the pending ddtp the one in force; caches that depend on the old one are the driver's business.
  void finish_ddtp();
  void finish_command_queue();
  void finish_fault_queue();
  void finish_page_request_queue();

  /// Wire levels, one bit a vector (only with fctl.WSI = 1).
  std::uint16_t wires() const;

  const spec::Implementation& implementation() const { return implementation_; }

  // What the processes of this folder read and change. The driver has no need of it.

  /// ddtp as it is in force.
  spec::DdtMode ddt_mode() const { return ddt_mode_; }
  std::uint64_t ddt_root() const { return ddt_root_; }
  std::uint64_t fctl() const { return get(Id::kFctl); }
  bool big_endian() const { return spec::fctl::kBe.is_set(fctl()); }
  bool wire_interrupts() const { return spec::fctl::kWsi.is_set(fctl()); }

  /// Of the IOMMU's own requests (IOMMU 5.27); the register reads 0 when it is absent.
  QosId qos() const {
    const std::uint64_t value = get(Id::kIommuQosid);
    return {static_cast<std::uint16_t>(spec::iommu_qosid::kRcid.get(value)),
            static_cast<std::uint16_t>(spec::iommu_qosid::kMcid.get(value))};
  }

  /// The queue is on, not empty, and no error bit holds it (IOMMU 3.1).
  bool command_waiting() const;
  /// Of the command at cqh.
  std::uint64_t command_address() const;
  /// The command at cqh is complete. `raise_fence`: it was a fence with WSI = 1 (sets fence_w_ip).
  void command_completed(bool raise_fence);
  /// cqh stays; `error` is one of cqcsr's error bits.
  void command_failed(spec::Field error);

  /// The queue takes records: it is on and no error bit is set. Otherwise records are discarded (IOMMU 3.2).
  bool fault_queue_accepts() const;
  bool fault_queue_full() const;
  std::uint64_t fault_record_address() const;
  void fault_record_written();
  /// `error` is fqof or fqmf.
  void fault_queue_failed(spec::Field error);

  /// What a page request finds (IOMMU 3.3), in this order.
  enum class QueueState : std::uint8_t { kOff, kMemoryFault, kOverflow, kFull, kReady };
  QueueState page_request_queue_state() const;
  std::uint64_t page_request_address() const;
  void page_request_written();
  void page_request_queue_failed(spec::Field error);

  /// ATS invalidation requests under way.
  AtsInvalidations& invalidations() { return invalidations_; }

  /// Software set tr_req_ctl.Go and nobody finished the request yet (IOMMU 5.25).
  bool debug_busy() const { return spec::tr_req_ctl::kGoBusy.is_set(get(Id::kTrReqCtl)); }
  std::uint64_t debug_iova() const { return get(Id::kTrReqIova); }
  std::uint64_t debug_control() const { return get(Id::kTrReqCtl); }
  void finish_debug(std::uint64_t response);

  /// Whether any counter is set to an event and runs: otherwise count_event() does nothing.
  bool counts_events() const { return running_counters_ != 0; }
  /// Counts an event in every counter that selects it (IOMMU 5.23).
  void count_event(HpmEvent event, const EventSource& source);
  /// Advances iohpmcycles.
  void count_cycles(std::uint64_t cycles);

  /// A vector whose message is due and not masked, or -1.
  int due_message() const;
  /// The message of this vector leaves: it is no longer due.
  void take_message(unsigned vector) { due_messages_ = static_cast<std::uint16_t>(due_messages_ & ~(1U << vector)); }
  std::uint64_t message_address(unsigned vector) const { return get(Id::kMsiAddr, vector); }
  std::uint32_t message_data(unsigned vector) const { return static_cast<std::uint32_t>(get(Id::kMsiData, vector)); }

 private:
  using Id = spec::RegisterId;
  static constexpr auto kFirstCells = detail::make_first_cells();

  std::uint64_t get(Id id, unsigned element = 0) const { return cells_[first_cell(id) + element]; }
  void set(Id id, std::uint64_t value, unsigned element = 0) { cells_[first_cell(id) + element] = value; }
  void set_bits(Id id, spec::Field field, std::uint64_t value) { set(id, field.set(get(id), value)); }
  /// Cell of the register's first element: cells lie in the order of kRegisters.
  static constexpr unsigned first_cell(Id id) { return kFirstCells[static_cast<unsigned>(id)]; }

  bool present(Id id, unsigned element) const;
  std::uint64_t read_register(Id id, unsigned element) const;
  /// `value` is the whole register; `covers_low`: the access includes its lower half.
  void write_register(Id id, unsigned element, std::uint64_t value, bool covers_low);
  std::uint64_t legal(Id id, unsigned element, std::uint64_t wanted) const;
  bool in_use() const;
  void write_debug_control(std::uint64_t value);
  void write_ddtp(std::uint64_t value, bool covers_mode);
  void write_queue_base(Id base, Id csr, Id software_index, std::uint64_t value);
  void write_queue_control(Id csr, Id hardware_index, std::uint64_t value);
  void finish_queue(Id csr);
  bool queue_in_use(Id csr) const;
  std::uint64_t index_mask(Id base) const;
  void update_interrupts();
  void raise(spec::Field pending_bit);
  void find_running_counters();
  bool selects_event(std::uint64_t selector, HpmEvent event, const EventSource& source) const;
  unsigned vector_of(spec::Field pending_bit) const;

  spec::Implementation implementation_;
  std::array<std::uint64_t, kFirstCells.back()> cells_{};
  spec::DdtMode ddt_mode_ = spec::DdtMode::kOff;
  std::uint64_t ddt_root_ = 0;
  AtsInvalidations invalidations_;
  std::uint32_t running_counters_ = 0;  ///< bit X: iohpmctrX has an event and is not inhibited
  std::uint16_t due_messages_ = 0;  ///< one bit a vector: a pending bit went from 0 to 1, its message was not sent yet
};

}  // namespace iommusim::translate
