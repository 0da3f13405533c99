// SPDX-License-Identifier: Apache-2.0
// One descriptor ring of a NIC and the packets under way in it. Descriptors are taken in the order of the ring; packets
// end in any order, and are written back in that of the ring.
#pragma once

#include <deque>
#include <vector>

#include "base/time.h"
#include "device_hw/nic.h"
#include "translate/request.h"

namespace iommusim::devices {

struct NicPacket {
  struct Piece {
    device_hw::nic::Descriptor descriptor{};
    std::uint32_t index = 0;   ///< in the ring
    std::uint32_t offset = 0;  ///< of its bytes in the packet
  };
  std::uint64_t number = 0;  ///< of the queue, from 1
  std::uint32_t bytes = 0;
  base::Picoseconds begin = 0;
  std::vector<Piece> pieces{};
  std::vector<std::uint8_t> data{};       ///< of a packet that is sent
  std::uint32_t under_way = 0;            ///< DMAs of its data, then of its descriptors
  base::Picoseconds sent = base::kNever;  ///< when it has left on the wire; kNever: its turn has not come
  bool ended = false;
  translate::Response worst = translate::Response::kSuccess;
};

struct NicRing {
  bool receive = false;
  std::uint32_t queue = 0;
  // As software set them.
  std::uint64_t base = 0;
  std::uint32_t entries = 0;
  std::uint32_t tail = 0;
  bool on = false;

  bool error = false;
  bool fetching = false;
  std::uint32_t fetch_next = 0;          ///< entry
  std::deque<NicPacket::Piece> ready{};  ///< read and not used
  std::deque<NicPacket> packets{};       ///< by their place in the ring; the first has the id below
  std::uint64_t first_id = 0;
  std::size_t writing = 0;                    ///< packets at the front whose descriptors are being written back
  std::vector<NicPacket::Piece> gathering{};  ///< descriptors of a packet to be sent whose end was not read yet
  std::uint64_t begun = 0;                    ///< packets, so far

  NicPacket& packet(std::uint64_t id) { return packets[id - first_id]; }
  bool busy() const { return fetching || !packets.empty(); }
  void switch_on() {
    fetch_next = tail = 0;
    error = false;
    ready.clear();
    gathering.clear();
    on = true;
  }
};

}  // namespace iommusim::devices
