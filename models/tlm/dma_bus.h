// SPDX-License-Identifier: Apache-2.0
// The bus between devices and an IOMMU: N ports share one link in each direction. Upstream, requests wait in their
// port's queue, are arbitrated round robin, take the link for header and write data, and arrive one latency later;
// downstream, answers take the link for header and read data. Credits bound what a port has under way, from the grant
// of the link until the device took the answer. Answers come in whatever order the IOMMU gives them.
// Model: the answer to a (posted) write or a failed access carries no data; a write's takes no bytes of the link at
// all. Messages (message_extension.h) go with the requests upstream and with the answers downstream; a device's credits
// for messages take neither the link nor credits of the bus.
#pragma once

#include <memory>
#include <string>

#include "tlm/bus_params.h"
#include "tlm/channel.h"
#include "tlm/dma_bus_stats.h"
#include "tlm/initiator_port.h"
#include "tlm/interconnect.h"
#include "tlm/message_extension.h"
#include "tlm/target_port.h"
#include "tlm/timed_module.h"
#include "tlm/timed_ring.h"

namespace iommusim::bus {

class DmaBus final : public TimedModule, public Interconnect, TargetClient, InitiatorClient {
 public:
  /// One device-side target socket for each name in `ports`.
  DmaBus(const sc_core::sc_module_name& name, const DmaBusParams& params, const std::vector<std::string>& ports,
         stats::Group& parent);

  TargetSocket& port(unsigned index) override { return ports_[index]->target.socket; }
  InitiatorSocket& to_iommu() override { return iommu_.socket; }
  const DmaBusStats& statistics() const { return stats_; }
  const DmaBusPortStats& port_statistics(unsigned index) const { return ports_[index]->stats; }
  void inject(timing::Injector* injector) override { injector_ = injector; }

 private:
  /// What is asked of a payload's extensions again and again, looked up once.
  struct Cargo {
    Payload* payload = nullptr;
    DmaExtension* dma = nullptr;
    bool credit = false;
  };
  static Cargo cargo_of(Payload& payload) {
    DmaExtension& dma = dma_of(payload);
    return {&payload, &dma, is_message(dma) && message_of(payload).kind == MessageExtension::Kind::kCredit};
  }
  struct Port {
    Port(const std::string& name, unsigned index, DmaBus& bus, std::size_t credits);
    TargetPort target;
    TimedRing<Cargo> answers;  ///< by arrival at the device
    DmaBusPortStats stats;
    unsigned message_credits = 0;  ///< with the IOMMU, or on their way back
  };

  static Channel<Cargo>::Shape upstream_of(const DmaBusParams& params, std::size_t ports);

  bool request(unsigned port, Payload& payload, Picoseconds at) override;
  void response_taken(unsigned port, Payload& payload, Picoseconds at) override;
  void blocking(unsigned port, Payload& payload, sc_core::sc_time& delay) override;
  unsigned debug(unsigned port, Payload& payload) override;
  bool direct(unsigned port, Payload& payload, ::tlm::tlm_dmi& direct) override;
  void direct_revoked(unsigned port, std::uint64_t first, std::uint64_t last) override;
  void request_ended(unsigned) override { wake_at(iommu_.ready_at()); }
  void response(unsigned, Payload& payload, Picoseconds at) override;
  Picoseconds work(Picoseconds now) override;

  struct Sending {
    std::uint32_t bytes = 0;
    Picoseconds delay = 0;
  };
  Sending send_up(unsigned port, const Cargo& cargo, Picoseconds at);
  std::uint32_t bytes_up(const Cargo& cargo) const;
  std::uint32_t bytes_down(const Cargo& cargo) const;
  void enqueue(unsigned port, const Cargo& cargo, Picoseconds at);
  void take_waiting(Picoseconds now);
  void forward(Picoseconds now);
  void answer(unsigned port, Picoseconds now);
  void finish(unsigned port, bool credit, Picoseconds now);
  Picoseconds next_event();

  DmaBusParams params_;
  Rate rate_up_;
  Rate rate_down_;
  Channel<Cargo> up_;
  Moment down_free_{};  ///< the downstream link is busy until then
  DmaBusStats stats_;
  InitiatorPort iommu_;
  std::vector<std::unique_ptr<Port>> ports_;
  // What there is to do at which ports, so that nobody has to look at all of them.
  TimedRing<unsigned> arrivals_;  ///< of answers, all ports
  PortSet due_;                   ///< an answer may be given
  PortSet takeable_;              ///< a request waits, and there is a place for it
  std::size_t refused_ = 0;       ///< requests that wait, all ports
  timing::Injector* injector_ = nullptr;
};

}  // namespace iommusim::bus
