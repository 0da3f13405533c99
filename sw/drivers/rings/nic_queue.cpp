// SPDX-License-Identifier: Apache-2.0
#include "drivers/rings/nic_queue.h"

#include <algorithm>

#include "domain/domain.h"

namespace iommusim::drivers::rings {

namespace nic_hw = device_hw::nic;

namespace {

BufferOptions with(BufferOptions options, unsigned prot) {
  options.prot = prot;
  return options;
}

std::uint64_t pool_bytes(const BufferOptions& options) { return std::uint64_t{options.count} * options.pages * 4096; }

}  // namespace

NicQueue::NicQueue(hal::Os& os, hal::Mmio& mmio, BufferPort& port, std::uint64_t offset, const NicQueueOptions& options,
                   NicClient& client)
    : os_(os),
      mmio_(mmio),
      options_(options),
      client_(client),
      wait_(os, options.polling),
      receive_ring_(port, mmio, registers() + nic_hw::kReceive, offset, options.entries),
      transmit_ring_(port, mmio, registers() + nic_hw::kTransmit, offset + NicRing::bytes_of(options.entries),
                     options.entries),
      in_(port, offset + 2 * NicRing::bytes_of(options.entries), with(options.buffers, domain::kWrite)),
      out_(port, offset + 2 * NicRing::bytes_of(options.entries) + pool_bytes(options.buffers),
           with(options.buffers, domain::kRead)) {}

std::uint64_t NicQueue::memory(const NicQueueOptions& options) {
  return 2 * (NicRing::bytes_of(options.entries) + pool_bytes(options.buffers));
}

std::uint32_t NicQueue::registers() const { return nic_hw::kFirstQueue + options_.queue * nic_hw::kQueueStep; }

int NicQueue::open() {
  const unsigned cpu = options_.buffers.cpu;
  int error = 0;
  if (options_.receive) {
    error = receive_ring_.open(cpu);
    if (error == 0) error = in_.open();
    if (error == 0) post_buffers(true);
  }
  if (error == 0 && options_.transmit) {
    error = transmit_ring_.open(cpu);
    if (error == 0) error = out_.open();
  }
  return error;
}

void NicQueue::close() {
  const unsigned cpu = options_.buffers.cpu;
  if (options_.receive) {
    receive_ring_.stop(os_);
    for (const NicRing::Slot& slot : receive_ring_.slots())
      if (slot.last) in_.give_back(slot.buffer);
    in_.close();
    receive_ring_.close(cpu);
  }
  if (options_.transmit) {
    transmit_ring_.stop(os_);
    for (const NicRing::Slot& slot : transmit_ring_.slots())
      if (slot.last) out_.give_back(slot.buffer);
    out_.close();
    transmit_ring_.close(cpu);
  }
}

bool NicQueue::run() {
  for (;;) {
    bool worked = options_.receive && receive();
    if (options_.transmit) {
      worked |= reap_sent();
      worked |= send();
    }
    if (options_.receive) worked |= post_buffers(false);
    if (client_.finished(options_.queue)) return true;
    if (worked) continue;
    // The device interrupts at once if it wrote something back since its last interrupt: nothing can be missed.
    if (!wait_.polling()) mmio_.write32(registers() + nic_hw::kInterruptEnable, 1);
    if (wait_.wait()) continue;
    if ((options_.receive && receive_ring_.failed()) || (options_.transmit && transmit_ring_.failed())) return false;
  }
}

/// Buffers for packets to come, in batches unless the device has none left.
bool NicQueue::post_buffers(bool all) {
  const std::uint32_t pieces = in_.pieces_each();
  const std::uint32_t fit = receive_ring_.room() / pieces;
  if (!all && fit < options_.batch && !receive_ring_.empty()) return false;
  bool posted = false;
  while (receive_ring_.room() >= pieces && in_.available()) {
    std::uint32_t buffer = 0;
    if (in_.take(buffer) != 0) break;
    std::uint32_t at = 0;
    for (const Piece& piece : in_.pieces(buffer)) {
      const bool last = at + piece.bytes == in_.buffer_bytes();
      receive_ring_.post(piece.iova, piece.bytes, false, {buffer, at, last});
      at += piece.bytes;
    }
    posted = true;
  }
  receive_ring_.ring_doorbell();
  return posted;
}

bool NicQueue::receive() {
  bool any = false;
  for (nic_hw::Descriptor descriptor; receive_ring_.done(descriptor); any = true) {
    const NicRing::Slot slot = receive_ring_.take();
    packet_ok_ &= (descriptor.status & nic_hw::kFailed) == 0;
    const std::size_t before = packet_.size();
    packet_.resize(before + descriptor.length);
    in_.read(slot.buffer, slot.at, packet_.data() + before, descriptor.length);
    if (slot.last) in_.give_back(slot.buffer);
    if ((descriptor.status & nic_hw::kEnd) == 0) continue;
    os_.spend_ns(options_.packet_ns);
    client_.received(options_.queue, packet_.data(), packet_.size(), packet_ok_);
    packet_.clear();
    packet_ok_ = true;
  }
  return any;
}

bool NicQueue::send() {
  std::vector<std::uint8_t> data(out_.buffer_bytes());
  bool any = false;
  for (std::uint32_t n = 0; n < options_.batch && out_.available() && transmit_ring_.room() >= out_.pieces_each();
       ++n) {
    const std::uint32_t bytes = client_.next_to_send(options_.queue, data.data(), out_.buffer_bytes());
    if (bytes == 0) break;
    std::uint32_t buffer = 0;
    if (out_.take(buffer) != 0) {
      client_.sent(options_.queue, false);
      break;
    }
    os_.spend_ns(options_.packet_ns);
    out_.write(buffer, 0, data.data(), bytes);
    std::uint32_t at = 0;
    for (const Piece& piece : out_.pieces(buffer)) {
      if (at == bytes) break;
      const std::uint32_t length = std::min(piece.bytes, bytes - at);
      const bool last = at + length == bytes;
      transmit_ring_.post(piece.iova, length, last, {buffer, at, last});
      at += length;
    }
    any = true;
  }
  transmit_ring_.ring_doorbell();
  return any;
}

bool NicQueue::reap_sent() {
  bool any = false;
  for (nic_hw::Descriptor descriptor; transmit_ring_.done(descriptor); any = true) {
    const NicRing::Slot slot = transmit_ring_.take();
    if (!slot.last) continue;
    out_.give_back(slot.buffer);
    client_.sent(options_.queue, (descriptor.status & nic_hw::kFailed) == 0);
  }
  return any;
}

}  // namespace iommusim::drivers::rings
