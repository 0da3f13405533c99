// SPDX-License-Identifier: Apache-2.0
// A small system with a field of every kind, for the tests of params.
#pragma once

#include "params/describe.h"

namespace iommusim::params::example {

enum class Policy { kLru, kPlru, kRandom };
inline constexpr base::Choice<Policy> kPolicies[] = {
    {"lru", "least recently used", Policy::kLru},
    {"plru", "tree of bits", Policy::kPlru},
    {"random", "seeded uniform choice", Policy::kRandom},
};

struct Iotlb {
  std::uint32_t entries = 64;
  Policy policy = Policy::kLru;
  std::uint64_t fill_ns = 10;
  bool merge = true;

  template <class V>
  static constexpr void describe(V&& v) {
    v("entries", &Iotlb::entries, Unit::kCount, Range{1, 65536}, "translations held");
    v("policy", &Iotlb::policy, kPolicies, "which way is replaced");
    v("fill_ns", &Iotlb::fill_ns, Unit::kNs, Range{0, 1000000}, "from the walk's end to the hit");
    v("merge", &Iotlb::merge, "misses of a page share a walk | one walk each");
  }
};

struct Device {
  std::string trace;
  std::uint64_t window = 1ULL << 20;
  double rate_gbps = 16.0;
  std::int64_t skew = 0;

  template <class V>
  static constexpr void describe(V&& v) {
    v("trace", &Device::trace, "file to replay");
    v("window", &Device::window, Unit::kBytes, Range{4096, ~0ULL}, "size of the IOVA window");
    v("rate_gbps", &Device::rate_gbps, Unit::kGbps, Range{0.001, 1000}, "of the link");
    v("skew", &Device::skew, Unit::kCycle, Range{-100, 100}, "added to each start");
  }
};

struct Iommu {
  Iotlb iotlb;
  std::uint32_t clock_mhz = 1000;

  template <class V>
  static constexpr void describe(V&& v) {
    v.group("iotlb", &Iommu::iotlb, "the translation cache");
    v("clock_mhz", &Iommu::clock_mhz, Unit::kMhz, Range{1, 10000}, "of the pipeline");
  }
};

struct System {
  Iommu iommu;
  std::map<std::string, Device> devices;
  std::vector<std::uint32_t> ways{4, 8};
  std::vector<std::uint64_t> delays;
  std::vector<std::int64_t> offsets;
  std::vector<double> weights{0.5};
  std::vector<std::string> tags;

  template <class V>
  static constexpr void describe(V&& v) {
    v.group("iommu", &System::iommu, "the IOMMU");
    v.named_groups("devices", &System::devices, "devices by name");
    v.list("ways", &System::ways, Unit::kCount, Range{0, 1024}, "per level");
    v.list("delays", &System::delays, Unit::kNs, Range{0, ~0ULL}, "one a port");
    v.list("offsets", &System::offsets, Unit::kCycle, Range{-1000, 1000}, "one a port");
    v.list("weights", &System::weights, Unit::kRatio, Range{-1e300, 1e300}, "of the ports");
    v.list("tags", &System::tags, "free text");
  }
};

}  // namespace iommusim::params::example
