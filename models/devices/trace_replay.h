// SPDX-License-Identifier: Apache-2.0
// Replays a trace: R, W and X lines become DMA of their source's port, M and U lines become requests to software, I
// lines too when they are to be executed as recorded (otherwise software makes its own invalidations). Events begin in
// the order of the trace. An access is in flight until it is answered; a U waits for the accesses in flight that
// overlap it, and nothing begins while software works. What a write carries and what the digests say depend on the
// trace alone (devices/pattern.h), not on time.
#pragma once

#include <memory>
#include <vector>

#include "devices/dma_master.h"
#include "devices/pattern.h"
#include "devices/replay_software.h"
#include "devices/trace_replay_params.h"
#include "devices/trace_replay_stats.h"
#include "traces/page_map.h"
#include "traces/reader.h"

namespace iommusim::devices {

class TraceReplay final : public bus::TimedModule, DmaClient {
 public:
  /// One initiator socket for each of `sources`, which are all that the trace may name.
  TraceReplay(const sc_core::sc_module_name& name, const TraceReplayParams& params,
              std::unique_ptr<traces::Reader> reader, const std::vector<traces::Source>& sources,
              ReplaySoftware& software, stats::Group& parent);

  bus::InitiatorSocket& socket(std::size_t source) { return masters_[source]->socket(); }
  /// Begins with the first event, now. Once.
  void start();
  /// The last request() of software has been executed.
  void software_done();

  bool finished() const { return finished_; }
  std::uint64_t events() const { return number_; }  ///< begun so far
  std::size_t in_flight() const { return flights_.size() - free_.size(); }
  const Digest& digest() const { return digest_; }  ///< accesses numbered by event, the first event being 1
  const TraceReplayStats& statistics() const { return stats_; }
  const DmaMaster& master(std::size_t source) const { return *masters_[source]; }

 private:
  /// An access in flight.
  struct Flight {
    bool used = false;
    bool write = false;
    std::uint32_t source = 0;  ///< key
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t number = 0;  ///< of the event
    std::uint64_t sum = 0;     ///< checksum of what was read so far
  };

  void completed(const DmaRequest& request, translate::Response response) override;
  void ready() override { pump(); }
  void produce(const DmaRequest& request, std::uint64_t offset, std::uint8_t* data, std::uint32_t bytes) override;
  void consume(const DmaRequest& request, std::uint64_t offset, const std::uint8_t* data, std::uint32_t bytes) override;
  base::Picoseconds work(base::Picoseconds now) override;

  void pump();
  bool load();
  base::Picoseconds due() const;
  bool begin_event();
  bool begin_mapping();
  bool begin_invalidation();
  void ask_software();
  bool begin_access();
  bool may_access_unmapped();
  bool overlaps_flight(std::uint64_t first, std::uint64_t last, bool read_too) const;
  void pass_event();
  std::size_t master_of(traces::Source source) const;
  [[noreturn]] void refuse(const std::string& what) const;

  TraceReplayParams params_;
  std::unique_ptr<traces::Reader> reader_;
  std::vector<traces::Source> sources_;
  ReplaySoftware& software_;
  TraceReplayStats stats_;
  std::vector<std::unique_ptr<DmaMaster>> masters_;  ///< as sources_
  std::vector<Flight> flights_;
  std::vector<std::uint32_t> free_;
  traces::PageMap mapped_;
  Digest digest_;
  traces::Event event_{};  ///< the next to begin; valid when loaded_
  std::uint64_t number_ = 0;
  std::uint64_t first_time_ns_ = 0;
  base::Picoseconds started_ = 0;
  base::Picoseconds software_since_ = 0;
  bool loaded_ = false;
  bool running_ = false;
  bool ended_ = false;
  bool software_busy_ = false;
  bool pumping_ = false;
  bool finished_ = false;
};

}  // namespace iommusim::devices
