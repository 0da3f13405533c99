// SPDX-License-Identifier: Apache-2.0
// What packets take of a link, resolved from its parameters: where transfers are cut, bytes on the wire, credits.
#pragma once

#include <algorithm>

#include "tlm/iommu_request.h"
#include "tlm/link_params.h"
#include "tlm/message_extension.h"

namespace iommusim::bus {

class LinkRules {
 public:
  static constexpr std::uint32_t kCreditBytes = 16;  // PCIe 2.6.1: a unit of data credits

  explicit LinkRules(const PcieParams& params) : params_(params) {}

  struct Up {
    std::uint32_t bytes = 0;         ///< on the wire
    std::uint32_t headers = 0;       ///< TLPs; header credits
    std::uint32_t data_credits = 0;  ///< of posted data
  };

  /// The first part of what is left of a transfer: never across a 4 KiB border, nor longer than a TLP may be.
  std::uint32_t cut(bool write, std::uint64_t address, std::uint32_t left) const {
    const std::uint32_t in_page = piece_bytes(address, left);
    return params_.merge_tlps ? in_page : std::min(in_page, limit(write));
  }
  Up write(std::uint32_t data) const {
    const std::uint32_t tlps = count(data, params_.max_payload_bytes);
    const std::uint32_t units = count(data, kCreditBytes);  // MPS is a multiple of a unit
    return {tlps * params_.write_header_bytes + data, std::min(tlps, params_.posted_header_credits),
            std::min(units, params_.posted_data_credits)};
  }
  Up read(std::uint32_t data) const {
    const std::uint32_t tlps = count(data, params_.max_read_request_bytes);
    return {tlps * params_.read_header_bytes, std::min({tlps, params_.nonposted_header_credits, params_.tags}), 0};
  }
  /// Completions of a read request of `data` bytes; `cut` is the part of one.
  std::uint32_t completion_data() const { return std::min(params_.max_payload_bytes, params_.max_read_request_bytes); }
  std::uint32_t completion_bytes(std::uint32_t data) const {
    const std::uint32_t requests = data / params_.max_read_request_bytes;
    const std::uint32_t rest = data % params_.max_read_request_bytes;
    const std::uint32_t completions =
        requests * count(params_.max_read_request_bytes, params_.max_payload_bytes) + count_or_none(rest);
    return std::max(completions, 1U) * params_.completion_header_bytes + data;
  }
  std::uint32_t completion_header() const { return params_.completion_header_bytes; }
  std::uint32_t message_bytes(std::uint32_t body) const { return params_.write_header_bytes + body; }

  Picoseconds latency_up() const { return params_.latency_up_ns * 1000; }
  Picoseconds latency_down() const { return params_.latency_down_ns * 1000; }
  const PcieParams& params() const { return params_; }

 private:
  std::uint32_t limit(bool write) const { return write ? params_.max_payload_bytes : params_.max_read_request_bytes; }
  static std::uint32_t count(std::uint32_t bytes, std::uint32_t unit) {
    return std::max(1U, (bytes + unit - 1) / unit);
  }
  std::uint32_t count_or_none(std::uint32_t rest) const {
    return rest == 0 ? 0 : count(rest, params_.max_payload_bytes);
  }

  PcieParams params_;
};

}  // namespace iommusim::bus
