// SPDX-License-Identifier: Apache-2.0
#include "embed/host.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace iommusim::embed {

// The words of an ask are little-endian: on such a machine they are the bytes of memory.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

namespace {

/// A number of which the host makes no sense is the safest of the three.
translate::MemoryStatus status_of(iommusim_memory_status status) {
  if (status == IOMMUSIM_MEMORY_OK) return translate::MemoryStatus::kOk;
  return status == IOMMUSIM_MEMORY_CORRUPT ? translate::MemoryStatus::kCorrupt : translate::MemoryStatus::kAccessFault;
}

}  // namespace

Host::Host(const iommusim_host& table, stats::Group& parent) : stats_(parent, "host") {
  constexpr std::size_t kLeast = offsetof(iommusim_host, compare_swap);
  if (table.size < kLeast || table.size % sizeof(void*) != 0)
    throw base::InputError("iommusim_host.size is " + std::to_string(table.size) + ", expected sizeof(iommusim_host)");
  std::memcpy(&table_, &table, std::min(table.size, sizeof table_));
  if (table_.read == nullptr || table_.write == nullptr)
    throw base::InputError("iommusim_host.read or write is NULL, expected a function");
}

translate::MemoryAnswer Host::perform_read(const translate::MemoryAsk& ask) {
  ++stats_.accesses;
  translate::MemoryAnswer answer;
  answer.status = status_of(table_.read(table_.user, ask.address, ask.bytes, answer.data.data()));
  return answer;
}

translate::MemoryStatus Host::perform_write(const translate::MemoryAsk& ask) {
  ++stats_.accesses;
  return status_of(table_.write(table_.user, ask.address, ask.bytes, ask.data.data()));
}

translate::MemoryAnswer Host::perform_swap(const translate::MemoryAsk& ask) {
  translate::MemoryAnswer answer;
  if (table_.compare_swap != nullptr) {
    ++stats_.accesses;
    answer.status =
        status_of(table_.compare_swap(table_.user, ask.address, ask.bytes, ask.data[0], ask.data[1], &answer.data[0]));
    return answer;
  }
  answer = perform_read(ask);
  if (answer.status != translate::MemoryStatus::kOk || answer.data[0] != ask.data[0]) return answer;
  translate::MemoryAsk store = ask;
  store.data[0] = ask.data[1];
  answer.status = perform_write(store);
  return answer;
}

void Host::send(const translate::DeviceMessage& message) {
  ++stats_.messages;
  if (table_.message == nullptr) return;
  const bool invalidation = message.kind == translate::DeviceMessage::Kind::kInvalidationRequest;
  iommusim_message out{};
  out.kind = invalidation ? IOMMUSIM_INVALIDATION_REQUEST : IOMMUSIM_PAGE_RESPONSE;
  out.device = message.function.device_id().value;
  out.segment_valid = message.function.segment_valid ? 1 : 0;
  out.itag = message.itag;
  out.process_valid = message.process_valid ? 1 : 0;
  out.process = message.process.value;
  out.payload = message.payload;
  table_.message(table_.user, &out);
}

void Host::tell_wires(std::uint16_t wires) {
  const unsigned changed = wires ^ wires_;
  wires_ = wires;
  for (unsigned vector = 0; vector < 16; ++vector) {
    if ((changed >> vector & 1) == 0) continue;
    ++stats_.wire_changes;
    if (table_.interrupt != nullptr) table_.interrupt(table_.user, vector, static_cast<int>(wires >> vector & 1));
  }
}

void Host::deliver(const iommusim_result& result) {
  if (table_.finished != nullptr)
    table_.finished(table_.user, &result);
  else
    results_.push_back(result);
}

bool Host::poll(iommusim_result& result) {
  if (results_.empty()) return false;
  result = results_.front();
  results_.pop_front();
  return true;
}

}  // namespace iommusim::embed
