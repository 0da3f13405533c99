// SPDX-License-Identifier: Apache-2.0
// The store of a message into a memory-resident interrupt file, when the request brings its data (IOMMU 2.3.3 step 14
// and its note; AIA, "Memory-resident interrupt files"). A file is 512 bytes: for each 64 interrupt identities a
// doubleword of pending bits and one of enable bits, little-endian. The pending bit of the message's identity is set;
// then, if its enable bit is 1, the notice message leaves. Model: in this order, so that one who enables an interrupt
// and then looks at its pending bit misses nothing.
#include "base/bits.h"
#include "spec/causes.h"
#include "translate/byte_order.h"
#include "translate/registers.h"
#include "translate/translation.h"

namespace iommusim::translate {
namespace {

// AIA: where a page of an interrupt file takes messages, little-endian and big-endian.
constexpr std::uint64_t kSetLittleEndian = 0, kSetBigEndian = 4;
constexpr std::uint32_t kHighestIdentity = 2047;
constexpr std::uint64_t kPairBytes = 16;
constexpr std::uint64_t kEnableOffset = 8;

std::uint32_t identity_of(std::uint32_t data, std::uint64_t offset) {
  return static_cast<std::uint32_t>(to_host(data, 4, offset == kSetBigEndian));
}

}  // namespace

/// Model: as for an interrupt file of an IMSIC, everything but an aligned write of 4 bytes to one of the two addresses
/// is ignored, and so is an identity that the file does not have.
bool Translation::is_msi_write() const {
  const std::uint64_t offset = msi_gpa_ & base::mask_of(base::kPageShift);
  if (request_.access != Access::kWrite || request_.bytes != 4) return false;
  if (offset != kSetLittleEndian && offset != kSetBigEndian) return false;
  const std::uint32_t identity = identity_of(request_.data, offset);
  return identity != 0 && identity <= kHighestIdentity;
}

/// The translation is done and its outcome made; what is left is the store.
void Translation::store_msi() {
  outcome_.msi.absorbed = true;
  if (effects_ == Effects::kNone || !is_msi_write()) return;
  const std::uint32_t identity = identity_of(request_.data, msi_gpa_ & base::mask_of(base::kPageShift));
  mrif_bit_ = 1ULL << (identity % 64);
  ask_.memory.bytes = 8;
  access_mrif(AskKind::kRead, outcome_.msi.mrif_address + identity / 64 * kPairBytes, Step::kMrifRead);
}

/// Model: an access beyond capabilities.PAS is answered here, as in ask_read().
void Translation::access_mrif(AskKind kind, std::uint64_t address, Step step) {
  step_ = step;
  ask_.kind = kind;
  ask_.memory.address = address;
  ask_.memory.structure = Structure::kMrif;
  ask_.memory.level = 0;
  if (address >> registers_->implementation().pas != 0) memory({MemoryStatus::kAccessFault, {}});
}

/// IOMMU 3.2: causes 264 and 271.
void Translation::mrif_fault(MemoryStatus status) {
  fault(status == MemoryStatus::kCorrupt ? spec::Cause::kMrifCorrupt : spec::Cause::kMrifAccessFault);
}

/// capabilities.AMO_MRIF: the update is atomic; without it a read and a write. A bit that is 1 already stays.
void Translation::mrif_pending_read(std::uint64_t word) {
  if ((word & mrif_bit_) != 0) return mrif_pending_set();
  if (registers_->implementation().amo_mrif) {
    ask_.memory.data = {word, word | mrif_bit_};
    return access_mrif(AskKind::kCompareSwap, ask_.memory.address, Step::kMrifSwap);
  }
  ask_.memory.data[0] = word | mrif_bit_;
  access_mrif(AskKind::kWrite, ask_.memory.address, Step::kMrifWrite);
}

/// Somebody else changed the doubleword meanwhile: once more, with what is there now.
void Translation::mrif_pending_swapped(std::uint64_t old_word) {
  if (old_word != ask_.memory.data[0]) return mrif_pending_read(old_word);
  mrif_pending_set();
}

void Translation::mrif_pending_set() {
  access_mrif(AskKind::kRead, ask_.memory.address + kEnableOffset, Step::kMrifEnableRead);
}

void Translation::mrif_enable_read(std::uint64_t word) {
  ask_.kind = AskKind::kDone;
  if ((word & mrif_bit_) == 0) return;
  step_ = Step::kNoticeWrite;
  ask_.kind = AskKind::kWrite;
  ask_.memory.address = outcome_.msi.address;
  ask_.memory.bytes = 4;
  ask_.memory.structure = Structure::kInterruptMessage;
  ask_.memory.data[0] = outcome_.msi.notice_id;
  ask_.memory.qos = registers_->qos();
}

/// Model: a notice that fails is reported like the IOMMU's other messages (IOMMU 5.29), although the interrupt is
/// pending in the file.
void Translation::notice_written(MemoryStatus status) {
  ask_.kind = AskKind::kDone;
  if (status == MemoryStatus::kOk) return;
  const std::uint64_t address = ask_.memory.address;
  fault(spec::Cause::kMsiWriteAccessFault);
  outcome_.fault = {};
  outcome_.fault.cause = static_cast<std::uint16_t>(spec::Cause::kMsiWriteAccessFault);
  outcome_.fault.iotval = address;
}

}  // namespace iommusim::translate
