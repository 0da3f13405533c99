// SPDX-License-Identifier: Apache-2.0
// What the IOMMU sees of a payload: the extension and the payload are read once, here, into a plain record.
#pragma once

#include <algorithm>
#include <cstring>

#include "tlm/ats_extension.h"
#include "tlm/dma_extension.h"

namespace iommusim::bus {

inline constexpr std::uint32_t kPieceBytes = 4096;

/// Bytes from `address` to the end of its 4 KiB page, at most `left`.
inline std::uint32_t piece_bytes(std::uint64_t address, std::uint32_t left) {
  return std::min(left, static_cast<std::uint32_t>(kPieceBytes - address % kPieceBytes));
}

/// The request for the piece of `payload`, whose extension is `dma`, at `address`.
inline translate::Request request_of(const Payload& payload, const DmaExtension& dma, std::uint64_t address,
                                     std::uint32_t bytes) {
  translate::Request request;
  request.iova = base::Iova(address);
  request.bytes = bytes;
  request.device = dma.device;
  request.process = dma.process;
  request.process_valid = dma.process_valid;
  request.privileged = dma.privileged;
  request.execute = dma.execute;
  request.type = dma.type;
  request.access = payload.is_write() ? translate::Access::kWrite : translate::Access::kRead;
  if (dma.type == translate::AddressType::kAtsRequest) {
    const AtsExtension& ats = ats_of(payload);
    request.no_write = ats.no_write;
    request.cxl = ats.cxl;
  }
  request.stores_msi = true;
  if (bytes == sizeof request.data && payload.is_write())
    std::memcpy(&request.data, payload.get_data_ptr() + (address - payload.get_address()), sizeof request.data);
  return request;
}

/// The completion of an ATS translation request; false: `payload` is none.
inline bool complete_ats(const Payload& payload, const translate::Outcome& outcome) {
  if (dma_of(payload).type != translate::AddressType::kAtsRequest) return false;
  AtsExtension& ats = ats_of(payload);
  ats.completion = outcome.ats;
  ats.address = outcome.spa;
  ats.size_log2 = outcome.size_log2;
  return true;
}

/// The answer to a piece that goes nowhere (translate::Outcome::absorbed()): a read gets zeros.
inline void absorb(Payload& payload, std::uint32_t offset, std::uint32_t bytes) {
  if (payload.is_read()) std::memset(payload.get_data_ptr() + offset, 0, bytes);
}

}  // namespace iommusim::bus
