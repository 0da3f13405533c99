// SPDX-License-Identifier: Apache-2.0
// What the IOMMU module tells the recorder: each translation when its answer leaves, each register access.
#include "tlm/iommu.h"

namespace iommusim::bus {

void Iommu::record(record::Recorder& recorder) {
  base::ensure(!functional_, "records are told in cycle mode only");
  recorder_ = &recorder;
  decided_.resize(pieces_.size());
  engine_.record(&recorder);
}

void Iommu::record_piece(std::uint32_t number) {
  const Piece& piece = pieces_[number];
  const timing::Finished& decided = decided_[number];
  const timing::Timeline& line = decided.timeline;
  const Payload& payload = *transfers_.get(piece.transfer).payload;
  const DmaExtension& dma = dma_of(payload);
  record::Translation out;
  out.id = line.id;
  out.device = dma.device.value;
  if (dma.process_valid) out.process = dma.process.value;
  out.iova = payload.get_address() + piece.offset;
  out.bytes = piece.bytes;
  if (payload.is_write())
    out.access = record::Access::kWrite;
  else if (dma.execute)
    out.access = record::Access::kExecute;
  if (decided.outcome.kind == translate::Outcome::Kind::kTranslated) {
    out.page_shift = decided.outcome.bypass ? 0 : decided.outcome.size_log2;
    out.spa = decided.outcome.spa;
  } else {
    const bool dropped = line.picked == base::kNever;
    out.outcome = dropped ? record::Outcome::kDropped : record::Outcome::kFaulted;
    out.cause = decided.outcome.fault.cause;
  }
  out.found = line.found;
  out.reads = line.reads;
  out.accepted = clock_.time_of(decided.accepted);
  out.picked = clock_.time_of(line.picked);
  out.device_context = clock_.time_of(line.device_context);
  out.process_context = clock_.time_of(line.process_context);
  out.iotlb = clock_.time_of(line.iotlb);
  out.walk_start = clock_.time_of(line.walk_start);
  out.walk_end = clock_.time_of(line.walk_end);
  out.done = clock_.time_of(decided.released);
  out.answered = now_ps();
  recorder_->emit(out);
}

/// At the access's effect, with the times around it.
void Iommu::record_register(const Payload& payload, std::uint64_t value) {
  const base::Cycle before = effect_cycles(payload);
  const Picoseconds now = now_ps();
  record::RegisterAccess out;
  out.id = registers_recorded_++;
  out.offset = payload.get_address();
  out.bytes = payload.get_data_length();
  out.write = payload.is_write();
  out.start = now - std::min(now, clock_.time_of(before));
  out.done = now + clock_.time_of(params_.engine.registers.access_cycles - before);
  out.data = value;
  recorder_->emit(out);
}

}  // namespace iommusim::bus
