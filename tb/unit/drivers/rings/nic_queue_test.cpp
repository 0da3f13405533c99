// SPDX-License-Identifier: Apache-2.0
#include "drivers/rings/nic_queue.h"

#include "rig.h"

namespace iommusim::drivers::rings::test {
namespace {

namespace nic_regs = device_hw::nic;
using Bytes = std::vector<std::uint8_t>;

/// Queue 0 of a NIC: it does what it is told when it is asked.
class ScriptedNic {
 public:
  ScriptedNic(KeptRegisters& registers, MappedMemory& memory) : registers_(registers), memory_(memory) {
    registers.written = [this](std::uint32_t offset, std::uint32_t value) {
      if (offset == nic_regs::kFirstQueue + nic_regs::kReceive + nic_regs::kRingTail) receive_tails.push_back(value);
      if (offset == nic_regs::kFirstQueue + nic_regs::kTransmit + nic_regs::kRingTail) transmit_tails.push_back(value);
      if (offset == nic_regs::kFirstQueue + nic_regs::kInterruptEnable) ++interrupts_wanted;
    };
  }
  std::vector<std::uint32_t> receive_tails, transmit_tails;
  std::vector<Bytes> sent;
  unsigned interrupts_wanted = 0;

  /// A packet arrives; false: there are not enough descriptors.
  bool deliver(const Bytes& packet) {
    std::size_t at = 0;
    while (at < packet.size()) {
      if (receive_head_ == tail(nic_regs::kReceive)) return false;
      nic_regs::Descriptor descriptor = get(nic_regs::kReceive, receive_head_);
      const std::size_t bytes = std::min<std::size_t>(descriptor.length, packet.size() - at);
      const bool arrived = memory_.dma_write(descriptor.address, packet.data() + at, bytes);
      at += bytes;
      descriptor.length = static_cast<std::uint32_t>(bytes);
      descriptor.status =
          nic_regs::kDone | (at == packet.size() ? nic_regs::kEnd : 0) | (arrived ? 0 : nic_regs::kFailed);
      put(nic_regs::kReceive, receive_head_, descriptor);
    }
    return true;
  }
  /// All that the driver wants to send leaves.
  void transmit() {
    while (transmit_head_ != tail(nic_regs::kTransmit)) {
      nic_regs::Descriptor descriptor = get(nic_regs::kTransmit, transmit_head_);
      Bytes piece(descriptor.length);
      const bool read = memory_.dma_read(descriptor.address, piece.data(), piece.size());
      packet_.insert(packet_.end(), piece.begin(), piece.end());
      descriptor.status = nic_regs::kDone | (read ? 0 : nic_regs::kFailed);
      if ((descriptor.flags & nic_regs::kEndOfPacket) != 0) {
        descriptor.status |= nic_regs::kEnd;
        sent.push_back(packet_);
        packet_.clear();
      }
      put(nic_regs::kTransmit, transmit_head_, descriptor);
    }
  }
  void stop() { registers_.values[nic_regs::kFirstQueue + nic_regs::kRingStatus] = nic_regs::kStatusError; }

 private:
  std::uint64_t ring(std::uint32_t ring, std::uint32_t what) {
    return registers_.values[nic_regs::kFirstQueue + ring + what];
  }
  std::uint64_t tail(std::uint32_t which) { return ring(which, nic_regs::kRingTail); }
  nic_regs::Descriptor get(std::uint32_t which, std::uint64_t entry) {
    std::uint64_t words[2];
    EXPECT_TRUE(memory_.dma_read(ring(which, nic_regs::kRingBase) + entry * 16, words, 16));
    return nic_regs::descriptor_of(words[0], words[1]);
  }
  void put(std::uint32_t which, std::uint64_t& entry, const nic_regs::Descriptor& descriptor) {
    const std::uint64_t words[2] = {descriptor.address, nic_regs::second_word(descriptor)};
    EXPECT_TRUE(memory_.dma_write(ring(which, nic_regs::kRingBase) + entry * 16, words, 16));
    entry = (entry + 1) % ring(which, nic_regs::kRingEntries);
  }

  KeptRegisters& registers_;
  MappedMemory& memory_;
  std::uint64_t receive_head_ = 0, transmit_head_ = 0;
  Bytes packet_;
};

struct NicQueueTest : ::testing::Test, NicClient {
  SteppedOs os;
  KeptRegisters registers;
  MappedMemory memory{1 << 20};
  ScriptedNic nic{registers, memory};
  NicQueueOptions options;
  std::unique_ptr<NicQueue> queue;

  std::vector<Bytes> came;
  std::vector<bool> came_whole;
  unsigned wanted = 0, to_send = 0, made = 0, ended = 0, failed = 0;
  std::uint32_t send_bytes = 100;

  NicQueueTest() {
    options.entries = 16;
    options.buffers.count = 15;
    options.polling = true;
    options.transmit = false;
  }
  void open() {
    options.transmit = to_send != 0;
    options.receive = wanted != 0;
    queue = std::make_unique<NicQueue>(os, registers, memory, 0, options, *this);
    ASSERT_EQ(queue->open(), 0);
  }
  void close() {
    queue->close();
    EXPECT_TRUE(memory.mapped().empty());
    EXPECT_EQ(queue->receive_buffers().maps(), queue->receive_buffers().unmaps());
    EXPECT_EQ(queue->transmit_buffers().maps(), queue->transmit_buffers().unmaps());
  }
  static Bytes packet(std::size_t bytes, std::uint8_t first) {
    Bytes out(bytes);
    for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(first + i * 7);
    return out;
  }

  void received(unsigned, const std::uint8_t* data, std::size_t bytes, bool ok) override {
    came.emplace_back(data, data + bytes);
    came_whole.push_back(ok);
  }
  std::uint32_t next_to_send(unsigned, std::uint8_t* data, std::uint32_t room) override {
    if (made == to_send) return 0;
    const Bytes bytes = packet(std::min(send_bytes, room), static_cast<std::uint8_t>(++made));
    std::memcpy(data, bytes.data(), bytes.size());
    return static_cast<std::uint32_t>(bytes.size());
  }
  void sent(unsigned, bool ok) override { ++(ok ? ended : failed); }
  bool finished(unsigned) override { return came.size() == wanted && ended + failed == to_send; }
};

TEST_F(NicQueueTest, APacketOfManyPiecesArrivesInOrder) {
  options.buffers.pages = 2;
  options.buffers.scattered = true;
  options.buffers.count = 7;
  wanted = 9;  // more than buffers, and the ring goes round
  open();
  unsigned delivered = 0;
  os.idle = [&] {
    while (delivered < wanted && nic.deliver(packet(5000, static_cast<std::uint8_t>(delivered)))) ++delivered;
  };
  EXPECT_TRUE(queue->run());
  for (unsigned i = 0; i < wanted; ++i) {
    EXPECT_EQ(came[i], packet(5000, static_cast<std::uint8_t>(i))) << i;
    EXPECT_TRUE(came_whole[i]);
  }
  close();
}

TEST_F(NicQueueTest, ADescriptorOfEachPieceIsSentAndTheLastSaysSo) {
  options.buffers.pages = 3;
  options.buffers.scattered = true;
  options.buffers.count = 4;
  to_send = 20;
  send_bytes = 9000;
  open();
  os.idle = [&] { nic.transmit(); };
  EXPECT_TRUE(queue->run());
  ASSERT_EQ(nic.sent.size(), 20U);
  for (unsigned i = 0; i < 20; ++i) EXPECT_EQ(nic.sent[i], packet(9000, static_cast<std::uint8_t>(i + 1))) << i;
  EXPECT_EQ(ended, 20U);
  close();
}

/// With fewer free descriptors than a batch no buffer is posted, with a batch of them all are, by one doorbell.
TEST_F(NicQueueTest, DriverBatch_BuffersShareADoorbell) {
  options.batch = 4;
  wanted = 7;
  open();
  EXPECT_EQ(nic.receive_tails, (std::vector<std::uint32_t>{15})) << "at first all, at once";
  std::vector<std::size_t> doorbells;  // before each packet but the first
  os.idle = [&] {
    if (came.size() != 0) doorbells.push_back(nic.receive_tails.size() - 1);
    ASSERT_TRUE(nic.deliver(packet(64, 1)));
  };
  EXPECT_TRUE(queue->run());
  EXPECT_EQ(doorbells, (std::vector<std::size_t>{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(nic.receive_tails.back(), 3U) << "15 + 4 of 16";
  close();
}

TEST_F(NicQueueTest, DriverBatch_PacketsShareADoorbell) {
  options.batch = 4;
  to_send = 9;
  open();
  os.idle = [&] { nic.transmit(); };
  EXPECT_TRUE(queue->run());
  EXPECT_EQ(nic.transmit_tails, (std::vector<std::uint32_t>{4, 8, 9}));
  close();
}

TEST_F(NicQueueTest, DriverPacketNs_EachPacketOnce) {
  options.packet_ns = 150;
  wanted = 3;
  to_send = 5;
  open();
  unsigned delivered = 0;
  os.idle = [&] {
    nic.transmit();
    while (delivered < wanted && nic.deliver(packet(64, 1))) ++delivered;
  };
  EXPECT_TRUE(queue->run());
  EXPECT_EQ(os.now, 8 * 150U);
  close();
}

/// An interrupt is asked for before the driver sleeps, and ends its sleep before its patience does.
TEST_F(NicQueueTest, SleepsUntilTheInterruptThatItAskedFor) {
  options.polling = false;
  wanted = 2;
  open();
  os.idle = [&] {
    EXPECT_EQ(nic.interrupts_wanted, os.waits);
    ASSERT_TRUE(nic.deliver(packet(64, 1)));
    queue->interrupt();
  };
  EXPECT_TRUE(queue->run());
  EXPECT_EQ(queue->waits().interrupts(), 2U);
  EXPECT_EQ(os.now, 0U);
  close();
}

TEST_F(NicQueueTest, GivesUpWhenTheDeviceStandsStill) {
  options.polling = false;
  wanted = 2;
  open();
  os.idle = [&] {
    if (os.waits == 3) nic.stop();
  };
  EXPECT_FALSE(queue->run());
  EXPECT_EQ(os.now, 3 * CompletionWait::kPatienceNs);
  close();
}

TEST_F(NicQueueTest, AWrongAddressFailsItsPacketOnly) {
  options.buffers.wrong_every = 3;
  wanted = 6;
  to_send = 6;
  open();
  unsigned delivered = 0;
  os.idle = [&] {
    nic.transmit();
    while (delivered < wanted && nic.deliver(packet(64, 1))) ++delivered;
  };
  EXPECT_TRUE(queue->run());
  EXPECT_EQ(came_whole, (std::vector<bool>{true, true, false, true, true, false}));
  EXPECT_EQ(ended, 4U);
  EXPECT_EQ(failed, 2U);
  close();
}

TEST_F(NicQueueTest, WithoutAMappingNothingIsOpen) {
  wanted = 1;
  memory.fail_at = 1;
  NicQueue closed(os, registers, memory, 0, options, *this);
  EXPECT_EQ(closed.open(), ENOMEM);
  EXPECT_TRUE(memory.mapped().empty());
}

/// A packet for which no buffer can be mapped is not sent, and the others are.
TEST_F(NicQueueTest, APacketWithoutAMappingFails) {
  to_send = 3;
  open();
  memory.fail_at = memory.maps + 2;
  os.idle = [&] { nic.transmit(); };
  EXPECT_TRUE(queue->run());
  EXPECT_EQ(ended, 2U);
  EXPECT_EQ(failed, 1U);
  EXPECT_EQ(nic.sent.size(), 2U);
  close();
}

}  // namespace
}  // namespace iommusim::drivers::rings::test
