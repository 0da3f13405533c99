// SPDX-License-Identifier: Apache-2.0
// Messages of the IOMMU to an ATC, and above all its invalidations: entries go, completions on their way are marked as
// overtaken, and the completion message waits for requests that already have a removed translation.
#include "devices/atc.h"

#include <algorithm>

namespace iommusim::devices {

bus::PooledPayload& Atc::message(bus::MessageExtension::Kind kind) {
  bus::PooledPayload& payload = pool_.take();
  bus::set_access(payload, false, 0, payload.buffer(), bus::kInvalidationBodyBytes);
  payload.set_command(::tlm::TLM_IGNORE_COMMAND);
  payload.dma.device = function_;
  payload.dma.type = translate::AddressType::kMessage;
  payload.message = {};
  payload.message.kind = kind;
  return payload;
}

/// The answer to a credit has a message in it; its place is free again at once. That to a message of ours says nothing.
void Atc::message_came(bus::PooledPayload& payload, base::Picoseconds now) {
  if (payload.message.kind != bus::MessageExtension::Kind::kCredit) return;
  ++credits_due_;
  const translate::DeviceMessage& came = payload.message.message;
  if (came.kind == translate::DeviceMessage::Kind::kPageResponse) return page_response(came, now);
  ++stats_.invalidations;
  stats_.invalidating.enter(now);
  const base::Picoseconds start = received_.empty() ? now : std::max(now, received_.back().ready);
  received_.push_back({came, now, start + params_.invalidation_ns * 1000});
}

void Atc::serve_invalidations(base::Picoseconds now) {
  for (; !received_.empty() && received_.front().ready <= now; received_.pop_front())
    invalidate(received_.front(), now);
}

void Atc::invalidate(const Received& received, base::Picoseconds now) {
  const AtsRange range = range_of(received.message);
  const base::DeviceId function = received.message.function.device_id();
  stats_.invalidated += cache_.remove(range, function);
  const auto touches = [&range, function](std::uint64_t address, const AtcSpace& space) {
    return space.device == function.value &&
           range.touches(address, base::kPageShift, space.process_valid, space.process);
  };
  for (Miss& miss : misses_)
    if (miss.state == MissState::kRequested && touches(miss.page, miss.space)) miss.overtaken = true;
  const auto free = std::find_if(invalidations_.begin(), invalidations_.end(), [](const auto& i) { return !i.busy; });
  if (!params_.answer_invalidations || free == invalidations_.end()) {
    ++stats_.invalidations_ignored;
    stats_.invalidating.leave(now);
    return;
  }
  *free = {true, received.message.itag, 0, received.since, received.message.function};
  for (Piece& piece : pieces_) {
    const bool uses = (piece.state == PieceState::kToSend || piece.state == PieceState::kSent) && piece.translated;
    if (!uses || piece.retired || !touches(piece.iova, piece.space)) continue;
    piece.drains |= 1ULL << (free - invalidations_.begin());
    ++free->waits;
    ++stats_.drained;
  }
  if (free->waits == 0) complete(*free, now);
}

/// The piece has gone so far that a completion sent from here on does not pass it.
void Atc::retire(Piece& piece, base::Picoseconds now) {
  piece.retired = true;
  for (; piece.drains != 0; piece.drains &= piece.drains - 1) {
    Invalidation& invalidation = invalidations_[static_cast<unsigned>(__builtin_ctzll(piece.drains))];
    if (--invalidation.waits == 0) complete(invalidation, now);
  }
}

void Atc::complete(Invalidation& invalidation, base::Picoseconds now) {
  ++stats_.invalidations_completed;
  stats_.invalidating.leave(now);
  stats_.invalidation_ps.add(now - invalidation.since);
  done_tags_ |= 1U << invalidation.itag;
  if (completion_copies_ == 0) completion_.function = invalidation.function;
  invalidation.busy = false;
}

/// PCIe ATS: one message completes all tags of its vector, and each is sent as often as the count says.
void Atc::send_completion() {
  if (completion_copies_ == 0) {
    completion_copies_ = params_.completion_messages;
    completion_.itag_vector = done_tags_;
    completion_.count = static_cast<std::uint8_t>(params_.completion_messages % 8);
    done_tags_ = 0;
  }
  --completion_copies_;
  bus::PooledPayload& payload = message(bus::MessageExtension::Kind::kInvalidationCompletion);
  payload.message.completion = completion_;
  bus_.send(payload);
}

}  // namespace iommusim::devices
