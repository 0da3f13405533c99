// SPDX-License-Identifier: Apache-2.0
// A mix of patterns: each tenant is a function with an address space of its own, in which its pattern's streams lie.
#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "devices/pattern.h"
#include "devices/patterns.h"

namespace iommusim::devices {

namespace {

PatternKind kind_of(const std::string& name) {
  const auto* const row = base::find_choice(kPatterns, name);
  if (row != nullptr && row->value != PatternKind::kTenants) return row->value;
  throw base::InputError("'" + name + "' is no pattern of a tenant, expected uniform, sequential, tiles or gpu");
}

class Tenants final : public AccessPattern {
 public:
  Tenants(const PatternParams& params, std::uint64_t seed) : order_(params.tenants.order), random_(seed) {
    if (params.tenants.patterns.empty()) throw base::InputError("patterns is empty, expected at least one");
    if (params.tenants.weights.empty()) throw base::InputError("weights is empty, expected at least one");
    std::uint64_t offset = 0;
    for (std::uint32_t i = 0; i < params.tenants.tenants; ++i) {
      Tenant tenant;
      tenant.pattern = make_pattern(kind_of(params.tenants.patterns[i % params.tenants.patterns.size()]), params,
                                    scramble(seed) + i);
      if (tenant.pattern->spaces() != 1)
        throw base::InputError("sequential.own_spaces is true, but a tenant has one address space, expected false");
      tenant.first_stream = static_cast<std::uint32_t>(streams_.size());
      tenant.weight = params.tenants.weights[i % params.tenants.weights.size()];
      weights_ += tenant.weight;
      tenant.weight_end = weights_;
      std::uint64_t end = offset;
      for (const Stream& stream : tenant.pattern->streams()) {
        streams_.push_back({i, offset + stream.offset, stream.bytes});
        end = std::max(end, offset + stream.offset + stream_step(stream.bytes));
      }
      if (!params.tenants.same_iovas) offset = base::align_up(end, 2ULL << 20);
      tenants_.push_back(std::move(tenant));
    }
    turn_left_ = tenants_.front().weight;
  }

  Access next() override {
    if (order_ == TenantOrder::kRandom) {
      const std::uint64_t drawn = random_.below(weights_);
      tenant_ = static_cast<std::size_t>(
          std::partition_point(tenants_.begin(), tenants_.end(),
                               [&](const Tenant& tenant) { return tenant.weight_end <= drawn; }) -
          tenants_.begin());
    } else if (turn_left_ == 0) {
      tenant_ = tenant_ + 1 == tenants_.size() ? 0 : tenant_ + 1;
      turn_left_ = tenants_[tenant_].weight;
    }
    --turn_left_;
    Tenant& tenant = tenants_[tenant_];
    Access access = tenant.pattern->next();
    access.stream += tenant.first_stream;
    return access;
  }

 private:
  struct Tenant {
    std::unique_ptr<AccessPattern> pattern;
    std::uint32_t first_stream = 0;
    std::uint64_t weight = 1;
    std::uint64_t weight_end = 0;  ///< sum up to this one
  };

  TenantOrder order_;
  base::Random random_;
  std::vector<Tenant> tenants_;
  std::uint64_t weights_ = 0;
  std::uint64_t turn_left_ = 0;
  std::size_t tenant_ = 0;
};

}  // namespace

std::unique_ptr<AccessPattern> make_tenants(const PatternParams& params, std::uint64_t seed) {
  return std::make_unique<Tenants>(params, seed);
}

}  // namespace iommusim::devices
