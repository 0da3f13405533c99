// SPDX-License-Identifier: Apache-2.0
#include "devices/trace_replay.h"

#include <algorithm>

namespace iommusim::devices {

namespace {

/// A name that is good in SystemC and in paths of statistics.
std::string port_name(traces::Source source) {
  std::string name = "dma_" + traces::to_string(source);
  for (char& c : name)
    if (c == ':' || c == '.') c = '_';
  return name;
}

}  // namespace

TraceReplay::TraceReplay(const sc_core::sc_module_name& name, const TraceReplayParams& params,
                         std::unique_ptr<traces::Reader> reader, const std::vector<traces::Source>& sources,
                         ReplaySoftware& software, stats::Group& parent)
    : TimedModule(name),
      params_(params),
      reader_(std::move(reader)),
      sources_(sources),
      software_(software),
      stats_(parent, basename()),
      flights_(params.outstanding) {
  const DmaLimits limits{params.outstanding, params.split_bytes};
  DmaClient& client = *this;
  for (const traces::Source source : sources_)
    masters_.push_back(std::make_unique<DmaMaster>(port_name(source).c_str(), limits, client, stats_));
  for (std::uint32_t slot = 0; slot < params.outstanding; ++slot) free_.push_back(slot);
}

void TraceReplay::start() {
  base::ensure(!running_, "a replay was started twice");
  running_ = true;
  started_ = bus::now_ps();
  wake_at(started_);
}

void TraceReplay::software_done() {
  base::ensure(software_busy_, "software finished what it was not asked for");
  software_busy_ = false;
  stats_.software_ps += bus::now_ps() - software_since_;
  if (!pumping_) wake_at(bus::now_ps());
}

base::Picoseconds TraceReplay::work(base::Picoseconds) {
  pump();
  return base::kNever;
}

void TraceReplay::pump() {
  if (!running_ || pumping_) return;
  pumping_ = true;
  bool blocked = false;
  while (!blocked && !software_busy_ && load()) {
    if (const base::Picoseconds at = due(); at > bus::now_ps()) {
      wake_at(at);
      break;
    }
    blocked = !begin_event();
  }
  pumping_ = false;
  if (!ended_ || finished_ || software_busy_ || in_flight() != 0) return;
  finished_ = true;
  software_.finished();
}

bool TraceReplay::load() {
  if (loaded_) return true;
  if (ended_) return false;
  if ((params_.max_events != 0 && number_ == params_.max_events) || !reader_->next(event_)) {
    ended_ = true;
    return false;
  }
  if (number_ == 0) first_time_ns_ = event_.time_ns;
  loaded_ = true;
  return true;
}

void TraceReplay::pass_event() {
  loaded_ = false;
  ++number_;
}

base::Picoseconds TraceReplay::due() const {
  if (params_.timing == ReplayTiming::kAsap) return 0;
  const auto ns = static_cast<double>(event_.time_ns - first_time_ns_);
  return started_ + static_cast<base::Picoseconds>(ns * 1000.0 * params_.time_scale);
}

bool TraceReplay::begin_event() {
  if (traces::is_access(event_.op)) return begin_access();
  return event_.op == traces::Op::kInvalidate ? begin_invalidation() : begin_mapping();
}

/// Waits for no access: the fence behind it does.
bool TraceReplay::begin_invalidation() {
  ++stats_.invalidations;
  if (params_.invalidations == ReplayInvalidations::kRecorded) {
    (void)master_of(event_.source);
    ask_software();
  } else {
    pass_event();
  }
  return true;
}

bool TraceReplay::begin_mapping() {
  (void)master_of(event_.source);
  const std::uint64_t first = event_.iova >> base::kPageShift;
  const std::uint64_t last = event_.last() >> base::kPageShift;
  if (event_.op == traces::Op::kMap) {
    ++stats_.maps;
    mapped_.assign(event_.source.key(), first, last, event_.pa >> base::kPageShift);
  } else {
    if (overlaps_flight(event_.iova, event_.last(), true)) return false;
    ++stats_.unmaps;
    mapped_.erase(event_.source.key(), first, last);
  }
  ask_software();
  return true;
}

void TraceReplay::ask_software() {
  software_busy_ = true;
  software_since_ = bus::now_ps();
  pass_event();
  software_.request(event_);
}

bool TraceReplay::begin_access() {
  if (free_.empty()) return false;
  const std::size_t master = master_of(event_.source);
  const bool write = event_.op == traces::Op::kWrite;
  const std::uint32_t source = event_.source.key();
  const bool mapped = mapped_.covers(source, event_.iova >> base::kPageShift, event_.last() >> base::kPageShift);
  if (!mapped && !may_access_unmapped()) return true;
  if (params_.order == ReplayOrder::kConflicts && overlaps_flight(event_.iova, event_.last(), write)) return false;
  const std::uint32_t slot = free_.back();
  DmaRequest request;
  request.iova = software_.address(event_);
  request.bytes = event_.bytes;
  request.write = write;
  request.device = base::DeviceId(source);
  request.cookie = slot;
  free_.pop_back();
  flights_[slot] = {true, write, source, event_.iova, event_.last(), number_ + 1, 0};
  if (!masters_[master]->try_issue(request)) {
    flights_[slot].used = false;
    free_.push_back(slot);
    return false;
  }
  stats_.in_flight.enter(bus::now_ps());
  ++(write ? stats_.writes : stats_.reads);
  if (!mapped) ++stats_.unmapped;
  pass_event();
  return true;
}

/// False: the event was passed over.
bool TraceReplay::may_access_unmapped() {
  if (params_.unmapped == UnmappedAccess::kFault) return true;
  if (params_.unmapped == UnmappedAccess::kError)
    refuse("an access to what no M line maps; expected a mapping before it (or `unmapped: fault` or `skip`)");
  ++stats_.skipped;
  pass_event();
  return false;
}

bool TraceReplay::overlaps_flight(std::uint64_t first, std::uint64_t last, bool read_too) const {
  if (in_flight() == 0) return false;
  return std::any_of(flights_.begin(), flights_.end(), [&](const Flight& flight) {
    return flight.used && flight.first <= last && first <= flight.last && (read_too || flight.write) &&
           flight.source == event_.source.key();
  });
}

std::size_t TraceReplay::master_of(traces::Source source) const {
  const auto it = std::find(sources_.begin(), sources_.end(), source);
  if (it == sources_.end()) refuse("source " + traces::to_string(source) + " is none of the devices of the replay");
  return static_cast<std::size_t>(it - sources_.begin());
}

void TraceReplay::refuse(const std::string& what) const {
  throw base::InputError({reader_->name(), static_cast<std::uint32_t>(event_.line), 0}, what);
}

void TraceReplay::produce(const DmaRequest& request, std::uint64_t offset, std::uint8_t* data, std::uint32_t bytes) {
  const Flight& flight = flights_[request.cookie];
  fill_pattern(pattern_key(flight.source, flight.number), flight.first + offset, data, bytes);
}

void TraceReplay::consume(const DmaRequest& request, std::uint64_t offset, const std::uint8_t* data,
                          std::uint32_t bytes) {
  Flight& flight = flights_[request.cookie];
  flight.sum += checksum(flight.first + offset, data, bytes);
}

void TraceReplay::completed(const DmaRequest& request, translate::Response response) {
  Flight& flight = flights_[request.cookie];
  const bool good = response == translate::Response::kSuccess;
  ++(good ? stats_.completed : stats_.failed);
  digest_.add_response(flight.number, response);
  if (good && !flight.write) digest_.add_read(flight.number, flight.sum);
  flight.used = false;
  free_.push_back(static_cast<std::uint32_t>(request.cookie));
  stats_.in_flight.leave(bus::now_ps());
  pump();
}

}  // namespace iommusim::devices
