// SPDX-License-Identifier: Apache-2.0
// The way of a piece of DMA through an ATC: cut, looked up, sent, answered.
#include "devices/atc.h"

#include <algorithm>

#include "tlm/iommu_functional.h"

namespace iommusim::devices {

Atc::Atc(const sc_core::sc_module_name& name, const AtcParams& params, base::DeviceId function, std::uint64_t seed,
         stats::Group& parent)
    : TimedModule(name),
      params_(params),
      function_(function),
      clock_(params.clock_mhz),
      stats_(parent, basename()),
      device_("device", 0, *this),
      bus_("to_bus", 0, *this),
      incoming_(2),
      pieces_(params.outstanding),
      lookups_(params.outstanding, params.cache.lookup_cycles, params.cache.ports),
      to_send_(params.outstanding),
      stalled_(params.outstanding),
      answers_(params.outstanding + params.translation_requests + 2 * params.page_requests + 2 * kTags + 16),
      cache_(params.cache, seed),
      misses_(params.translation_requests + params.page_requests),
      to_request_(misses_.size()),
      faulted_(misses_.size()),
      pages_to_ask_(misses_.size()),
      resting_(misses_.size()),
      groups_(params.page_requests) {
  for (std::uint32_t i = params.outstanding; i-- > 0;) free_pieces_.push_back(i);
  for (auto i = static_cast<std::uint32_t>(misses_.size()); i-- > 0;) free_misses_.push_back(i);
}

void Atc::enable(bool ats, bool pri) {
  ats_ = ats;
  pri_ = ats && pri && params_.pri;
  cache_.clear();
  if (ats && !credits_given_) {  // one for each message that can be on its way to this function
    credits_due_ = kTags + params_.page_requests;
    credits_given_ = true;
  }
  wake_at(bus::now_ps());
}

bool Atc::idle() const {
  return transfers_.in_use() == 0 && stats_.requested.level() == 0 && stats_.groups_open.level() == 0 &&
         stats_.invalidating.level() == 0 && done_tags_ == 0 && completion_copies_ == 0;
}

bool Atc::request(unsigned, bus::Payload& payload, base::Picoseconds at) {
  if (incoming_.full()) return false;  // taken by work() when there is room
  incoming_.push({begin(payload, nullptr), at});
  wake_at(at);
  return true;
}

void Atc::blocking(unsigned, bus::Payload& payload, sc_core::sc_time& delay) {
  sc_core::wait(delay);
  delay = sc_core::SC_ZERO_TIME;
  while (incoming_.full()) sc_core::wait(bus::to_sc_time(clock_.time_of(1)));
  sc_core::sc_event done;
  incoming_.push({begin(payload, &done), bus::now_ps()});
  wake_at(bus::now_ps());
  sc_core::wait(done);
}

Atc::TransferHandle Atc::begin(bus::Payload& payload, sc_core::sc_event* done) {
  const TransferHandle handle = transfers_.take();
  Transfer& transfer = transfers_.get(handle);
  transfer.payload = &payload;
  transfer.address = payload.get_address();
  transfer.bytes_left = payload.get_data_length();
  transfer.done = done;
  return handle;
}

void Atc::response(unsigned, bus::Payload& payload, base::Picoseconds at) {
  answers_.push(at, static_cast<bus::PooledPayload*>(&payload));
  wake_at(at);
}

base::Picoseconds Atc::work(base::Picoseconds now) {
  while (answers_.due(now)) answered(*answers_.pop(), now);
  give_up_late(now);
  while (resting_.due(now)) ask(resting_.pop());
  for (bool moved = true; moved;) {
    moved = feed(now);
    moved |= look_up(now);
    go_on_with_stalled(now);
  }
  serve_invalidations(now);
  form_groups();
  send(now);
  respond();
  if (device_.waiting() != nullptr && !incoming_.full()) {
    incoming_.push({begin(*device_.waiting(), nullptr), device_.waiting_since()});
    device_.end_request();
    wake_at(now);
  }
  return next_event();
}

base::Picoseconds Atc::next_event() const {
  base::Picoseconds next = std::min(answers_.next(), resting_.next());
  const auto consider = [&next](base::Picoseconds time) { next = std::min(next, time); };
  consider(clock_.time_of(lookups_.next_event()));
  if (!deadlines_.empty()) consider(deadlines_.front().at);
  if (!received_.empty()) consider(received_.front().ready);
  if (!incoming_.empty() && !free_pieces_.empty()) consider(incoming_.front().since);
  if (!bus_.ready(bus::now_ps())) consider(bus_.ready_at());
  return next;
}

bool Atc::feed(base::Picoseconds now) {
  bool moved = false;
  for (; !incoming_.empty() && !free_pieces_.empty() && incoming_.front().since <= now; moved = true) cut(now);
  return moved;
}

void Atc::cut(base::Picoseconds now) {
  const TransferHandle handle = incoming_.front().transfer;
  Transfer& transfer = transfers_.get(handle);
  const bus::Payload& payload = *transfer.payload;
  const bus::DmaExtension& dma = bus::dma_of(payload);
  const std::uint32_t i = free_pieces_.back();
  free_pieces_.pop_back();
  Piece& piece = pieces_[i];
  piece = Piece{};
  piece.transfer = handle;
  piece.iova = piece.target = transfer.address;
  piece.bytes = bus::piece_bytes(transfer.address, transfer.bytes_left);
  piece.offset = payload.get_data_length() - transfer.bytes_left;
  piece.write = payload.is_write();
  piece.execute = dma.execute;
  if (dma.process_valid) piece.space = {true, dma.privileged, dma.process.value};
  piece.space.device = dma.device.value;
  transfer.address += piece.bytes;
  transfer.bytes_left -= piece.bytes;
  ++transfer.pieces_inside;
  if (transfer.bytes_left == 0) incoming_.pop();
  ++stats_.pieces;
  stats_.inside.enter(now);
  if (ats_ && dma.type == translate::AddressType::kUntranslated) {
    piece.state = PieceState::kWaiting;
    lookups_.start(clock_.edge_at_or_after(now), i);
  } else {
    piece.state = PieceState::kToSend;
    to_send_.push(i);
  }
}

bool Atc::look_up(base::Picoseconds now) {
  bool moved = false;
  for (; clock_.time_of(lookups_.next_event()) <= now; moved = true) {
    const std::uint32_t i = lookups_.take();
    const Piece& piece = pieces_[i];
    ++stats_.lookups;
    const AtcEntry* const entry = cache_.find(piece.iova, piece.space, piece.write, piece.execute);
    if (entry != nullptr) {
      ++stats_.hits;
      use(i, *entry);
    } else {
      ++stats_.misses;
      miss(i);
    }
  }
  return moved;
}

/// IOMMU 2.6: what is marked "untranslated access only" is used as a permission, not as an address.
void Atc::use(std::uint32_t i, const AtcEntry& entry) {
  Piece& piece = pieces_[i];
  piece.translated = !entry.untranslated_only;
  if (piece.translated) piece.target = entry.target_of(piece.iova);
  piece.state = PieceState::kToSend;
  to_send_.push(i);
  tell_listener(piece);
}

void Atc::tell_listener(const Piece& piece) {
  if (listener_ != nullptr) listener_->translated(bus::dma_of(*transfers_.get(piece.transfer).payload));
}

void Atc::send(base::Picoseconds now) {
  while (bus_.ready(now)) {
    if (credits_due_ != 0) {
      --credits_due_;
      bus_.send(message(bus::MessageExtension::Kind::kCredit));
    } else if (completion_copies_ != 0 || done_tags_ != 0) {
      send_completion();
    } else if (!pages_to_ask_.empty()) {
      send_page_request(now);
    } else if (!to_request_.empty() && stats_.requested.level() < params_.translation_requests) {
      send_translation_request(now);
    } else if (!to_send_.empty()) {
      send_piece(now);
    } else {
      return;
    }
  }
}

void Atc::send_piece(base::Picoseconds now) {
  const std::uint32_t i = to_send_.front();
  to_send_.pop();
  Piece& piece = pieces_[i];
  const bus::Payload& parent = *transfers_.get(piece.transfer).payload;
  bus::PooledPayload& payload = pool_.take();
  bus::set_access(payload, piece.write, piece.target, parent.get_data_ptr() + piece.offset, piece.bytes);
  const bus::DmaExtension& dma = bus::dma_of(parent);
  payload.dma.device = dma.device;
  payload.dma.origin = dma.origin;
  payload.dma.type = dma.type;
  payload.dma.execute = dma.execute;
  if (piece.translated) {  // Model: a translated request carries no PASID
    payload.dma.type = translate::AddressType::kTranslated;
    ++stats_.translated;
  } else {
    payload.dma.process = dma.process;
    payload.dma.process_valid = dma.process_valid;
    payload.dma.privileged = dma.privileged;
    ++stats_.untranslated;
  }
  payload.slot = i;
  piece.state = PieceState::kSent;
  bus_.send(payload);
  if (piece.write) retire(piece, now);  // posted: nothing sent later passes it
}

void Atc::answered(bus::PooledPayload& payload, base::Picoseconds now) {
  if (payload.dma.type == translate::AddressType::kMessage) {
    message_came(payload, now);
  } else if (payload.dma.type == translate::AddressType::kAtsRequest) {
    completed(payload, now);
  } else {
    auto response = payload.dma.response;
    if (response == translate::Response::kSuccess && !payload.is_response_ok())
      response = translate::Response::kCompleterAbort;
    retire(pieces_[payload.slot], now);
    ++stats_.answered;
    end_piece(payload.slot, response, now);
  }
  payload.release();
}

void Atc::end_piece(std::uint32_t i, translate::Response response, base::Picoseconds now) {
  const TransferHandle handle = pieces_[i].transfer;
  pieces_[i].state = PieceState::kFree;
  free_pieces_.push_back(i);
  stats_.inside.leave(now);
  Transfer& transfer = transfers_.get(handle);
  transfer.worst = std::max(transfer.worst, response);
  if (--transfer.pieces_inside != 0 || transfer.bytes_left != 0) return;
  bus::dma_of(*transfer.payload).response = transfer.worst;
  transfer.payload->set_response_status(bus::status_of(transfer.worst));
  if (transfer.done != nullptr) {
    transfer.done->notify(sc_core::SC_ZERO_TIME);
    transfers_.give_back(handle);
  } else {
    responses_.push_back(handle);
  }
}

void Atc::respond() {
  while (!responses_.empty() && !device_.responding()) {
    const TransferHandle handle = responses_.front();
    responses_.pop_front();
    bus::Payload& payload = *transfers_.get(handle).payload;
    transfers_.give_back(handle);
    device_.respond(payload);
  }
}

}  // namespace iommusim::devices
