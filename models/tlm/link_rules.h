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

  explicit LinkRules(const LinkParams& params)
      : axi_(params.axi), is_axi_(params.kind == LinkKind::kAxi), params_(params.pcie) {}

  struct Up {
    std::uint32_t bytes = 0;         ///< on the wire
    std::uint32_t headers = 0;       ///< TLPs; header credits
    std::uint32_t data_credits = 0;  ///< of posted data
  };

  /// The first part of what is left of a transfer: never across a 4 KiB border, nor longer than a TLP may be.
  std::uint32_t cut(bool write, std::uint64_t address, std::uint32_t left) const {
    const std::uint32_t in_page = piece_bytes(address, left);
    if (is_axi_) return std::min(in_page, axi_.max_burst_beats * axi_.width_bytes);
    return params_.merge_tlps ? in_page : std::min(in_page, limit(write));
  }
  /// Of an AXI port `headers` is one a burst.
  Up write(std::uint32_t data) const {
    if (is_axi_) return {beats(data) * axi_.width_bytes, 1, 0};
    const std::uint32_t tlps = count(data, params_.max_payload_bytes);
    const std::uint32_t units = count(data, kCreditBytes);  // MPS is a multiple of a unit
    return {tlps * params_.write_header_bytes + data, std::min(tlps, params_.posted_header_credits),
            std::min(units, params_.posted_data_credits)};
  }
  Up read(std::uint32_t data) const {
    if (is_axi_) return {axi_.width_bytes, 1, 0};  // a beat of the channel for read addresses
    const std::uint32_t tlps = count(data, params_.max_read_request_bytes);
    return {tlps * params_.read_header_bytes, std::min({tlps, params_.nonposted_header_credits, params_.tags}), 0};
  }
  /// Completions of a read request of `data` bytes; `cut` is the part of one.
  std::uint32_t completion_data() const { return std::min(params_.max_payload_bytes, params_.max_read_request_bytes); }
  std::uint32_t completion_bytes(std::uint32_t data) const {
    if (is_axi_) return beats(data) * axi_.width_bytes;
    const std::uint32_t requests = data / params_.max_read_request_bytes;
    const std::uint32_t rest = data % params_.max_read_request_bytes;
    const std::uint32_t completions =
        requests * count(params_.max_read_request_bytes, params_.max_payload_bytes) + count_or_none(rest);
    return std::max(completions, 1U) * params_.completion_header_bytes + data;
  }
  std::uint32_t completion_header() const { return is_axi_ ? 0 : params_.completion_header_bytes; }
  std::uint32_t message_bytes(std::uint32_t body) const {
    return is_axi_ ? beats(body) * axi_.width_bytes : params_.write_header_bytes + body;
  }

  Picoseconds latency_up() const { return (is_axi_ ? axi_.latency_up_ns : params_.latency_up_ns) * 1000; }
  Picoseconds latency_down() const { return (is_axi_ ? axi_.latency_down_ns : params_.latency_down_ns) * 1000; }
  bool is_axi() const { return is_axi_; }
  std::uint64_t bytes_per_s() const { return is_axi_ ? axi_.bytes_per_s() : params_.tlp_bytes_per_s(); }
  std::uint32_t queue_depth() const { return is_axi_ ? axi_.queue_depth : params_.queue_depth; }
  const PcieParams& pcie() const { return params_; }
  const AxiParams& axi() const { return axi_; }

 private:
  std::uint32_t beats(std::uint32_t data) const { return count(data, axi_.width_bytes); }
  std::uint32_t limit(bool write) const { return write ? params_.max_payload_bytes : params_.max_read_request_bytes; }
  static std::uint32_t count(std::uint32_t bytes, std::uint32_t unit) {
    return std::max(1U, (bytes + unit - 1) / unit);
  }
  std::uint32_t count_or_none(std::uint32_t rest) const {
    return rest == 0 ? 0 : count(rest, params_.max_payload_bytes);
  }

  AxiParams axi_;
  bool is_axi_;
  PcieParams params_;
};

}  // namespace iommusim::bus
