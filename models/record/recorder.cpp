// SPDX-License-Identifier: Apache-2.0
#include "record/recorder.h"

#include <exception>

#include "base/error.h"

namespace iommusim::record {

Recorder::~Recorder() {
  try {
    close();
  } catch (const std::exception&) {  // a run that already ends by an error has nobody to tell; others call close()
  }
}

void Recorder::attach(std::unique_ptr<Sink> sink, const Filter& filter) {
  base::ensure(filter.sample != 0, "a sink that samples one record in 0");
  sinks_.push_back({std::move(sink), filter, {}, {}});
  active_ = true;
}

void Recorder::take(const Translation& translation) {
  Event event{};
  event.kind = Kind::kTranslation;
  event.code = static_cast<std::uint8_t>(translation.outcome);
  event.access = static_cast<std::uint8_t>(translation.access);
  event.page_shift = translation.page_shift;
  event.device = translation.device;
  event.process = translation.process;
  event.bytes = translation.bytes;
  event.id = translation.id;
  event.address = translation.iova;
  event.time = translation.accepted;

  Event detail{};
  detail.kind = Kind::kDetail;
  detail.code = static_cast<std::uint8_t>(translation.found);
  detail.device = translation.device;
  detail.process = translation.cause;
  detail.bytes = translation.reads;
  detail.id = translation.id;
  detail.address = translation.spa;
  detail.time = translation.accepted;

  const Picoseconds times[kStages] = {translation.device_context, translation.process_context, translation.iotlb,
                                      translation.walk_start,     translation.walk_end,        translation.done,
                                      translation.picked,         translation.answered};
  Event wide[kStages];
  unsigned wide_count = 0;
  for (unsigned stage = 0; stage < kStages; ++stage) {
    std::uint32_t& field = stage < kMainStages ? event.stage[stage] : detail.stage[stage - kMainStages];
    if (times[stage] == base::kNever) {
      field = kAbsentStage;
      continue;
    }
    base::ensure(times[stage] >= translation.accepted, "a stage of a translation before its acceptance");
    const Picoseconds distance = times[stage] - translation.accepted;
    if (distance < kWideStage) {
      field = static_cast<std::uint32_t>(distance);
      continue;
    }
    field = kWideStage;
    Event& follower = wide[wide_count++] = Event{};
    follower.kind = Kind::kWideTime;
    follower.code = static_cast<std::uint8_t>(stage);
    follower.device = translation.device;
    follower.process = translation.process;
    follower.id = translation.id;
    follower.time = times[stage];
  }
  send({&event, &detail, wide, wide_count});
}

void Recorder::take(const Fault& fault) {
  Event event{};
  event.kind = Kind::kFault;
  event.access = static_cast<std::uint8_t>(fault.access);
  event.device = fault.device;
  event.process = fault.process;
  event.id = fault.id;
  event.address = fault.iova;
  event.time = fault.time;
  event.value[0] = fault.cause;
  event.value[1] = fault.iotval;
  event.value[2] = fault.iotval2;
  send({&event, nullptr, nullptr, 0});
}

void Recorder::take(const Command& command) {
  Event event{};
  event.kind = Kind::kCommand;
  event.id = command.id;
  event.time = command.fetched;
  event.value[0] = command.word0;
  event.value[1] = command.word1;
  event.value[2] = command.done;
  send({&event, nullptr, nullptr, 0});
}

void Recorder::take(const RegisterAccess& access) {
  Event event{};
  event.kind = Kind::kRegister;
  event.code = access.write ? 1 : 0;
  event.bytes = access.bytes;
  event.id = access.id;
  event.address = access.offset;
  event.time = access.start;
  event.value[0] = access.data;
  event.value[1] = access.done;
  send({&event, nullptr, nullptr, 0});
}

void Recorder::take(const Mapping& mapping) {
  Event event{};
  event.kind = mapping.unmap ? Kind::kUnmap : Kind::kMap;
  event.address = mapping.iova;
  event.time = mapping.start;
  event.value[0] = mapping.length;
  event.value[1] = mapping.space;
  event.value[2] = mapping.done;
  send({&event, nullptr, nullptr, 0});
}

void Recorder::take(const PageRequest& request) {
  Event event{};
  event.kind = Kind::kPageRequest;
  event.device = request.device;
  event.process = request.process;
  event.id = request.id;
  event.time = request.time;
  event.value[0] = request.payload;
  send({&event, nullptr, nullptr, 0});
}

void Recorder::abandon() {
  active_ = false;
  sinks_.clear();
}

void Recorder::send(const Row& row) {
  const Picoseconds time = row.event->time;
  for (std::size_t i = 0; i < sinks_.size();) {
    Attached& to = sinks_[i];
    to.closing.time = time;
    if (time < to.filter.start || time >= to.filter.end) {
      ++to.closing.outside;
    } else if (to.seen[static_cast<unsigned>(row.event->kind)]++ % to.filter.sample != 0) {
      ++to.closing.not_sampled;
    } else if (to.sink->write(row)) {
      ++to.closing.written;
    } else {
      to.closing.full = true;
      to.sink->close(to.closing);
      sinks_.erase(sinks_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    ++i;
  }
  active_ = !sinks_.empty();
}

void Recorder::close() {
  active_ = false;
  const std::vector<Attached> sinks = std::move(sinks_);
  sinks_.clear();
  std::exception_ptr first_error;
  for (const Attached& attached : sinks) {
    try {
      attached.sink->close(attached.closing);
    } catch (const base::InputError&) {
      if (!first_error) first_error = std::current_exception();
    }
  }
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace iommusim::record
