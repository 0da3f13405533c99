// SPDX-License-Identifier: Apache-2.0
#include "stats/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace iommusim::stats {

namespace {

using Json = nlohmann::ordered_json;

/// Keeps the dotted path of the group that is being walked.
class PathVisitor : public Visitor {
 public:
  void enter(const std::string& name) override {
    lengths_.push_back(path_.size());
    path_ += name + '.';
  }
  void leave() override {
    path_.resize(lengths_.back());
    lengths_.pop_back();
  }

 protected:
  std::string path_;

 private:
  std::vector<std::size_t> lengths_;
};

class TextReport final : public PathVisitor {
 public:
  void scalar(const Info& info, std::uint64_t value) override { line(info, std::to_string(value)); }
  void ratio(const Info& info, std::uint64_t numerator, std::uint64_t denominator) override {
    line(info, denominator == 0
                   ? std::string("-")
                   : fmt::format("{:.6f}", static_cast<double>(numerator) / static_cast<double>(denominator)));
  }
  void histogram(const Info& info, const HistogramData& data) override {
    line(info, fmt::format("n={} mean={:.2f} min={} p50={} p90={} p99={} max={}", data.count(), data.mean(), data.min(),
                           data.quantile(0.5), data.quantile(0.9), data.quantile(0.99), data.max()));
  }
  void occupancy(const Info& info, const OccupancyData& data) override {
    std::string value = fmt::format("average={:.3f} max={}", data.average(), data.max());
    if (data.limit() != 0) value += fmt::format(" limit={} time_at_limit={}", data.limit(), data.time_at_limit());
    line(info, value);
  }
  std::string take() { return std::move(text_); }

 private:
  void line(const Info& info, const std::string& value) {
    text_ +=
        fmt::format("{:<44} {:>16} {:<8} {}\n", path_ + info.name, value, base::unit_name(info.unit), info.definition);
  }
  std::string text_;
};

class JsonReport final : public Visitor {
 public:
  explicit JsonReport(Json& root) : open_{&root} {}
  void enter(const std::string& name) override { open_.push_back(&((*open_.back())[name] = Json::object())); }
  void leave() override { open_.pop_back(); }
  void scalar(const Info& info, std::uint64_t value) override { put(info, "counter")["value"] = value; }
  void ratio(const Info& info, std::uint64_t numerator, std::uint64_t denominator) override {
    Json& out = put(info, "ratio");
    out["numerator"] = numerator;
    out["denominator"] = denominator;
    out["value"] = denominator == 0 ? Json() : Json(static_cast<double>(numerator) / static_cast<double>(denominator));
  }
  void histogram(const Info& info, const HistogramData& data) override {
    Json& out = put(info, "histogram");
    out["count"] = data.count();
    out["sum"] = data.sum();
    out["min"] = data.min();
    out["max"] = data.max();
    out["p50"] = data.quantile(0.5);
    out["p90"] = data.quantile(0.9);
    out["p99"] = data.quantile(0.99);
    out["p999"] = data.quantile(0.999);
    Json& bins = out["bins"] = Json::array();  // [lowest, highest, count] of each bin that is not empty
    for (std::size_t bin = 0; bin < HistogramData::kBins; ++bin)
      if (data.in_bin(bin) != 0)
        bins.push_back({HistogramData::lowest_of(bin), HistogramData::highest_of(bin), data.in_bin(bin)});
  }
  void occupancy(const Info& info, const OccupancyData& data) override {
    Json& out = put(info, "occupancy");
    out["integral"] = data.integral();
    out["time"] = data.time();
    out["average"] = data.time() == 0 ? Json() : Json(data.average());
    out["max"] = data.max();
    out["level"] = data.level();
    out["level_at_start"] = data.level_at_start();
    out["limit"] = data.limit() == 0 ? Json() : Json(data.limit());
    out["time_at_limit"] = data.time_at_limit();
  }

 private:
  Json& put(const Info& info, const char* kind) {
    return (*open_.back())[info.name] = Json{{"kind", kind}, {"unit", base::unit_name(info.unit)}};
  }
  std::vector<Json*> open_;
};

class DefinitionList final : public PathVisitor {
 public:
  void scalar(const Info& info, std::uint64_t /*value*/) override { add(info, "counter"); }
  void ratio(const Info& info, std::uint64_t /*n*/, std::uint64_t /*d*/) override { add(info, "ratio"); }
  void histogram(const Info& info, const HistogramData& /*data*/) override { add(info, "histogram"); }
  void occupancy(const Info& info, const OccupancyData& /*data*/) override { add(info, "occupancy"); }
  std::vector<Definition> take() { return std::move(definitions_); }

 private:
  void add(const Info& info, const char* kind) {
    definitions_.push_back({path_ + info.name, kind, base::unit_name(info.unit), info.definition});
  }
  std::vector<Definition> definitions_;
};

}  // namespace

std::string to_text(const Snapshot& snapshot) {
  TextReport report;
  snapshot.accept(report);
  return report.take();
}

std::string to_json(const std::vector<Section>& sections) {
  Json root;
  root["schema_version"] = kSchemaVersion;
  for (const Section& section : sections) {
    JsonReport report(root[section.name] = Json::object());
    section.values->accept(report);
  }
  return root.dump(1) + '\n';
}

std::vector<Definition> list_definitions(const Group& group) {
  DefinitionList list;
  group.accept(list);
  return list.take();
}

}  // namespace iommusim::stats
