// SPDX-License-Identifier: Apache-2.0
#include "tlm/link_params.h"

#include "base/bits.h"

namespace iommusim::bus {

namespace {

/// A lane of each generation: transfers a second and what of its bits the coding leaves.
struct Lane {
  std::uint64_t megatransfers;
  std::uint64_t of, among;
};
constexpr Lane kLanes[] = {{2500, 8, 10},     {5000, 8, 10},     {8000, 128, 130},
                           {16000, 128, 130}, {32000, 128, 130}, {64000, 236, 256}};  // flits: 236 of 256 bytes

}  // namespace

std::uint64_t PcieParams::tlp_bytes_per_s() const {
  if (rate_bytes_per_s != 0) return rate_bytes_per_s;
  const Lane& lane = kLanes[generation - 1];
  const std::uint64_t raw = lane.megatransfers * 1'000'000 * width * lane.of / (8 * lane.among);
  if (generation == 6) return raw;
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(raw) * (1'000'000 - dllp_overhead_ppm) / 1'000'000);
}

const char* PcieParams::contradiction() const {
  if (!base::is_power_of_two(width)) return "width is none of 1, 2, 4, 8, 16";
  if (!base::is_power_of_two(max_payload_bytes)) return "max_payload_bytes is no power of two";
  if (!base::is_power_of_two(max_read_request_bytes)) return "max_read_request_bytes is no power of two";
  if (!merge_tlps && posted_data_credits * 16 < max_payload_bytes)
    return "posted_data_credits do not suffice for one write of max_payload_bytes";
  return nullptr;
}

const char* AxiParams::contradiction() const {
  return base::is_power_of_two(width_bytes) ? nullptr : "width_bytes is no power of two";
}

}  // namespace iommusim::bus
