// SPDX-License-Identifier: Apache-2.0
#include "tlm/peer_bars.h"

#include <cstring>

#include "base/bits.h"
#include "base/error.h"
#include "tlm/memory_extension.h"

namespace iommusim::bus {

PeerBars::Bar::Bar(const std::string& device, const PeerBarParams& params, stats::Group& parent)
    : first_(params.first),
      bytes_(params.bytes),
      latency_(params.latency_ns * 1000),
      store_(base::log2_floor(params.bytes)),
      stats_(parent, device) {
  base::ensure(store_.size() == params.bytes, "a BAR whose size is no power of two");
}

PeerBars::Bar& PeerBars::add(const std::string& device, const PeerBarParams& params) {
  bars_.push_back(std::make_unique<Bar>(device, params, stats_));
  return *bars_.back();
}

PeerBars::Bar* PeerBars::at(std::uint64_t address, std::uint64_t bytes) {
  for (const auto& bar : bars_)
    if (address - bar->first_ < bar->bytes_ || bar->first_ - address < bytes) return bar.get();
  return nullptr;
}

bool PeerBars::inside(const Bar& bar, const Payload& payload) {
  return payload.get_address() >= bar.first_ &&
         bar.store_.contains(payload.get_address() - bar.first_, payload.get_data_length());
}

void PeerBars::touch(Bar& bar, Payload& payload) {
  const std::uint64_t offset = payload.get_address() - bar.first_;
  if (payload.is_write())
    bar.store_.write(offset, payload.get_data_ptr(), payload.get_data_length());
  else if (payload.is_read())
    bar.store_.read(offset, payload.get_data_ptr(), payload.get_data_length());
}

void PeerBars::perform(Bar& bar, Payload& payload) const {
  const std::uint32_t bytes = payload.get_data_length();
  if (!routed_) {  // PCIe 2.3.1: Unsupported Request
    ++bar.stats_.refused;
    return payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }
  auto status = ::tlm::TLM_OK_RESPONSE;
  if (!inside(bar, payload))
    status = ::tlm::TLM_ADDRESS_ERROR_RESPONSE;
  else if (payload.get_byte_enable_ptr() != nullptr)
    status = ::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  else if (payload.get_streaming_width() < bytes)
    status = ::tlm::TLM_BURST_ERROR_RESPONSE;
  payload.set_response_status(status);
  if (status != ::tlm::TLM_OK_RESPONSE) {
    ++bar.stats_.errors;
    return;
  }
  ++bar.stats_.routed;
  const auto* const atomic = payload.get_extension<AtomicExtension>();
  if (payload.is_read() && atomic != nullptr && atomic->bytes != 0) {
    base::ensure(atomic->bytes == bytes, "a compare-and-swap of another length than its payload's");
    const std::uint64_t old =
        bar.store_.compare_swap(payload.get_address() - bar.first_, bytes, atomic->expected, atomic->desired);
    std::memcpy(payload.get_data_ptr(), &old, bytes);
    return;
  }
  touch(bar, payload);
  (payload.is_write() ? bar.stats_.bytes_written : bar.stats_.bytes_read) += bytes;
}

unsigned PeerBars::debug(Bar& bar, Payload& payload) const {
  const bool good = routed_ && inside(bar, payload);
  payload.set_response_status(good ? ::tlm::TLM_OK_RESPONSE : ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  if (!good) return 0;
  touch(bar, payload);
  return payload.get_data_length();
}

}  // namespace iommusim::bus
