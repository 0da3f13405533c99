// SPDX-License-Identifier: Apache-2.0
#include "tlm/channel.h"

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>

namespace iommusim::bus {
namespace {

using Pipe = Channel<int>;
using base::kNever;
using base::Picoseconds;

constexpr std::uint64_t kBytePerPs = 1'000'000'000'000;  // one byte takes 1 ps

Pipe::Shape pipe_shape(unsigned ports) {
  Pipe::Shape shape;
  shape.ports = ports;
  shape.queue_depth = 4;
  shape.credits_per_port = shape.credits = 64;
  shape.bytes_per_second = kBytePerPs;
  return shape;
}

/// Cargo in order of arrival, everything pushed.
std::vector<int> drain(Pipe& pipe) {
  std::vector<int> order;
  pipe.advance(kNever - 1);
  while (const auto* packet = pipe.arrived(kNever - 1)) {
    order.push_back(packet->cargo);
    pipe.take();
  }
  return order;
}

TEST(Channel, ArrivesAfterTransferAndLatency) {
  auto shape = pipe_shape(1);
  shape.latency = 100;
  Pipe pipe(shape);
  pipe.push(0, 1, 10, 5);
  EXPECT_EQ(pipe.next_departure(), 15U);
  EXPECT_EQ(pipe.next_arrival(), 115U);
  pipe.advance(114);
  EXPECT_EQ(pipe.arrived(114), nullptr);
  ASSERT_NE(pipe.arrived(115), nullptr);
  EXPECT_EQ(pipe.arrived(115)->time, 115U);
}

TEST(Channel, PlaceIsHeldUntilThePacketHasLeft) {
  auto shape = pipe_shape(1);
  shape.queue_depth = 1;
  Pipe pipe(shape);
  pipe.push(0, 1, 10, 0);
  pipe.advance(9);
  EXPECT_TRUE(pipe.full(0));
  pipe.advance(10);
  EXPECT_FALSE(pipe.full(0));
}

TEST(Channel, PortsTakeTurns) {
  Pipe pipe(pipe_shape(3));
  for (int i = 0; i < 3; ++i)
    for (unsigned port = 0; port < 3; ++port) pipe.push(port, static_cast<int>(port), 10, 0);
  EXPECT_EQ(drain(pipe), (std::vector<int>{0, 1, 2, 0, 1, 2, 0, 1, 2}));
}

TEST(Channel, LateArrivalInTheSameMomentStillTakesPart) {
  Pipe pipe(pipe_shape(2));
  pipe.push(1, 1, 10, 7);
  pipe.advance(7);
  pipe.push(0, 0, 10, 7);  // told later, but at the same time
  EXPECT_EQ(drain(pipe), (std::vector<int>{0, 1}));
}

TEST(Channel, CreditsPerPortHoldBackThatPortOnly) {
  auto shape = pipe_shape(2);
  shape.credits_per_port = 1;
  Pipe pipe(shape);
  pipe.push(0, 0, 10, 0);
  pipe.push(0, 1, 10, 0);
  pipe.push(1, 2, 10, 0);
  EXPECT_EQ(drain(pipe).size(), 2U);
  EXPECT_EQ(pipe.next_arrival(), kNever);
  pipe.release(0, 50);
  EXPECT_EQ(pipe.next_departure(), 60U);
  EXPECT_EQ(drain(pipe), (std::vector<int>{1}));
}

TEST(Channel, CreditsOfAllPorts) {
  auto shape = pipe_shape(2);
  shape.credits = 1;
  Pipe pipe(shape);
  pipe.push(0, 0, 10, 0);
  pipe.push(1, 1, 10, 0);
  EXPECT_EQ(drain(pipe), (std::vector<int>{0}));
  pipe.release(0, 100);
  EXPECT_EQ(pipe.next_departure(), 110U);
}

struct Told {
  unsigned port;
  std::uint32_t bytes;
  Picoseconds at;
};

/// Arrival times when the inside is looked at every `step`.
std::vector<std::pair<int, Picoseconds>> arrivals(const std::vector<Told>& told, Picoseconds step) {
  auto shape = pipe_shape(4);
  shape.queue_depth = told.size() + 1;
  shape.credits = shape.credits_per_port = told.size() + 1;
  shape.latency = 3;
  shape.bytes_per_second = kBytePerPs / 7 * 3;
  Pipe pipe(shape);
  std::vector<std::pair<int, Picoseconds>> out;
  Picoseconds now = 0;
  int number = 0;
  for (const Told& one : told) {
    for (; now < one.at; now = std::min(one.at, now + step)) pipe.advance(now);
    pipe.push(one.port, number++, one.bytes, one.at);
  }
  pipe.advance(kNever - 1);
  while (const auto* packet = pipe.arrived(kNever - 1)) {
    out.emplace_back(packet->cargo, packet->time);
    pipe.take();
  }
  return out;
}

RC_GTEST_PROP(Channel, WhenItIsLookedAtChangesNothing, ()) {
  std::vector<Told> told;
  Picoseconds now = 0;
  for (auto count = *rc::gen::inRange(1, 30); count > 0; --count) {
    now += *rc::gen::inRange<Picoseconds>(0, 40);
    told.push_back({*rc::gen::inRange(0U, 4U), *rc::gen::inRange(1U, 30U), now});
  }
  const auto seldom = arrivals(told, 1'000'000);
  RC_ASSERT(seldom.size() == told.size());
  RC_ASSERT(seldom == arrivals(told, 1));
  RC_ASSERT(std::is_sorted(seldom.begin(), seldom.end(), [](auto a, auto b) { return a.second < b.second; }));
}

/// The rule of the grant, written down without any of the channel's shortcuts: whoever is eligible first, and among
/// those eligible when the pipe is free the next after the last one.
struct PlainPipe {
  struct Sent {
    int cargo;
    Picoseconds left;
  };
  struct Waiting {
    int cargo;
    std::uint32_t bytes;
    Picoseconds ready;
  };
  Picoseconds eligible(unsigned port) const {
    if (queues[port].empty() || left[port] == 0 || all_left == 0) return kNever;
    return std::max({queues[port].front().ready, since[port], all_since});
  }
  void advance(Picoseconds now) {
    for (;;) {
      Picoseconds earliest = kNever;
      for (unsigned port = 0; port < queues.size(); ++port) earliest = std::min(earliest, eligible(port));
      if (earliest == kNever) return;
      const Picoseconds start = std::max(free, earliest);
      unsigned port = last;
      do port = (port + 1) % static_cast<unsigned>(queues.size());
      while (eligible(port) > start);
      const Waiting packet = queues[port].front();
      if (start + packet.bytes > now) return;
      queues[port].pop_front();
      --left[port];
      --all_left;
      last = port;
      free = start + packet.bytes;
      sent.push_back({packet.cargo, free});
    }
  }
  void release(unsigned port, Picoseconds now) {
    if (left[port]++ == 0) since[port] = now;
    if (all_left++ == 0) all_since = now;
  }

  std::vector<std::deque<Waiting>> queues;
  std::vector<std::size_t> left;
  std::vector<Picoseconds> since;
  std::size_t all_left;
  Picoseconds all_since = 0, free = 0;
  unsigned last;
  std::vector<Sent> sent;
};

RC_GTEST_PROP(Channel, GrantsAsThePlainRuleDoes, ()) {
  auto shape = pipe_shape(*rc::gen::element(1U, 3U, 70U));
  shape.queue_depth = 200;
  shape.credits_per_port = *rc::gen::inRange<std::size_t>(1, 4);
  shape.credits = *rc::gen::inRange<std::size_t>(1, 12);
  Pipe pipe(shape);
  PlainPipe plain{std::vector<std::deque<PlainPipe::Waiting>>(shape.ports),
                  std::vector<std::size_t>(shape.ports, shape.credits_per_port),
                  std::vector<Picoseconds>(shape.ports),
                  shape.credits,
                  0,
                  0,
                  shape.ports - 1,
                  {}};
  Picoseconds now = 0;
  std::vector<unsigned> held;  // ports of packets whose credit is not back
  std::size_t compared = 0;
  std::vector<unsigned> port_of;
  for (int steps = *rc::gen::inRange(1, 120); steps > 0; --steps) {
    now += *rc::gen::inRange<Picoseconds>(0, 30);
    pipe.advance(now);
    plain.advance(now);
    while (const auto* packet = pipe.arrived(now)) {
      RC_ASSERT(compared < plain.sent.size());
      RC_ASSERT(packet->cargo == plain.sent[compared].cargo);
      RC_ASSERT(packet->time == plain.sent[compared++].left);
      held.push_back(packet->port);
      pipe.take();
    }
    RC_ASSERT(compared == plain.sent.size());
    if (!held.empty() && *rc::gen::inRange(0, 3) != 0) {
      const auto i = *rc::gen::inRange<std::size_t>(0, held.size());
      pipe.release(held[i], now);
      plain.release(held[i], now);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
    }
    const auto port = *rc::gen::inRange(0U, shape.ports);
    const auto bytes = *rc::gen::inRange(0U, 25U);
    const Picoseconds ready = now + *rc::gen::element<Picoseconds>(0, 0, 0, 7, 40);
    pipe.push(port, steps, bytes, ready);
    plain.queues[port].push_back({steps, bytes, ready});
  }
}

TEST(PortSet, NextAfterGoesAround) {
  PortSet set(130);
  EXPECT_TRUE(set.empty());
  for (const unsigned port : {3U, 64U, 129U}) set.insert(port);
  set.insert(64);
  EXPECT_EQ(set.next_after(2), 3U);
  EXPECT_EQ(set.next_after(3), 64U);
  EXPECT_EQ(set.next_after(63), 64U);
  EXPECT_EQ(set.next_after(64), 129U);
  EXPECT_EQ(set.next_after(129), 3U);
  std::vector<unsigned> seen;
  set.for_each([&](unsigned port) {
    seen.push_back(port);
    set.erase(port);
  });
  EXPECT_EQ(seen, (std::vector<unsigned>{3, 64, 129}));
  EXPECT_TRUE(set.empty());
  set.insert(64);
  EXPECT_EQ(set.next_after(64), 64U);
}

}  // namespace
}  // namespace iommusim::bus
