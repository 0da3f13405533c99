// SPDX-License-Identifier: Apache-2.0
// A bus of links: every endpoint has a link of its own to the host bridge or to a bridge, and every bridge has one
// upwards; the host bridge hands packets to the IOMMU. One module for the whole tree, so a packet that crosses one link
// costs one activation each way.
//
// Up: a transfer of a device is cut at 4 KiB borders and at MPS (writes) or MRRS (reads). Packets of an endpoint go on
// its link in PCIe's order (ordered_queue.h) as soon as credits and tags are there; a packet holds its credits until
// the upper end has handed it on. Bridges and the host bridge arbitrate among what has arrived (arbiter.h). A bridge
// passes a packet on when the last byte has come.
// Down: a read is answered with as many completions as MPS asks; they follow each other in order, as do messages, so
// no completion passes a posted packet. The device is answered once, when the last completion of its transfer came.
// Model: completions have infinite credits (as endpoints and root complexes must advertise); a write's answer stands
// for what a device learns from a later interrupt: it takes the latency but no bytes of the links.
// An AXI port has neither credits nor tags, but so many bursts of an id in flight; a function is an id, and is answered
// in order, reads and writes apart.
// Invariant: credits and tags in use never exceed those given; what left is in order of arrival.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tlm/arbiter.h"
#include "tlm/fabric_stats.h"
#include "tlm/initiator_port.h"
#include "tlm/interconnect.h"
#include "tlm/link_rules.h"
#include "tlm/ordered_queue.h"
#include "tlm/payload_pool.h"
#include "tlm/target_port.h"
#include "tlm/timed_module.h"

namespace iommusim::bus {

class Fabric final : public TimedModule, public Interconnect, TargetClient, InitiatorClient {
 public:
  static constexpr std::uint32_t kHostBridge = ~0U;
  static constexpr std::uint32_t kUnlimited = 1U << 30;
  /// A link and what is at its lower end: a bridge if other links are above theirs, else an endpoint.
  struct LinkShape {
    std::string name;
    std::uint32_t above = kHostBridge;  ///< the bridge at its upper end, by the number of that bridge's link
    LinkParams params{};
    Arbitration arbitration = Arbitration::kRoundRobin;  ///< of a bridge
  };
  /// A function of an endpoint.
  struct PortShape {
    std::string name;
    std::uint32_t link = 0;
    std::optional<base::DeviceId> alias{};  ///< a bridge puts this id in the place of the function's own
  };
  struct Shape {
    std::vector<LinkShape> links;  ///< a bridge's before those below it
    std::vector<PortShape> ports;
    Arbitration arbitration = Arbitration::kRoundRobin;  ///< of the host bridge
  };

  Fabric(const sc_core::sc_module_name& name, const Shape& shape, stats::Group& parent);

  TargetSocket& port(unsigned index) override { return ports_[index]->target.socket; }
  InitiatorSocket& to_iommu() override { return iommu_.socket; }
  void inject(timing::Injector* injector) override { injector_ = injector; }
  const DmaBusStats& statistics() const { return stats_; }
  const DmaBusPortStats& port_statistics(unsigned index) const { return ports_[index]->stats; }
  const LinkStats& link_statistics(unsigned index) const { return links_[index]->stats; }
  const PayloadPool& payloads() const { return pool_; }

 private:
  /// A part of a transfer: what is one packet to the IOMMU.
  struct Piece {
    std::uint32_t transfer = 0;
    std::uint32_t offset = 0;
    std::uint32_t data = 0;  ///< bytes
    bool posted = false;
    bool free = false;          ///< takes nothing of links: a credit for messages
    bool waited = false;        ///< for a tag or a credit, and was counted
    LinkRules::Up size{};       ///< on the link that it is on or waits for
    LinkRules::Up came{};       ///< credits that it holds at the upper end of the link it came over
    Payload* answer = nullptr;  ///< AXI: came before that of an earlier burst
    Picoseconds since = 0;      ///< where it is
  };
  struct Transfer {
    Payload* payload = nullptr;
    std::uint32_t port = 0;
    std::uint32_t pieces = 0;  ///< not answered
    std::uint32_t unsent = 0;  ///< not on the link
    translate::Response worst = translate::Response::kSuccess;
    ::tlm::tlm_response_status status = ::tlm::TLM_OK_RESPONSE;
    Picoseconds done = 0;  ///< last answer so far
    bool is_cut = false;
  };
  struct Answer {
    Picoseconds at = 0;
    Payload* payload = nullptr;
  };
  struct Flight {
    Picoseconds at = 0;
    std::uint32_t piece = 0;
  };
  /// Credits and tags on their way back to the lower end.
  struct Return {
    Picoseconds at = 0;
    std::uint32_t posted = 0, data = 0, nonposted = 0, tags = 0;
    std::uint32_t port = 0, reads = 0, writes = 0;  ///< AXI: bursts of that port
  };
  struct Port {
    Port(const PortShape& shape, unsigned index, Fabric& fabric);
    TargetPort target;
    DmaBusPortStats stats;
    std::uint32_t link;
    std::optional<base::DeviceId> alias;
    std::uint32_t reads_left = 0, writes_left = 0;  ///< AXI: bursts that may begin
    GrowingRing<std::uint32_t> order[2];            ///< AXI: bursts in flight, oldest first; reads, writes
    std::uint32_t held = 0;                         ///< transfers not wholly on the link
    GrowingRing<Picoseconds> departures;            ///< of those whose last packet is scheduled
    GrowingRing<Answer> answers;                    ///< by arrival at the device
  };
  /// Where packets that came over several links meet.
  struct Node {
    explicit Node(Arbitration arbitration) : arbiter(arbitration) {}
    Arbiter arbiter;
    std::vector<std::uint32_t> ready;  ///< links whose `arrived` is not empty
  };
  struct Link {
    Link(const LinkShape& shape, stats::Group& parent);
    LinkRules rules;
    Rate rate;
    LinkStats stats;
    std::uint32_t above;
    std::uint32_t weight;
    Node node;                         ///< of a bridge: what came from below
    std::vector<std::uint32_t> ports;  ///< of an endpoint
    std::vector<std::uint32_t> path;   ///< from the host bridge down to this
    OrderedQueue queue;                ///< of an endpoint: packets for the link
    OrderedQueue arrived;              ///< at the upper end
    GrowingRing<Flight> flight;
    GrowingRing<Return> returns;
    Moment up_free{}, down_free{};
    Moment reads_free{};        ///< AXI: the channel of read addresses
    Picoseconds unblocked = 0;  ///< when credits or tags came back last
    std::uint32_t posted, data, nonposted, tags;
    Picoseconds visit = kNever;  ///< when this is looked at next
    bool touched = false;
  };
  struct Visit {
    Picoseconds at;
    std::uint32_t link;
  };

  bool request(unsigned port, Payload& payload, Picoseconds at) override;
  void response_taken(unsigned port, Payload& payload, Picoseconds at) override;
  void blocking(unsigned port, Payload& payload, sc_core::sc_time& delay) override;
  unsigned debug(unsigned, Payload& payload) override { return iommu_.socket->transport_dbg(payload); }
  bool direct(unsigned port, Payload& payload, ::tlm::tlm_dmi& direct) override;
  void direct_revoked(unsigned port, std::uint64_t first, std::uint64_t last) override;
  void request_ended(unsigned) override { wake_at(iommu_.ready_at()); }
  void response(unsigned, Payload& payload, Picoseconds at) override;
  Picoseconds work(Picoseconds now) override;

  // Upwards (fabric_up.cpp).
  bool has_room(Port& port, Picoseconds now);
  void accept(std::uint32_t port, Payload& payload, Picoseconds at);
  LinkRules::Up size_on(const Link& link, const Piece& piece) const;
  void collect(Link& link, Picoseconds now);
  bool fits(Link& link, std::uint32_t piece);
  void begin_burst(std::uint32_t piece);
  void pump(std::uint32_t link, Picoseconds now);
  void pump_endpoint(Link& link, Picoseconds now);
  void pump_bridge(std::uint32_t link, Picoseconds now);
  Picoseconds launch(Link& link, std::uint32_t piece, Picoseconds start);
  void arrive(std::uint32_t link, Picoseconds now);
  void leave_node(Node& node, std::uint32_t from, std::uint32_t piece, Picoseconds at);
  void forward(Picoseconds now);
  void send(std::uint32_t piece);
  Payload& payload_of(std::uint32_t piece);

  // Downwards (fabric_down.cpp).
  struct Load {
    std::uint32_t bytes = 0;    ///< of all packets
    std::uint32_t packets = 0;  ///< 0: an answer without bytes
    std::uint32_t data = 0;     ///< of each packet but the last
    std::uint32_t header = 0;
  };
  Load load_of(const Payload& payload, const Piece& piece, const LinkRules& rules) const;
  Picoseconds send_down(const Link& to, const Load& load, Picoseconds at);
  Picoseconds pass(Link& link, std::uint32_t bytes, Picoseconds at);
  void deliver(std::uint32_t piece, Payload& payload, Picoseconds at);
  void answer(Port& port, Picoseconds now);
  void finish(Port& port, bool credit, Picoseconds now);

  void touch(std::uint32_t link);
  void schedule(std::uint32_t link, Picoseconds at);
  void reschedule(std::uint32_t link, Picoseconds now);
  Picoseconds next_visit();

  Node host_;
  DmaBusStats stats_;
  InitiatorPort iommu_;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Port>> ports_;
  Slots<Piece> pieces_;
  Slots<Transfer> transfers_;
  PayloadPool pool_{0};
  std::vector<Visit> visits_;  ///< a heap; entries that are not their link's `visit` are old
  std::vector<std::uint32_t> touched_;
  std::vector<std::uint32_t> candidates_;
  bool working_ = false;  ///< in work(), which tells its end when to wake up
  timing::Injector* injector_ = nullptr;
};

}  // namespace iommusim::bus
