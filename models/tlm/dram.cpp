// SPDX-License-Identifier: Apache-2.0
#include "tlm/dram.h"

#include <algorithm>
#include <string>

#include "base/bits.h"

namespace iommusim::bus {

namespace {

const DramParams& checked(const DramParams& params) {
  const auto power = [](const char* name, std::uint64_t value) {
    if (!base::is_power_of_two(value))
      throw base::InputError(std::string("dram.") + name + " is " + std::to_string(value) +
                             ", expected a power of two");
  };
  power("row_bytes", params.row_bytes);
  power("interleave_bytes", params.interleave_bytes);
  power("burst_bytes", params.burst_bytes);
  if (params.burst_bytes > params.row_bytes || params.burst_bytes > params.interleave_bytes)
    throw base::InputError("dram.burst_bytes is " + std::to_string(params.burst_bytes) +
                           ", expected at most row_bytes and interleave_bytes");
  if (params.refresh_interval_ns != 0 && params.refresh_ns >= params.refresh_interval_ns)
    throw base::InputError("dram.refresh_ns is " + std::to_string(params.refresh_ns) +
                           ", expected less than refresh_interval_ns, " + std::to_string(params.refresh_interval_ns));
  return params;
}

}  // namespace

Dram::Dram(const DramParams& params, std::uint64_t seed, stats::Group& parent)
    : params_(checked(params)),
      rate_(params.channel_bytes_per_s),
      random_(seed),
      channels_(params.channels),
      stats_(parent, "dram") {
  for (ChannelState& channel : channels_) channel.banks.resize(params.banks);
}

Dram::Picoseconds Dram::access(std::uint64_t address, std::uint32_t bytes, Picoseconds at) {
  ++stats_.accesses;
  Picoseconds done = at;
  if (params_.kind == DramKind::kBanked) {
    for (std::uint32_t moved = 0; moved < bytes;) {
      const std::uint64_t first = address + moved;
      const std::uint64_t in_burst = first % params_.burst_bytes;
      const auto piece =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes - moved, params_.burst_bytes - in_burst));
      done = std::max(done, burst(first - in_burst, params_.burst_bytes, at));
      moved += piece;
    }
  } else if (params_.kind == DramKind::kDistributed) {
    done += random_.below(params_.spread_ns * 1000 + 1);
    if (random_.chance(params_.tail_percent, 100)) done += params_.tail_ns * 1000;
  }
  done += params_.latency_ns * 1000;
  stats_.latency_ps.add(done - at);
  return done;
}

/// One column access. Bytes of an address: channels take turns every interleave_bytes; within a channel, banks take
/// turns every row.
Dram::Picoseconds Dram::burst(std::uint64_t address, std::uint32_t bytes, Picoseconds at) {
  ++stats_.bursts;
  const std::uint64_t unit = address / params_.interleave_bytes;
  ChannelState& channel = channels_[unit % channels_.size()];
  const std::uint64_t inside = unit / channels_.size() * params_.interleave_bytes + address % params_.interleave_bytes;
  const std::uint64_t row_number = inside / params_.row_bytes;
  Bank& bank = channel.banks[row_number % channel.banks.size()];
  const std::uint64_t row = row_number / channel.banks.size();

  Picoseconds start = after_refresh(bank, std::max(at, bank.free));
  if (bank.row == row) {
    ++stats_.row_hits;
  } else {
    if (bank.row == kNoRow) {
      ++stats_.row_misses;
    } else {
      ++stats_.row_conflicts;
      start = std::max(start, bank.activated + params_.row_open_ps) + params_.precharge_ps;
    }
    bank.row = row;
    bank.activated = start;
    start += params_.activate_ps;
  }
  const Moment first_data = Rate::later(channel.bus_free, start + params_.column_ps);
  channel.bus_free = rate_.after(first_data, bytes);
  // The next column access of the bank may follow so that its data comes right behind, without drift.
  bank.free = channel.bus_free.whole - params_.column_ps;
  if (params_.rows == RowPolicy::kClosed) {
    bank.row = kNoRow;
    bank.free = std::max(bank.free, bank.activated + params_.row_open_ps) + params_.precharge_ps;
  }
  return channel.bus_free.rounded_up();
}

/// Refreshes of all banks come at multiples of the interval. Model: a burst whose command would start within one waits
/// for its end; one that is under way when it begins is not cut.
Dram::Picoseconds Dram::after_refresh(Bank& bank, Picoseconds at) {
  if (params_.refresh_interval_ns == 0) return at;
  const Picoseconds interval = params_.refresh_interval_ns * 1000;
  const std::uint64_t count = at / interval;
  if (count > bank.refreshes) {
    bank.refreshes = count;
    bank.row = kNoRow;
  }
  const Picoseconds end = count * interval + params_.refresh_ns * 1000;
  if (count == 0 || at >= end) return at;
  ++stats_.refresh_waits;
  return end;
}

}  // namespace iommusim::bus
