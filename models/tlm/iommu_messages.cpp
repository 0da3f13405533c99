// SPDX-License-Identifier: Apache-2.0
#include "tlm/iommu_messages.h"

#include <algorithm>

#include "base/bits.h"

namespace iommusim::bus {

bool IommuMessages::send(const translate::DeviceMessage& message, Picoseconds now, Delivery& delivery) {
  delivery = {};
  const auto credits = credits_.find(message.function.device_id().value);
  if (credits != credits_.end() && credits->second.empty()) return false;
  const bool invalidation = message.kind == translate::DeviceMessage::Kind::kInvalidationRequest;
  ++(invalidation ? stats_.invalidations : stats_.responses);
  if (invalidation) {
    deadlines_[message.itag] = now + time_out_;
    armed_ |= 1U << message.itag;
  }
  if (credits == credits_.end()) {
    ++stats_.undeliverable;
    return true;
  }
  delivery = credits->second.front();
  credits->second.pop_front();
  message_of(*delivery.answer).message = message;
  delivery.answer->set_response_status(::tlm::TLM_OK_RESPONSE);
  return true;
}

std::uint32_t IommuMessages::take_timed_out(std::uint32_t outstanding, Picoseconds now) {
  if (armed_ == 0) return 0;
  armed_ &= outstanding;
  std::uint32_t over = 0;
  for (unsigned tag = 0; tag < deadlines_.size(); ++tag)
    if (base::bit(armed_, tag) && deadlines_[tag] <= now) {
      over |= 1U << tag;
      ++stats_.time_outs;
    }
  armed_ &= ~over;
  return over;
}

Picoseconds IommuMessages::next_time_out(std::uint32_t outstanding) const {
  Picoseconds next = kNever;
  if ((armed_ & outstanding) == 0) return next;
  for (unsigned tag = 0; tag < deadlines_.size(); ++tag)
    if (base::bit(armed_ & outstanding, tag)) next = std::min(next, deadlines_[tag]);
  return next;
}

translate::PageRequest IommuMessages::page_request(const Payload& payload) {
  ++stats_.page_requests;
  translate::PageRequest request = message_of(payload).page_request;
  const std::uint32_t sender = dma_of(payload).device.value;
  request.function.rid = static_cast<std::uint16_t>(sender);
  request.function.segment = static_cast<std::uint8_t>(sender >> 16);
  request.function.segment_valid = request.function.segment != 0;
  return request;
}

bool IommuMessages::completion(const Payload& payload, translate::InvalidationCompletion& completion) {
  ++stats_.completions;
  completion = message_of(payload).completion;
  return completion.function.device_id() == dma_of(payload).device;
}

}  // namespace iommusim::bus
