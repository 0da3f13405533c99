// SPDX-License-Identifier: Apache-2.0
// A NIC that is kept at its line rate for many tenants in turn: a function each, all with the same IOVAs. A packet has
// three DMAs (its descriptor in a ring, its data, its notification), whose translations are asked for at once. It takes
// a place of the translation queue until it has all of them; a packet that finds no place is dropped. The translation
// cache is an ATC behind the socket, which the functions share and which tells of each DMA that has its translation.
// Invariant: each packet offered is accepted or dropped; each accepted one ends once.
// Model: DMA that has its translation takes no place of any queue of the device. A place that gets free at the time of
// an arrival is not free for that arrival.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "devices/atc_listener.h"
#include "devices/dma_master.h"
#include "devices/packets_params.h"
#include "devices/packets_stats.h"
#include "devices/pattern.h"

namespace iommusim::devices {

class Packets final : public bus::TimedModule, public AtcListener, DmaClient {
 public:
  Packets(const sc_core::sc_module_name& name, const PacketsParams& params, stats::Group& parent);

  bus::InitiatorSocket& socket() { return master_.socket(); }
  base::DeviceId first_function() const { return first_; }
  /// Begins, now. `done` is called when the last DMA was answered, from a process that must not wait. Once.
  void start(std::function<void()> done);
  void translated(const bus::DmaExtension& dma) override;

  std::uint64_t offered() const { return stats_.offered.value(); }
  const PacketsStats& statistics() const { return stats_; }
  const Digest& digest() const { return digest_; }
  const DmaMaster& master() const { return master_; }

 private:
  static constexpr unsigned kDmas = 3;
  struct Waiting {
    base::Picoseconds since = 0;
    unsigned left = 0;  ///< DMAs without a translation
  };

  void completed(const DmaRequest& request, translate::Response response) override;
  void ready() override { issue(); }
  void produce(const DmaRequest& request, std::uint64_t offset, std::uint8_t* data, std::uint32_t bytes) override;
  base::Picoseconds work(base::Picoseconds now) override;

  std::uint64_t all() const { return std::uint64_t{params_.tenants} * params_.packets_per_tenant; }
  bool over() const { return params_.dropped == AfterDrop::kAgain ? accepted_ == all() : arrivals_ == all(); }
  void drop_until(base::Picoseconds now);
  void arrive(base::Picoseconds now);
  void begin_packet(base::Picoseconds now);
  void issue();
  void finish_if_over();

  PacketsParams params_;
  base::DeviceId first_;
  PacketsStats stats_;
  DmaMaster master_;
  std::function<void()> done_;
  Digest digest_;
  std::deque<Waiting> waiting_;  // those of numbers from first_waiting_ on, some of them through
  std::uint64_t first_waiting_ = 0;
  std::uint32_t queued_ = 0;
  std::deque<DmaRequest> to_issue_;
  base::Picoseconds next_arrival_ = base::kNever;
  std::uint64_t arrivals_ = 0;
  std::uint64_t turn_ = 0;  // of the tenants
  std::uint64_t accepted_ = 0;
  std::uint64_t ended_ = 0;  // DMAs
};

}  // namespace iommusim::devices
