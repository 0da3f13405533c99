// SPDX-License-Identifier: Apache-2.0
#include "drivers/rings/nic_ring.h"

#include "domain/domain.h"
#include "hal/contradiction.h"

namespace iommusim::drivers::rings {

namespace nic_hw = device_hw::nic;

NicRing::NicRing(BufferPort& port, hal::Mmio& mmio, std::uint32_t registers, std::uint64_t offset,
                 std::uint32_t entries)
    : port_(port), mmio_(mmio), registers_(registers), offset_(offset), entries_(entries) {}

int NicRing::open(unsigned cpu) {
  const int error = port_.map(offset_, bytes_of(entries_), domain::kRead | domain::kWrite, cpu, iova_);
  if (error != 0) return error;
  mmio_.write64(registers_ + nic_hw::kRingBase, iova_);
  mmio_.write32(registers_ + nic_hw::kRingEntries, entries_);
  mmio_.write32(registers_ + nic_hw::kRingControl, 1);
  return 0;
}

void NicRing::stop(hal::Os& os) {
  mmio_.write32(registers_ + nic_hw::kRingControl, 0);
  while ((status() & nic_hw::kStatusBusy) != 0) os.relax();
}

void NicRing::close(unsigned cpu) { port_.unmap(iova_, bytes_of(entries_), cpu); }

void NicRing::post(std::uint64_t iova, std::uint32_t bytes, bool end, const Slot& slot) {
  hal::ensure(room() > 0, "a descriptor is posted to a full ring");
  nic_hw::Descriptor descriptor;
  descriptor.length = bytes;
  descriptor.flags = end ? nic_hw::kEndOfPacket : 0;
  const std::uint64_t words[2] = {iova, nic_hw::second_word(descriptor)};
  port_.write(offset_ + std::uint64_t{tail_} * nic_hw::kDescriptorBytes, words, sizeof words);
  slots_.push_back(slot);
  tail_ = tail_ + 1 == entries_ ? 0 : tail_ + 1;
}

void NicRing::ring_doorbell() {
  if (told_ == tail_) return;
  told_ = tail_;
  mmio_.write32(registers_ + nic_hw::kRingTail, tail_);
}

bool NicRing::done(nic_hw::Descriptor& out) {
  if (slots_.empty() || head_ == told_) return false;
  std::uint64_t words[2];
  port_.read(offset_ + std::uint64_t{head_} * nic_hw::kDescriptorBytes, words, sizeof words);
  out = nic_hw::descriptor_of(words[0], words[1]);
  return (out.status & nic_hw::kDone) != 0;
}

NicRing::Slot NicRing::take() {
  const Slot slot = slots_.front();
  slots_.pop_front();
  head_ = head_ + 1 == entries_ ? 0 : head_ + 1;
  return slot;
}

}  // namespace iommusim::drivers::rings
