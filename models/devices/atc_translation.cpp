// SPDX-License-Identifier: Apache-2.0
// What an ATC does about a page that it does not hold: a translation request, and when the page may not be accessed, a
// page request in a group, after whose response it asks again.
#include "devices/atc.h"

namespace iommusim::devices {

void Atc::miss(std::uint32_t i) {
  Piece& piece = pieces_[i];
  const std::uint64_t page = base::align_down(piece.iova, base::kPageSize);
  std::uint32_t found = kNone;
  for (std::uint32_t m = 0; m < misses_.size() && found == kNone; ++m) {
    const Miss& other = misses_[m];
    if (other.state != MissState::kFree && other.page == page && other.space == piece.space &&
        other.write == piece.write && other.execute == piece.execute)
      found = m;
  }
  if (found != kNone) {
    ++stats_.merged;
    pieces_[misses_[found].tail].next = i;
    misses_[found].tail = i;
    return;
  }
  if (free_misses_.empty()) return stalled_.push(i);
  found = free_misses_.back();
  free_misses_.pop_back();
  Miss& fresh = misses_[found];
  fresh = Miss{};
  fresh.page = page;
  fresh.space = piece.space;
  fresh.write = piece.write;
  fresh.execute = piece.execute;
  fresh.head = fresh.tail = i;
  ask(found);
}

/// Those that found no room, in their order, as long as there is some.
void Atc::go_on_with_stalled(base::Picoseconds) {
  for (std::size_t count = stalled_.size(); count != 0 && !free_misses_.empty(); --count) {
    const std::uint32_t i = stalled_.front();
    stalled_.pop();
    const Piece& piece = pieces_[i];
    const AtcEntry* const entry = cache_.find(piece.iova, piece.space, piece.write, piece.execute);
    entry != nullptr ? use(i, *entry) : miss(i);
  }
}

void Atc::ask(std::uint32_t m) {
  misses_[m].state = MissState::kToRequest;
  to_request_.push(m);
}

void Atc::send_translation_request(base::Picoseconds now) {
  const std::uint32_t m = to_request_.front();
  to_request_.pop();
  Miss& miss = misses_[m];
  miss.state = MissState::kRequested;
  miss.overtaken = false;
  miss.serial = ++serial_;
  bus::PooledPayload& payload = pool_.take();
  bus::set_access(payload, false, miss.page, payload.buffer(), bus::kAtsRequestBytes);
  payload.dma.type = translate::AddressType::kAtsRequest;
  payload.dma.device = base::DeviceId(miss.space.device);
  payload.dma.process_valid = miss.space.process_valid;
  payload.dma.process = base::ProcessId(miss.space.process);
  payload.dma.privileged = miss.space.privileged;
  payload.dma.execute = miss.execute;
  payload.ats = {};
  payload.ats.no_write = !miss.write;
  payload.slot = m;
  payload.offset = miss.serial;
  ++stats_.translation_requests;
  stats_.requested.enter(now);
  deadlines_.push_back({now + params_.completion_time_out_ns * 1000, m, miss.serial});
  bus_.send(payload);
}

void Atc::completed(bus::PooledPayload& payload, base::Picoseconds now) {
  ++stats_.completions;
  stats_.requested.leave(now);
  const std::uint32_t m = payload.slot;
  const Miss& miss = misses_[m];
  if (miss.state != MissState::kRequested || miss.serial != payload.offset) {
    ++stats_.late;
    return;
  }
  if (payload.dma.response != translate::Response::kSuccess || !payload.is_response_ok()) {
    ++stats_.failed;
    const bool aborted = payload.dma.response != translate::Response::kUnsupportedRequest;
    return fail(m, aborted ? translate::Response::kCompleterAbort : translate::Response::kUnsupportedRequest, now);
  }
  if (miss.overtaken) {
    ++stats_.overtaken;
    return ask(m);
  }
  AtcEntry entry;
  entry.size_log2 = payload.ats.size_log2;
  entry.target = payload.ats.address - (miss.page & base::mask_of(entry.size_log2));
  entry.read = payload.ats.completion.r;
  entry.write = payload.ats.completion.w;
  entry.execute = payload.ats.completion.x;
  entry.untranslated_only = payload.ats.completion.untranslated_only;
  if (entry.read || entry.write) {
    ++stats_.fills;
    if (cache_.fill(miss.page, miss.space, entry)) ++stats_.evictions;
  }
  entry.permits(miss.write, miss.execute) ? granted(m, entry) : denied(m, now);
}

void Atc::granted(std::uint32_t m, const AtcEntry& entry) {
  for (std::uint32_t i = misses_[m].head; i != kNone; i = pieces_[i].next) use(i, entry);
  free_miss(m);
}

void Atc::denied(std::uint32_t m, base::Picoseconds now) {
  ++stats_.denied;
  Miss& miss = misses_[m];
  if (!pri_ || miss.attempts++ == params_.page_request_retries)
    return fail(m, translate::Response::kUnsupportedRequest, now);
  miss.state = MissState::kFaulted;
  faulted_.push(m);
}

void Atc::fail(std::uint32_t m, translate::Response response, base::Picoseconds now) {
  for (std::uint32_t i = misses_[m].head, next = 0; i != kNone; i = next) {
    next = pieces_[i].next;
    ++stats_.refused;
    tell_listener(pieces_[i]);
    end_piece(i, response, now);
  }
  free_miss(m);
}

void Atc::free_miss(std::uint32_t m) {
  misses_[m].state = MissState::kFree;
  free_misses_.push_back(m);
}

void Atc::give_up_late(base::Picoseconds now) {
  for (; !deadlines_.empty(); deadlines_.pop_front()) {
    const Deadline& oldest = deadlines_.front();
    const Miss& miss = misses_[oldest.miss];
    if (miss.state != MissState::kRequested || miss.serial != oldest.serial) continue;  // answered
    if (oldest.at > now) return;
    ++stats_.time_outs;
    fail(oldest.miss, translate::Response::kCompleterAbort, now);
  }
}

/// A group asks for pages of one address space and kind of access. The index of a group is that of its place.
void Atc::form_groups() {
  while (!faulted_.empty() && pages_asked_ < params_.page_requests) {
    while (groups_[next_group_].pages != 0) next_group_ = next_group_ + 1 == groups_.size() ? 0 : next_group_ + 1;
    Group& group = groups_[next_group_];
    const Miss& first = misses_[faulted_.front()];
    for (std::size_t left = faulted_.size();
         left != 0 && group.pages < params_.pages_per_group && pages_asked_ < params_.page_requests; --left) {
      const std::uint32_t m = faulted_.front();
      faulted_.pop();
      Miss& miss = misses_[m];
      if (!(miss.space == first.space) || miss.execute != first.execute) {
        faulted_.push(m);
        continue;
      }
      miss.state = MissState::kPaging;
      miss.group = next_group_;
      ++group.pages;
      ++pages_asked_;
      pages_to_ask_.push({m, false});
    }
    pages_to_ask_.at(pages_to_ask_.size() - 1).last = true;
    group.to_send = group.pages;
    next_group_ = next_group_ + 1 == groups_.size() ? 0 : next_group_ + 1;
  }
}

void Atc::send_page_request(base::Picoseconds now) {
  const PageToAsk page = pages_to_ask_.front();
  pages_to_ask_.pop();
  const Miss& miss = misses_[page.miss];
  Group& group = groups_[miss.group];
  if (group.to_send-- == group.pages) {
    group.since = now;
    ++stats_.groups;
    stats_.groups_open.enter(now);
  }
  ++stats_.page_requests;
  bus::PooledPayload& payload = message(bus::MessageExtension::Kind::kPageRequest);
  translate::PageRequest& request = payload.message.page_request;
  request.process_valid = miss.space.process_valid;
  request.process = base::ProcessId(miss.space.process);
  request.privileged = miss.space.privileged;
  request.execute = miss.space.process_valid && miss.execute;
  request.payload = page_request_body(miss.page, miss.write, miss.group, page.last);
  bus_.send(payload);
}

/// PCIe PRI: success means try again, an invalid request has no such page, and a failure ends all page requests until
/// software enables them anew.
void Atc::page_response(const translate::DeviceMessage& message, base::Picoseconds now) {
  const std::uint32_t index = group_of(message);
  if (index >= groups_.size() || groups_[index].pages == 0 || groups_[index].to_send != 0) {
    ++stats_.responses_unexpected;
    return;
  }
  Group& group = groups_[index];
  pages_asked_ -= group.pages;
  group.pages = 0;
  stats_.groups_open.leave(now);
  stats_.response_ps.add(now - group.since);
  const PageResponse response = response_of(message);
  ++(response == PageResponse::kSuccess          ? stats_.responses_success
     : response == PageResponse::kInvalidRequest ? stats_.responses_invalid
                                                 : stats_.responses_failure);
  for (std::uint32_t m = 0; m < misses_.size(); ++m) {
    Miss& miss = misses_[m];
    if (miss.state != MissState::kPaging || miss.group != index) continue;
    if (response == PageResponse::kSuccess) {
      miss.state = MissState::kResting;
      resting_.push(now + params_.retry_ns * 1000, m);
    } else {
      fail(m,
           response == PageResponse::kFailure ? translate::Response::kCompleterAbort
                                              : translate::Response::kUnsupportedRequest,
           now);
    }
  }
  if (response != PageResponse::kFailure) return;
  pri_ = false;
  for (; !faulted_.empty(); faulted_.pop()) fail(faulted_.front(), translate::Response::kCompleterAbort, now);
}

}  // namespace iommusim::devices
