// SPDX-License-Identifier: Apache-2.0
// A pipe shared by several ports, in plain C++: queues, round-robin arbitration, credits, bandwidth, latency. The bus
// towards the IOMMU is one; so is the path to the cells of a memory.
//
// Evaluated lazily: what happens inside at some time is computed when somebody looks at a later time. A packet is
// granted the pipe as soon as it is free, the packet is at the head of its port's queue and credits are left; among
// ports of equal standing the next after the last one granted goes. That is decided only once the packet would have
// left completely, so all that arrived until the moment of the grant is known, in whatever order it was told.
// Invariant: what has left is in order of arrival; credits in use never exceed those given.
#pragma once

#include <vector>

#include "base/ring.h"
#include "tlm/rate.h"

namespace iommusim::bus {

/// `Cargo` is what travels: a small value.
template <class Cargo>
class Channel {
 public:
  using Picoseconds = base::Picoseconds;

  struct Shape {
    unsigned ports = 1;
    std::size_t queue_depth = 1;       ///< packets a port holds until they have left
    std::size_t credits_per_port = 1;  ///< packets of one port from grant to release()
    std::size_t credits = 1;           ///< packets of all ports from grant to release()
    Picoseconds latency = 0;           ///< from having left to arrival
    std::uint64_t bytes_per_second = 0;
  };
  struct Packet {
    Cargo cargo{};
    Picoseconds ready = 0;  ///< earliest time at the head of the queue
    Picoseconds time = 0;   ///< of arrival at the other end
    std::uint32_t bytes = 0;
    std::uint32_t port = 0;
  };

  explicit Channel(const Shape& shape)
      : latency_(shape.latency),
        rate_(shape.bytes_per_second),
        credits_{shape.credits, 0},
        last_(shape.ports - 1),
        flight_(shape.credits) {
    base::ensure(shape.ports > 0 && shape.queue_depth > 0 && shape.credits > 0 && shape.credits_per_port > 0,
                 "a channel without ports, queue or credits");
    for (unsigned i = 0; i < shape.ports; ++i)
      ports_.push_back(Port{base::Ring<Packet>(shape.queue_depth), {shape.credits_per_port, 0}});
  }

  bool full(unsigned port) const { return ports_[port].queue.full(); }
  /// The port must not be full. `ready` may lie in the future.
  void push(unsigned port, Cargo cargo, std::uint32_t bytes, Picoseconds ready) {
    ports_[port].queue.push({cargo, ready, 0, bytes, port});
  }

  /// Brings the inside up to `now`. To be called before anything is read or released at `now`.
  void advance(Picoseconds now) {
    for (Grant grant = next_grant(); grant.exists && grant.leaves.rounded_up() <= now; grant = next_grant()) {
      Port& port = ports_[grant.port];
      Packet packet = port.queue.front();
      port.queue.pop();
      free_ = grant.leaves;
      last_ = grant.port;
      --port.credits.left;
      --credits_.left;
      packet.time = grant.leaves.rounded_up() + latency_;
      flight_.push(packet);
    }
  }

  /// The oldest packet that has arrived by `now` and was not taken, or nullptr.
  const Packet* arrived(Picoseconds now) const {
    return !flight_.empty() && flight_.front().time <= now ? &flight_.front() : nullptr;
  }
  void take() { flight_.pop(); }
  /// Gives the credit of one packet of `port` back.
  void release(unsigned port, Picoseconds now) {
    give(ports_[port].credits, now);
    give(credits_, now);
  }

  /// When arrived() can change (kNever: not by itself). A packet not granted yet counts with the earliest it can do.
  Picoseconds next_arrival() const {
    if (!flight_.empty()) return flight_.front().time;
    const Grant grant = next_grant();
    return grant.exists ? grant.leaves.rounded_up() + latency_ : base::kNever;
  }
  /// When a place in some queue becomes free (kNever: not by itself).
  Picoseconds next_departure() const {
    const Grant grant = next_grant();
    return grant.exists ? grant.leaves.rounded_up() : base::kNever;
  }

 private:
  struct Credits {
    std::size_t left;
    Picoseconds since;  ///< there is at least one, since then
  };
  struct Port {
    base::Ring<Packet> queue;
    Credits credits;
  };
  struct Grant {
    bool exists = false;
    unsigned port = 0;
    Moment leaves{};
  };

  static void give(Credits& credits, Picoseconds now) {
    if (credits.left++ == 0) credits.since = now;
  }
  Picoseconds eligible_at(const Port& port) const {
    if (port.queue.empty() || port.credits.left == 0) return base::kNever;
    Picoseconds at = port.queue.front().ready;
    if (port.credits.since > at) at = port.credits.since;
    return credits_.since > at ? credits_.since : at;
  }
  Grant next_grant() const {
    Picoseconds earliest = base::kNever;
    if (credits_.left != 0)
      for (const Port& port : ports_) {
        const Picoseconds at = eligible_at(port);
        if (at < earliest) earliest = at;
      }
    if (earliest == base::kNever) return {};
    const Moment start = Rate::later(free_, earliest);
    const auto count = static_cast<unsigned>(ports_.size());
    unsigned port = last_;
    do port = port + 1 == count ? 0 : port + 1;
    while (eligible_at(ports_[port]) > start.whole);
    return {true, port, rate_.after(start, ports_[port].queue.front().bytes)};
  }

  Picoseconds latency_;
  Rate rate_;
  std::vector<Port> ports_;
  Credits credits_;
  Moment free_{};  ///< the pipe's entrance is busy until then
  unsigned last_;  ///< port of the last grant
  base::Ring<Packet> flight_;
};

}  // namespace iommusim::bus
