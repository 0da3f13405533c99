// SPDX-License-Identifier: Apache-2.0
// A DMA as a device asks for it: any length, any alignment; and what a device must offer to one that moves data for it.
#pragma once

#include <cstring>

#include "translate/request.h"

namespace iommusim::devices {

struct DmaRequest {
  std::uint64_t iova = 0;
  std::uint64_t bytes = 0;  ///< at least 1
  bool write = false;       ///< the device writes memory
  bool process_valid = false;
  bool privileged = false;
  bool execute = false;
  translate::AddressType type = translate::AddressType::kUntranslated;
  base::DeviceId device{};
  base::ProcessId process{};
  std::uint8_t* data = nullptr;  ///< valid until completed(); nullptr: the client's produce() and consume()
  std::uint64_t cookie = 0;      ///< the client's own
};

/// The device behind a DmaMaster. All calls come in a process of the master, in which try_issue() may be called.
class DmaClient {
 public:
  virtual ~DmaClient() = default;
  /// All parts were answered; `response` is the worst of them.
  virtual void completed(const DmaRequest& request, translate::Response response) = 0;
  /// A try_issue() that was refused can succeed now.
  virtual void ready() {}
  /// Fills `bytes` bytes of a write, those from request.iova + offset on.
  virtual void produce(const DmaRequest&, std::uint64_t /*offset*/, std::uint8_t* data, std::uint32_t bytes) {
    std::memset(data, 0, bytes);
  }
  /// Bytes of a read have come. Parts come in any order; those of a failed part do not come.
  virtual void consume(const DmaRequest&, std::uint64_t /*offset*/, const std::uint8_t*, std::uint32_t /*bytes*/) {}
};

}  // namespace iommusim::devices
