// SPDX-License-Identifier: Apache-2.0
// Payloads for one initiator: each owns its extensions and, if wanted, a data buffer. Taking one allocates only when
// more are in flight than ever before. A payload comes back by itself when its last reference is released.
#pragma once

#include <memory>
#include <vector>

#include "tlm/ats_extension.h"
#include "tlm/dma_extension.h"
#include "tlm/memory_extension.h"
#include "tlm/message_extension.h"

namespace iommusim::bus {

class PooledPayload final : public Payload {
 public:
  PooledPayload(::tlm::tlm_mm_interface& owner, std::size_t buffer_bytes)
      : Payload(&owner), buffer_(buffer_bytes == 0 ? nullptr : new std::uint8_t[buffer_bytes]) {
    set_extension(&dma);
    set_extension(&atomic);
    set_extension(&poison);
    set_extension(&ats);
    set_extension(&message);
    set_extension(&origin);
  }
  ~PooledPayload() override {  // members, which the base class must not free
    clear_extension<DmaExtension>();
    clear_extension<AtomicExtension>();
    clear_extension<PoisonExtension>();
    clear_extension<AtsExtension>();
    clear_extension<MessageExtension>();
    clear_extension<OriginExtension>();
  }

  DmaExtension dma;
  AtomicExtension atomic;
  PoisonExtension poison;
  AtsExtension ats;          ///< not fresh: who sends a request or a message of that kind fills it
  MessageExtension message;  ///< as `ats`
  OriginExtension origin;
  std::uint64_t offset = 0;  ///< free for the one that took the payload, as is `slot`
  std::uint32_t slot = 0;

  std::uint8_t* buffer() { return buffer_.get(); }

 private:
  std::unique_ptr<std::uint8_t[]> buffer_;
};

class PayloadPool final : public ::tlm::tlm_mm_interface {
 public:
  explicit PayloadPool(std::size_t buffer_bytes = 0) : buffer_bytes_(buffer_bytes) {}

  /// A payload with one reference and fresh extensions, ready for BEGIN_REQ but for command, address, data and length.
  PooledPayload& take() {
    if (free_.empty()) {
      all_.push_back(std::make_unique<PooledPayload>(*this, buffer_bytes_));
      free_.reserve(all_.capacity());
      free_.push_back(all_.back().get());
    }
    PooledPayload& payload = *free_.back();
    free_.pop_back();
    payload.dma = DmaExtension{};
    payload.atomic.bytes = 0;
    payload.poison.poisoned = false;
    payload.origin = OriginExtension{};
    payload.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
    payload.set_dmi_allowed(false);
    payload.acquire();
    return payload;
  }
  void free(Payload* payload) override { free_.push_back(static_cast<PooledPayload*>(payload)); }

  std::size_t in_use() const { return all_.size() - free_.size(); }  ///< not 0 at the end: somebody leaked
  std::size_t allocated() const { return all_.size(); }

 private:
  std::size_t buffer_bytes_;
  std::vector<std::unique_ptr<PooledPayload>> all_;
  std::vector<PooledPayload*> free_;
};

/// READ or WRITE of `bytes` at `data`, without byte enables or streaming.
inline void set_access(Payload& payload, bool write, std::uint64_t address, std::uint8_t* data, std::uint32_t bytes) {
  payload.set_command(write ? ::tlm::TLM_WRITE_COMMAND : ::tlm::TLM_READ_COMMAND);
  payload.set_address(address);
  payload.set_data_ptr(data);
  payload.set_data_length(bytes);
  payload.set_streaming_width(bytes);
  payload.set_byte_enable_ptr(nullptr);
}

}  // namespace iommusim::bus
