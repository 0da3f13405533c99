// SPDX-License-Identifier: Apache-2.0
// A pipe shared by several ports, in plain C++: queues, round-robin arbitration, credits, bandwidth, latency. The bus
// towards the IOMMU is one; so is the path to the cells of a memory.
//
// Evaluated lazily: what happens inside at some time is computed when somebody looks at a later time. A packet is
// granted the pipe as soon as it is free, the packet is at the head of its port's queue and credits are left; among
// ports of equal standing the next after the last one granted goes. That is decided only once the packet would have
// left completely, so all that arrived until the moment of the grant is known, in whatever order it was told.
// A grant costs the same whether one port competes or a thousand.
// Invariant: what has left is in order of arrival; credits in use never exceed those given.
#pragma once

#include <algorithm>
#include <vector>

#include "base/ring.h"
#include "tlm/port_set.h"
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
        flight_(shape.credits),
        ready_(shape.ports),
        freed_(shape.ports) {
    base::ensure(shape.ports > 0 && shape.queue_depth > 0 && shape.credits > 0 && shape.credits_per_port > 0,
                 "a channel without ports, queue or credits");
    for (unsigned i = 0; i < shape.ports; ++i)
      ports_.push_back(Port{base::Ring<Packet>(shape.queue_depth), {shape.credits_per_port, 0}});
    later_.reserve(shape.ports);
  }

  bool full(unsigned port) const { return ports_[port].queue.full(); }
  /// The port must not be full. `ready` may lie in the future.
  void push(unsigned port, Cargo cargo, std::uint32_t bytes, Picoseconds ready) {
    Port& to = ports_[port];
    to.queue.push({cargo, ready, 0, bytes, port});
    if (to.queue.size() == 1) enlist(port);
  }

  /// Brings the inside up to `now`. To be called before anything is read or released at `now`.
  void advance(Picoseconds now) {
    for (; grant().exists && grant_.leaves.rounded_up() <= now; known_ = false) {
      const unsigned number = grant_.port;
      Port& port = ports_[number];
      Packet packet = port.queue.front();
      if (port.queue.full()) freed_.insert(number);
      port.queue.pop();
      --port.credits.left;
      --credits_.left;
      packet.time = grant_.leaves.rounded_up() + latency_;
      flight_.push(packet);
      move_horizon(grant_.starts);
      ready_.erase(number);
      free_ = grant_.leaves;
      move_horizon(free_.whole);
      last_ = number;
      enlist(number);
    }
  }
  /// Ports that were full, and are not since advance(); the caller takes out those that it has looked at.
  PortSet& freed() { return freed_; }

  /// The oldest packet that has arrived by `now` and was not taken, or nullptr.
  const Packet* arrived(Picoseconds now) const {
    return !flight_.empty() && flight_.front().time <= now ? &flight_.front() : nullptr;
  }
  void take() { flight_.pop(); }
  /// Gives the credit of one packet of `port` back.
  void release(unsigned port, Picoseconds now) {
    if (give(ports_[port].credits, now)) enlist(port);
    if (!give(credits_, now)) return;
    move_horizon(now);
    known_ = false;
  }

  /// When arrived() can change (kNever: not by itself). A packet not granted yet counts with the earliest it can do.
  Picoseconds next_arrival() const {
    if (!flight_.empty()) return flight_.front().time;
    return grant().exists ? grant_.leaves.rounded_up() + latency_ : base::kNever;
  }
  /// When a place in some queue becomes free (kNever: not by itself).
  Picoseconds next_departure() const { return grant().exists ? grant_.leaves.rounded_up() : base::kNever; }

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
    Picoseconds starts = 0;
    Moment leaves{};
  };
  struct Later {
    Picoseconds at;  ///< the port is eligible
    unsigned port;
  };

  /// True: there was none left.
  static bool give(Credits& credits, Picoseconds now) {
    if (credits.left++ != 0) return false;
    credits.since = now;
    return true;
  }
  /// The port got a head of its queue, or a credit: when both are there it takes part.
  void enlist(unsigned number) {
    const Port& port = ports_[number];
    if (port.queue.empty() || port.credits.left == 0) return;
    const Picoseconds at = std::max(port.queue.front().ready, port.credits.since);
    if (at <= horizon_)
      ready_.insert(number);
    else
      later_.push_back({at, number});
    if (!grant_.exists || at <= grant_.starts) known_ = false;
  }
  /// Who is eligible by then, or was before, competes for the next grant.
  void move_horizon(Picoseconds time) {
    if (time <= horizon_) return;
    horizon_ = time;
    for (std::size_t i = 0; i < later_.size();) {
      if (later_[i].at > time) {
        ++i;
        continue;
      }
      ready_.insert(later_[i].port);
      later_[i] = later_.back();
      later_.pop_back();
    }
  }
  /// The next grant, as far as is known. It is kept until something changes it.
  const Grant& grant() const {
    if (known_) return grant_;
    known_ = true;
    grant_ = Grant{};
    if (credits_.left == 0 || (ready_.empty() && later_.empty())) return grant_;
    Moment start = Rate::later(free_, credits_.since);
    if (!ready_.empty()) {
      grant_.port = ready_.next_after(last_);
    } else {
      start = {base::kNever, 0};
      for (const Later& later : later_)
        if (later.at < start.whole || (later.at == start.whole && turn_of(later.port) < turn_of(grant_.port))) {
          start.whole = later.at;
          grant_.port = later.port;
        }
    }
    grant_.exists = true;
    grant_.starts = start.whole;
    grant_.leaves = rate_.after(start, ports_[grant_.port].queue.front().bytes);
    return grant_;
  }
  /// How many ports come before it, after the one granted last.
  unsigned turn_of(unsigned port) const {
    return port > last_ ? port - last_ : port + static_cast<unsigned>(ports_.size()) - last_;
  }

  Picoseconds latency_;
  Rate rate_;
  std::vector<Port> ports_;
  Credits credits_;
  Moment free_{};  ///< the pipe's entrance is busy until then
  unsigned last_;  ///< port of the last grant
  base::Ring<Packet> flight_;

  // Ports with a packet and a credit: those eligible by the horizon, which is when the pipe is free and a credit of all
  // is there, and those that are eligible later.
  Picoseconds horizon_ = 0;
  PortSet ready_;
  std::vector<Later> later_;
  PortSet freed_;
  mutable Grant grant_{};
  mutable bool known_ = false;  ///< grant_ holds
};

}  // namespace iommusim::bus
