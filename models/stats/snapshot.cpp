// SPDX-License-Identifier: Apache-2.0
#include "stats/snapshot.h"

#include "base/error.h"

namespace iommusim::stats {

namespace {

class Copier final : public Visitor {
 public:
  explicit Copier(std::vector<Snapshot::Step>& steps) : steps_(steps) {}
  void enter(const std::string& name) override { steps_.push_back({{}, name}); }
  void scalar(const Info& info, std::uint64_t value) override { steps_.push_back({info, value}); }
  void ratio(const Info& info, std::uint64_t numerator, std::uint64_t denominator) override {
    steps_.push_back({info, Snapshot::RatioValue{numerator, denominator}});
  }
  void histogram(const Info& info, const HistogramData& data) override { steps_.push_back({info, data}); }
  void occupancy(const Info& info, const OccupancyData& data) override { steps_.push_back({info, data}); }
  void leave() override { steps_.push_back({{}, Snapshot::Leave{}}); }

 private:
  std::vector<Snapshot::Step>& steps_;
};

struct Subtract {
  const Snapshot::Value& earlier;
  void operator()(std::string& /*name*/) const {}
  void operator()(Snapshot::Leave& /*end*/) const {}
  void operator()(std::uint64_t& value) const { value -= std::get<std::uint64_t>(earlier); }
  void operator()(Snapshot::RatioValue& value) const {
    value.numerator -= std::get<Snapshot::RatioValue>(earlier).numerator;
    value.denominator -= std::get<Snapshot::RatioValue>(earlier).denominator;
  }
  void operator()(HistogramData& value) const { value.subtract(std::get<HistogramData>(earlier)); }
  void operator()(OccupancyData& value) const { value.subtract(std::get<OccupancyData>(earlier)); }
};

}  // namespace

Snapshot::Snapshot(const Group& group) {
  Copier copier(steps_);
  group.accept(copier);
}

void Snapshot::accept(Visitor& visitor) const {
  for (const Step& step : steps_) {
    if (const auto* name = std::get_if<std::string>(&step.value))
      visitor.enter(*name);
    else if (const auto* value = std::get_if<std::uint64_t>(&step.value))
      visitor.scalar(step.info, *value);
    else if (const auto* ratio = std::get_if<RatioValue>(&step.value))
      visitor.ratio(step.info, ratio->numerator, ratio->denominator);
    else if (const auto* histogram = std::get_if<HistogramData>(&step.value))
      visitor.histogram(step.info, *histogram);
    else if (const auto* occupancy = std::get_if<OccupancyData>(&step.value))
      visitor.occupancy(step.info, *occupancy);
    else
      visitor.leave();
  }
}

Snapshot difference(const Snapshot& later, const Snapshot& earlier) {
  base::ensure(later.steps_.size() == earlier.steps_.size(), "difference of snapshots of two trees");
  Snapshot out = later;
  for (std::size_t i = 0; i < out.steps_.size(); ++i) {
    const Snapshot::Step& before = earlier.steps_[i];
    Snapshot::Step& step = out.steps_[i];
    base::ensure(step.info.name == before.info.name && step.value.index() == before.value.index(),
                 "difference of snapshots of two trees");
    std::visit(Subtract{before.value}, step.value);
  }
  return out;
}

}  // namespace iommusim::stats
