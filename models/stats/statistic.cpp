// SPDX-License-Identifier: Apache-2.0
#include "stats/statistic.h"

namespace iommusim::stats {

Counter::Counter(Group& group, std::string name, Unit unit, std::string definition) {
  group.add({{std::move(name), unit, std::move(definition)}, this});
}

Derived::Derived(Group& group, std::string name, Unit unit, std::string definition,
                 std::function<std::uint64_t()> compute)
    : compute_(std::move(compute)) {
  group.add({{std::move(name), unit, std::move(definition)}, this});
}

std::uint64_t Operand::value() const {
  if (auto* const* counter = std::get_if<const Counter*>(&what_)) return (*counter)->value();
  if (auto* const* derived = std::get_if<const Derived*>(&what_)) return (*derived)->value();
  if (const auto* constant = std::get_if<std::uint64_t>(&what_)) return *constant;
  return std::get<std::function<std::uint64_t()>>(what_)();
}

Ratio::Ratio(Group& group, std::string name, Operand numerator, Operand denominator, std::string definition)
    : numerator_(std::move(numerator)), denominator_(std::move(denominator)) {
  group.add({{std::move(name), Unit::kRatio, std::move(definition)}, this});
}

Histogram::Histogram(Group& group, std::string name, Unit unit, std::string definition) {
  group.add({{std::move(name), unit, std::move(definition)}, this});
}

Occupancy::Occupancy(Group& group, std::string name, Unit unit, std::string definition, std::uint64_t limit)
    : data_(limit) {
  group.add({{std::move(name), unit, std::move(definition)}, this});
}

}  // namespace iommusim::stats
