// SPDX-License-Identifier: Apache-2.0
// Register access by software: which register an offset names, which bits a write may change, and what a write starts.
// Model: where the specification leaves a write's effect open (a queue base while the queue is on, ddtp while busy),
// the write has none.
#include "translate/registers.h"

#include "base/bits.h"
#include "base/error.h"

namespace iommusim::translate {
namespace {

using spec::FieldAccess;
using spec::kRegisterCount;
using spec::RegisterId;

/// Writable (RW, WARL) and write-1-to-clear bits of every register.
struct AccessTable {
  std::array<std::uint64_t, kRegisterCount> writable{};
  std::array<std::uint64_t, kRegisterCount> one_clear{};
};
constexpr AccessTable make_access_table() {
  AccessTable table;
  for (unsigned i = 0; i < kRegisterCount; ++i) {
    const auto id = static_cast<RegisterId>(i);
    table.writable[i] =
        spec::bits_with_access(id, FieldAccess::kReadWrite) | spec::bits_with_access(id, FieldAccess::kWarl);
    table.one_clear[i] = spec::bits_with_access(id, FieldAccess::kWriteOneClear);
  }
  return table;
}
constexpr AccessTable kAccess = make_access_table();

/// The register that holds each 4-byte word of the page; kCount where none does.
constexpr std::array<RegisterId, spec::kRegisterPageBytes / 4> make_word_map() {
  std::array<RegisterId, spec::kRegisterPageBytes / 4> map{};
  for (auto& word : map) word = RegisterId::kCount;
  for (unsigned i = 0; i < kRegisterCount; ++i) {
    const spec::RegisterInfo& info = spec::kRegisters[i];
    for (unsigned element = 0; element < info.count; ++element)
      for (unsigned byte = 0; byte < info.bytes; byte += 4)
        map[(info.offset + element * info.stride + byte) / 4] = static_cast<RegisterId>(i);
  }
  return map;
}
constexpr auto kWordMap = make_word_map();

struct Place {
  RegisterId id = RegisterId::kCount;
  unsigned element = 0;
  bool high = false;  ///< the access begins in the upper half of an 8-byte register
};

/// IOMMU 5: a misaligned access, another size than 4 or 8, or one that spans registers is UNSPECIFIED: nothing is
/// there.
Place find_place(std::uint32_t offset, unsigned bytes) {
  if ((bytes != 4 && bytes != 8) || offset % bytes != 0 || offset >= spec::kRegisterPageBytes) return {};
  const RegisterId id = kWordMap[offset / 4];
  if (id == RegisterId::kCount) return {};
  const spec::RegisterInfo& info = spec::kRegisters[static_cast<unsigned>(id)];
  if (info.bytes < bytes) return {};
  const std::uint32_t distance = offset - info.offset;
  const unsigned element = info.stride == 0 ? 0 : distance / info.stride;
  return {id, element, distance - element * info.stride == 4};
}

}  // namespace

Registers::Registers(const spec::Implementation& implementation)
    : implementation_(implementation), invalidations_(implementation.itags) {
  reset();
}

/// IOMMU 5.2. What the specification leaves open is 0.
void Registers::reset() {
  cells_.fill(0);
  due_messages_ = 0;
  invalidations_ = AtsInvalidations(implementation_.itags);
  set(Id::kCapabilities, implementation_.capabilities());
  set(Id::kFctl, implementation_.fctl);
  set(Id::kDdtp, spec::ddtp::kIommuMode.of(static_cast<std::uint64_t>(implementation_.reset_mode)));
  ddt_mode_ = implementation_.reset_mode;
  ddt_root_ = 0;
  find_running_counters();
}

/// IOMMU 5, 5.1: a register that the capabilities do not have reads 0 and ignores writes.
bool Registers::present(Id id, unsigned element) const {
  const spec::Implementation& i = implementation_;
  switch (id) {
    case Id::kPqb:
    case Id::kPqh:
    case Id::kPqt:
    case Id::kPqcsr:
      return i.ats;
    case Id::kIocountovf:
    case Id::kIocountinh:
    case Id::kIohpmcycles:
      return i.hpm;
    case Id::kIohpmctr:
    case Id::kIohpmevt:
      return i.hpm && element + 1 < i.num_hpm;
    case Id::kTrReqIova:
    case Id::kTrReqCtl:
    case Id::kTrResponse:
      return i.dbg;
    case Id::kIommuQosid:
      return i.qosid;
    case Id::kMsiAddr:
    case Id::kMsiData:
    case Id::kMsiVecCtl:
      return i.igs != spec::InterruptSupport::kWsi && element < (1U << i.vector_bits);
    default:
      return true;
  }
}

std::uint64_t Registers::read_register(Id id, unsigned element) const {
  if (!present(id, element)) return 0;
  if (id != Id::kIocountovf) return get(id, element);
  // IOMMU 5.19: shadows of the OF bits.
  std::uint64_t overflows = spec::iohpmcycles::kOf.get(get(Id::kIohpmcycles));
  for (unsigned i = 0; i + 1 < implementation_.num_hpm; ++i)
    overflows |= spec::iohpmevt::kOf.get(get(Id::kIohpmevt, i)) << (i + 1);
  return overflows;
}

std::uint64_t Registers::read(std::uint32_t offset, unsigned bytes) const {
  const Place place = find_place(offset, bytes);
  if (place.id == Id::kCount) return 0;
  const std::uint64_t value = read_register(place.id, place.element);
  return bytes == 8 ? value : base::bits(value, place.high ? 32 : 0, 32);
}

void Registers::write(std::uint32_t offset, unsigned bytes, std::uint64_t value) {
  const Place place = find_place(offset, bytes);
  if (place.id == Id::kCount || !present(place.id, place.element)) return;
  if (bytes == 8) return write_register(place.id, place.element, value, true);
  // The other half keeps its value; no register of 8 bytes has write-1-to-clear bits, so writing it back is harmless.
  const std::uint64_t merged = base::with_bits(get(place.id, place.element), place.high ? 32 : 0, 32, value);
  write_register(place.id, place.element, merged, !place.high);
}

void Registers::write_register(Id id, unsigned element, std::uint64_t value, bool covers_low) {
  switch (id) {
    case Id::kDdtp:
      write_ddtp(value, covers_low);
      break;
    case Id::kFctl:
      if (!in_use()) set(id, legal(id, element, value));
      break;
    case Id::kCqb:
      write_queue_base(id, Id::kCqcsr, Id::kCqt, value);
      break;
    case Id::kFqb:
      write_queue_base(id, Id::kFqcsr, Id::kFqh, value);
      break;
    case Id::kPqb:
      write_queue_base(id, Id::kPqcsr, Id::kPqh, value);
      break;
    case Id::kTrReqCtl:
      write_debug_control(value);
      break;
    case Id::kCqcsr:
      write_queue_control(id, Id::kCqh, value);
      break;
    case Id::kFqcsr:
      write_queue_control(id, Id::kFqt, value);
      break;
    case Id::kPqcsr:
      write_queue_control(id, Id::kPqt, value);
      break;
    default:
      set(id, legal(id, element, value), element);
      break;
  }
  if (id == Id::kIohpmevt || id == Id::kIocountinh) find_running_counters();
  update_interrupts();
}

/// The value that a write of `wanted` leaves: WARL fields keep to what the implementation has.
std::uint64_t Registers::legal(Id id, unsigned element, std::uint64_t wanted) const {
  const spec::Implementation& i = implementation_;
  const auto index = static_cast<unsigned>(id);
  const std::uint64_t old = get(id, element);
  std::uint64_t writable = kAccess.writable[index];
  switch (id) {
    case Id::kFctl:  // IOMMU 5.4
      if (!i.end) writable &= ~spec::fctl::kBe.mask();
      if (i.igs != spec::InterruptSupport::kBoth) writable &= ~spec::fctl::kWsi.mask();
      if (!i.gxl_writeable) writable &= ~spec::fctl::kGxl.mask();
      break;
    case Id::kCqt:  // IOMMU 5.8, 5.10, 5.13: only LOG2SZ-1:0 are writable
      writable &= index_mask(Id::kCqb);
      break;
    case Id::kFqh:
      writable &= index_mask(Id::kFqb);
      break;
    case Id::kPqh:
      writable &= index_mask(Id::kPqb);
      break;
    case Id::kIcvec:  // IOMMU 5.28; a cause that cannot arise has no vector
      writable &= base::mask_of(i.vector_bits) * 0x1111U;
      if (!i.hpm) writable &= ~spec::icvec::kPmiv.mask();
      if (!i.ats) writable &= ~spec::icvec::kPiv.mask();
      break;
    case Id::kIocountinh:
      writable &= base::mask_of(i.num_hpm);
      break;
    case Id::kIohpmctr:
      writable &= base::mask_of(i.hpm_counter_bits);
      break;
    case Id::kIohpmevt:
      if (spec::iohpmevt::kEventId.get(wanted) > i.hpm_event_limit) writable &= ~spec::iohpmevt::kEventId.mask();
      break;
    case Id::kIommuQosid:
      writable &= i.qosid_mask;
      break;
    default:
      break;
  }
  return ((old & ~writable) | (wanted & writable)) & ~(wanted & kAccess.one_clear[index]);
}

/// IOMMU 5.4: fctl is not to be changed while the IOMMU is not off or a queue is on; the write is ignored then.
bool Registers::in_use() const {
  return ddt_mode_ != spec::DdtMode::kOff || ddtp_busy() || queue_in_use(Id::kCqcsr) || queue_in_use(Id::kFqcsr) ||
         queue_in_use(Id::kPqcsr);
}

/// IOMMU 5.5. `covers_mode`: the access includes the half with iommu_mode; only such a write starts anything.
void Registers::write_ddtp(std::uint64_t value, bool covers_mode) {
  using spec::DdtMode;
  const auto mode = spec::ddtp::kIommuMode.get(value);
  const bool directory_in_force = ddt_mode_ > DdtMode::kBare;
  if (ddtp_busy() || mode > static_cast<std::uint64_t>(implementation_.max_mode)) return;
  if (directory_in_force && mode > static_cast<std::uint64_t>(DdtMode::kBare)) return;  // must pass Off or Bare
  set(Id::kDdtp, legal(Id::kDdtp, 0, value));
  if (covers_mode) set_bits(Id::kDdtp, spec::ddtp::kBusy, 1);
}

/// IOMMU 5.25: Go is set by software and cleared by finish_debug(); meanwhile writes are ignored.
void Registers::write_debug_control(std::uint64_t value) {
  if (debug_busy()) return;
  set(Id::kTrReqCtl, legal(Id::kTrReqCtl, 0, value) | (value & spec::tr_req_ctl::kGoBusy.mask()));
}

void Registers::finish_debug(std::uint64_t response) {
  base::ensure(debug_busy(), "finish_debug without a request");
  set_bits(Id::kTrReqCtl, spec::tr_req_ctl::kGoBusy, 0);
  set(Id::kTrResponse, response);
}

void Registers::finish_ddtp() {
  base::ensure(ddtp_busy(), "finish_ddtp without a pending write");
  set_bits(Id::kDdtp, spec::ddtp::kBusy, 0);
  ddt_mode_ = static_cast<spec::DdtMode>(spec::ddtp::kIommuMode.get(get(Id::kDdtp)));
  ddt_root_ = spec::ddtp::kPpn.get(get(Id::kDdtp)) << 12;
}

}  // namespace iommusim::translate
