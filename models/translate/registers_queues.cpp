// SPDX-License-Identifier: Apache-2.0
// The queue registers and interrupt conditions (IOMMU 5.6 to 5.18). The three queues have csr registers of one layout
// (enable, interrupt enable, error bits, on, busy), which the assertions below state; so one piece of code serves all.
#include "base/error.h"
#include "translate/registers.h"

namespace iommusim::translate {
namespace {

constexpr spec::Field kEnable = spec::cqcsr::kCqen;
constexpr spec::Field kInterruptEnable = spec::cqcsr::kCie;
constexpr spec::Field kOn = spec::cqcsr::kCqon;
constexpr spec::Field kBusy = spec::cqcsr::kBusy;
static_assert(kEnable.mask() == spec::fqcsr::kFqen.mask() && kEnable.mask() == spec::pqcsr::kPqen.mask());
static_assert(kInterruptEnable.mask() == spec::fqcsr::kFie.mask() && kOn.mask() == spec::fqcsr::kFqon.mask());
static_assert(kInterruptEnable.mask() == spec::pqcsr::kPie.mask() && kOn.mask() == spec::pqcsr::kPqon.mask());
static_assert(kBusy.mask() == spec::fqcsr::kBusy.mask() && kBusy.mask() == spec::pqcsr::kBusy.mask());
static_assert(spec::cqb::kLog2sz1.mask() == spec::fqb::kLog2sz1.mask() &&
              spec::cqb::kPpn.mask() == spec::pqb::kPpn.mask());

constexpr std::uint64_t kCommandErrors =
    spec::cqcsr::kCqmf.mask() | spec::cqcsr::kCmdTo.mask() | spec::cqcsr::kCmdIll.mask();
constexpr std::uint64_t kFaultErrors = spec::fqcsr::kFqmf.mask() | spec::fqcsr::kFqof.mask();
constexpr std::uint64_t kPageRequestErrors = spec::pqcsr::kPqmf.mask() | spec::pqcsr::kPqof.mask();

/// The base is aligned to the queue's size (IOMMU 5.6), so an or will do; if it is not, the address is UNSPECIFIED.
std::uint64_t entry_address(std::uint64_t base_register, std::uint64_t index, unsigned bytes) {
  return spec::cqb::kPpn.get(base_register) << 12 | index * bytes;
}

}  // namespace

std::uint64_t Registers::index_mask(Id base) const {
  return base::mask_of(static_cast<unsigned>(spec::cqb::kLog2sz1.get(get(base))) + 1);
}

bool Registers::queue_in_use(Id csr) const { return (get(csr) & (kEnable.mask() | kOn.mask() | kBusy.mask())) != 0; }

/// IOMMU 5.6, 5.9, 5.12: a new base clears the bits of the software's index that the new size does not have.
void Registers::write_queue_base(Id base, Id csr, Id software_index, std::uint64_t value) {
  if (queue_in_use(csr)) return;
  set(base, legal(base, 0, value));
  set(software_index, get(software_index) & index_mask(base));
}

/// IOMMU 5.15 to 5.17. A change of the enable bit makes the queue busy until finish_*(); enabling resets the hardware's
/// index and the status bits.
void Registers::write_queue_control(Id csr, Id hardware_index, std::uint64_t value) {
  if (kBusy.is_set(get(csr))) return;
  const bool was_enabled = kEnable.is_set(get(csr));
  std::uint64_t next = legal(csr, 0, value);
  if (kEnable.is_set(next) != was_enabled) next = kBusy.set(next, 1);
  if (kEnable.is_set(next) && !was_enabled) {
    set(hardware_index, 0);
    next &= ~spec::bits_with_access(csr, spec::FieldAccess::kWriteOneClear);
  }
  set(csr, next);
}

void Registers::finish_queue(Id csr) {
  base::ensure(kBusy.is_set(get(csr)), "finish of a queue that is not busy");
  set(csr, kBusy.set(kOn.set(get(csr), kEnable.get(get(csr))), 0));
}
void Registers::finish_command_queue() { finish_queue(Id::kCqcsr); }
void Registers::finish_fault_queue() { finish_queue(Id::kFqcsr); }
void Registers::finish_page_request_queue() { finish_queue(Id::kPqcsr); }

bool Registers::command_waiting() const {
  const std::uint64_t csr = get(Id::kCqcsr);
  return kOn.is_set(csr) && kEnable.is_set(csr) && (csr & kCommandErrors) == 0 && get(Id::kCqh) != get(Id::kCqt);
}

std::uint64_t Registers::command_address() const { return entry_address(get(Id::kCqb), get(Id::kCqh), 16); }

void Registers::command_completed(bool raise_fence) {
  set(Id::kCqh, (get(Id::kCqh) + 1) & index_mask(Id::kCqb));
  if (raise_fence) set_bits(Id::kCqcsr, spec::cqcsr::kFenceWIp, 1);
  update_interrupts();
}

void Registers::command_failed(spec::Field error) {
  set_bits(Id::kCqcsr, error, 1);
  update_interrupts();
}

bool Registers::fault_queue_accepts() const {
  const std::uint64_t csr = get(Id::kFqcsr);
  return kOn.is_set(csr) && (csr & kFaultErrors) == 0;
}

bool Registers::fault_queue_full() const { return ((get(Id::kFqt) + 1) & index_mask(Id::kFqb)) == get(Id::kFqh); }

std::uint64_t Registers::fault_record_address() const { return entry_address(get(Id::kFqb), get(Id::kFqt), 32); }

void Registers::fault_record_written() {
  set(Id::kFqt, (get(Id::kFqt) + 1) & index_mask(Id::kFqb));
  if (kInterruptEnable.is_set(get(Id::kFqcsr))) raise(spec::ipsr::kFip);
}

void Registers::fault_queue_failed(spec::Field error) {
  set_bits(Id::kFqcsr, error, 1);
  update_interrupts();
}

Registers::QueueState Registers::page_request_queue_state() const {
  const std::uint64_t csr = get(Id::kPqcsr);
  if (!kOn.is_set(csr) || !kEnable.is_set(csr)) return QueueState::kOff;
  if (spec::pqcsr::kPqmf.is_set(csr)) return QueueState::kMemoryFault;
  if (spec::pqcsr::kPqof.is_set(csr)) return QueueState::kOverflow;
  const bool full = ((get(Id::kPqt) + 1) & index_mask(Id::kPqb)) == get(Id::kPqh);
  return full ? QueueState::kFull : QueueState::kReady;
}

std::uint64_t Registers::page_request_address() const { return entry_address(get(Id::kPqb), get(Id::kPqt), 16); }

void Registers::page_request_written() {
  set(Id::kPqt, (get(Id::kPqt) + 1) & index_mask(Id::kPqb));
  if (kInterruptEnable.is_set(get(Id::kPqcsr))) raise(spec::ipsr::kPip);
}

void Registers::page_request_queue_failed(spec::Field error) {
  set_bits(Id::kPqcsr, error, 1);
  update_interrupts();
}

/// IOMMU 5.18: cip, fip and pip are set while their condition holds; a new record is an event of its own.
void Registers::update_interrupts() {
  const auto holds = [this](Id csr, std::uint64_t bits) {
    return kInterruptEnable.is_set(get(csr)) && (get(csr) & bits) != 0;
  };
  if (holds(Id::kCqcsr, kCommandErrors | spec::cqcsr::kFenceWIp.mask())) raise(spec::ipsr::kCip);
  if (holds(Id::kFqcsr, kFaultErrors)) raise(spec::ipsr::kFip);
  if (holds(Id::kPqcsr, kPageRequestErrors)) raise(spec::ipsr::kPip);
}

/// IOMMU 5.18: a message is due when the bit goes from 0 to 1.
void Registers::raise(spec::Field pending_bit) {
  if (pending_bit.is_set(get(Id::kIpsr))) return;
  set_bits(Id::kIpsr, pending_bit, 1);
  if (!wire_interrupts()) due_messages_ = static_cast<std::uint16_t>(due_messages_ | 1U << vector_of(pending_bit));
}

/// IOMMU 5.28: icvec has one field of four bits for each bit of ipsr, in the same order.
unsigned Registers::vector_of(spec::Field pending_bit) const {
  static_assert(spec::icvec::kPiv.lsb == 4 * spec::ipsr::kPip.lsb && spec::icvec::kFiv.lsb == 4 * spec::ipsr::kFip.lsb);
  return static_cast<unsigned>(base::bits(get(Id::kIcvec), 4U * pending_bit.lsb, 4));
}

std::uint16_t Registers::wires() const {
  if (!wire_interrupts()) return 0;
  unsigned levels = 0;
  for (const spec::Field pending_bit : {spec::ipsr::kCip, spec::ipsr::kFip, spec::ipsr::kPmip, spec::ipsr::kPip})
    if (pending_bit.is_set(get(Id::kIpsr))) levels |= 1U << vector_of(pending_bit);
  return static_cast<std::uint16_t>(levels);
}

int Registers::due_message() const {
  for (unsigned vector = 0; due_messages_ >> vector != 0; ++vector)
    if (base::bit(due_messages_, vector) && !spec::msi_vec_ctl::kM.is_set(get(Id::kMsiVecCtl, vector)))
      return static_cast<int>(vector);
  return -1;
}

}  // namespace iommusim::translate
