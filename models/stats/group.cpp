// SPDX-License-Identifier: Apache-2.0
#include "stats/group.h"

#include <algorithm>

#include "base/error.h"
#include "stats/statistic.h"
#include "stats/visitor.h"

namespace iommusim::stats {

Group::Group(Group& parent, std::string name) : name_(std::move(name)), parent_(&parent) {
  parent.add({{name_, Unit::kCount, {}}, this});
}

Group::~Group() {
  if (parent_ != nullptr) parent_->forget(this);
  for (Entry& entry : entries_)
    if (auto* child = std::get_if<Group*>(&entry.what)) (*child)->parent_ = nullptr;
}

std::string Group::path() const { return parent_ == nullptr ? name_ : parent_->path() + '.' + name_; }

void Group::add(Entry entry) {
  for (const Entry& other : entries_)
    if (other.info.name == entry.info.name)
      base::contradiction("two statistics of the name '" + path() + '.' + entry.info.name + "'");
  entries_.push_back(std::move(entry));
}

void Group::forget(const Group* child) {
  entries_.erase(std::remove_if(entries_.begin(), entries_.end(),
                                [child](const Entry& entry) {
                                  auto* const* group = std::get_if<Group*>(&entry.what);
                                  return group != nullptr && *group == child;
                                }),
                 entries_.end());
}

void Group::accept(Visitor& visitor) const {
  visitor.enter(name_);
  for (const Entry& entry : entries_) {
    if (auto* const* counter = std::get_if<Counter*>(&entry.what))
      visitor.scalar(entry.info, (*counter)->value());
    else if (auto* const* derived = std::get_if<Derived*>(&entry.what))
      visitor.scalar(entry.info, (*derived)->value());
    else if (auto* const* ratio = std::get_if<Ratio*>(&entry.what))
      visitor.ratio(entry.info, (*ratio)->numerator(), (*ratio)->denominator());
    else if (auto* const* histogram = std::get_if<Histogram*>(&entry.what))
      visitor.histogram(entry.info, (*histogram)->data());
    else if (auto* const* occupancy = std::get_if<Occupancy*>(&entry.what))
      visitor.occupancy(entry.info, (*occupancy)->data());
    else
      std::get<Group*>(entry.what)->accept(visitor);
  }
  visitor.leave();
}

void Group::reset() {
  for (Entry& entry : entries_) {
    if (auto* counter = std::get_if<Counter*>(&entry.what))
      (*counter)->value_ = 0;
    else if (auto* histogram = std::get_if<Histogram*>(&entry.what))
      (*histogram)->data_.clear();
    else if (auto* occupancy = std::get_if<Occupancy*>(&entry.what))
      (*occupancy)->data_.restart();
    else if (auto* group = std::get_if<Group*>(&entry.what))
      (*group)->reset();
  }
}

void Group::advance(std::uint64_t now) {
  for (Entry& entry : entries_) {
    if (auto* occupancy = std::get_if<Occupancy*>(&entry.what))
      (*occupancy)->data_.advance(now);
    else if (auto* group = std::get_if<Group*>(&entry.what))
      (*group)->advance(now);
  }
}

void check_identities(const Group& group) {
  for (const Group::Check& check : group.checks_) {
    const std::uint64_t left = check.left();
    const std::uint64_t right = check.right();
    if (left != right)
      base::contradiction("statistics of '" + group.path() + "': identity '" + check.law +
                          "' does not hold: " + std::to_string(left) + " is not " + std::to_string(right));
  }
  for (const Group::Entry& entry : group.entries_)
    if (auto* const* child = std::get_if<Group*>(&entry.what)) check_identities(**child);
}

}  // namespace iommusim::stats
