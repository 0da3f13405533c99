// SPDX-License-Identifier: Apache-2.0
#include "platform/summary.h"

#include <fmt/format.h>

#include "platform/system_parts.h"
#include "uapi/ioctls.h"

namespace iommusim::platform {

namespace {

std::string percent_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "-" : fmt::format("{:.2f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

double ns_of(std::uint64_t cycles, std::uint32_t mhz) { return static_cast<double>(cycles) * 1000.0 / mhz; }

std::string quantiles_of(const stats::HistogramData& data, std::uint32_t mhz) {
  if (data.count() == 0) return "-";
  const auto ns = [&](double q) { return ns_of(data.quantile(q), mhz); };
  return fmt::format("mean {:.1f}  p50 {:.0f}  p90 {:.0f}  p99 {:.0f}  max {:.0f}", data.mean() * 1000.0 / mhz, ns(0.5),
                     ns(0.9), ns(0.99), ns_of(data.max(), mhz));
}

/// One line: a label and what is to be said.
class Lines {
 public:
  template <class... Args>
  void add(const char* label, fmt::format_string<Args...> text, Args&&... args) {
    text_ += fmt::format("  {:<24}{}\n", label, fmt::format(text, std::forward<Args>(args)...));
  }
  void heading(const std::string& text) { text_ += text + "\n"; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void add_walk_cache(Lines& lines, timing::EngineStats& stats) {
  static constexpr const char* kSpans[] = {"2 MiB", "1 GiB", "512 GiB", "256 TiB"};
  for (const bool second : {false, true}) {
    std::string text;
    for (unsigned level = 1; level <= 4; ++level) {
      const auto& cache = stats.walk_cache.at(second, level);
      if (cache.lookups.value() == 0) continue;
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", kSpans[level - 1],
                          percent_of(cache.hits.value(), cache.lookups.value()));
    }
    if (!text.empty()) lines.add(second ? "walk cache, 2nd stage" : "walk cache, 1st stage", "hits by level: {}", text);
  }
}

void add_dma_api(Lines& lines, const dma::Statistics& dma) {
  const auto mean = [](const dma::Count& ns, const dma::Count& calls) {
    return calls.value() == 0 ? 0.0 : static_cast<double>(ns.value()) / static_cast<double>(calls.value());
  };
  lines.add("maps", "{}, mean {:.0f} ns; {} IOVAs from caches, {} from the tree", dma.maps.value(),
            mean(dma.map_ns, dma.maps), dma.cache_hits.value(), dma.tree_searches.value());
  lines.add("unmaps", "{}, mean {:.0f} ns", dma.unmaps.value(), mean(dma.unmap_ns, dma.unmaps));
  lines.add("flushes", "{} of a full queue, {} after the timeout, {} for space, {} asked for", dma.flushes_full.value(),
            dma.flushes_timeout.value(), dma.flushes_space.value(), dma.flushes_asked.value());
}

}  // namespace

std::string summary_of(System& system) {
  System::Parts& parts = system.parts();
  return summary_of(
      SummaryParts{system.params(), parts.iommu_statistics(), parts.kernel, system.totals(), parts.injector.get()});
}

std::string summary_of(const SummaryParts& parts) {
  const SystemParams& params = parts.params;
  timing::EngineStats& iommu = parts.iommu;
  SoftwareStats& software = parts.kernel.statistics();
  const RunTotals& totals = parts.totals;
  const std::uint32_t mhz = params.iommu.engine.clock_mhz;
  const double seconds = static_cast<double>(totals.workload_ps) * 1e-12;
  const auto per_second = [&](double amount) { return seconds == 0 ? 0.0 : amount / seconds; };

  Lines lines;
  lines.heading(fmt::format("{}", params.name));
  lines.add("simulated time", "{:.3f} ms, of it {:.3f} ms of workload", static_cast<double>(totals.simulated_ps) * 1e-9,
            static_cast<double>(totals.workload_ps) * 1e-9);
  lines.add("DMA", "{} transfers, {} failed, {:.3f} MB", totals.transfers, totals.failed_transfers,
            static_cast<double>(totals.bytes_moved) * 1e-6);
  lines.add("throughput", "{:.3f} GB/s, {:.3f} M translations/s",
            per_second(static_cast<double>(totals.bytes_moved)) * 1e-9,
            per_second(static_cast<double>(iommu.requests.completed.value() + iommu.requests.faulted.value())) * 1e-6);
  lines.heading("translation");
  lines.add("latency, ns", "{}", quantiles_of(iommu.requests.latency.data(), mhz));
  lines.add("  without a walk, ns", "{}", quantiles_of(iommu.requests.latency_hit.data(), mhz));
  lines.add("  with a miss, ns", "{}", quantiles_of(iommu.requests.latency_miss.data(), mhz));
  lines.add("IOTLB", "{} look-ups, {} misses, hit rate {}", iommu.iotlb.lookups.value(), iommu.iotlb.misses.value(),
            percent_of(iommu.iotlb.hits.value(), iommu.iotlb.lookups.value()));
  lines.add("device contexts", "{} look-ups, hit rate {}", iommu.ddt_cache.lookups.value(),
            percent_of(iommu.ddt_cache.hits.value(), iommu.ddt_cache.lookups.value()));
  add_walk_cache(lines, iommu);
  lines.add("walks", "{}, {:.3f} reads a walk, {:.1f} ns a walk", iommu.walks.started.value(),
            iommu.walks.reads.data().mean(), iommu.walks.cycles.data().mean() * 1000.0 / mhz);
  lines.add("walkers busy", "{:.3f} of {} on average, at the limit {} of the time", iommu.walks.active.data().average(),
            params.iommu.engine.walkers.count,
            percent_of(iommu.walks.active.data().time_at_limit(), iommu.walks.active.data().time()));
  lines.heading("software");
  if (params.software.stack == Stack::kKernel) {
    add_dma_api(lines, parts.kernel.dma_statistics());
  } else {
    const auto& map = software.of(uapi::kIommuIoasMap);
    const auto& unmap = software.of(uapi::kIommuIoasUnmap);
    lines.add("maps", "{}, mean {:.0f} ns", map.calls.value(), map.time_ns.data().mean());
    lines.add("unmaps", "{}, mean {:.0f} ns", unmap.calls.value(), unmap.time_ns.data().mean());
  }
  lines.add("invalidations", "{} of a page, {} of an address space, {} of everything; {} of IOTLB entries removed",
            iommu.commands.iotinval_page.value(), iommu.commands.iotinval_space.value(),
            iommu.commands.iotinval_all.value(), iommu.iotlb.invalidated.value());
  lines.add("fences", "{}, mean wait {:.1f} ns", iommu.commands.fences.value(),
            iommu.commands.fence_cycles.data().mean() * 1000.0 / mhz);
  lines.add("faults", "{} reported, {} recorded, {} drained by the driver, {} lost", iommu.faults.reported.value(),
            iommu.faults.recorded.value(), software.fault_records.value(), iommu.faults.lost.value());
  if (!params.inject.empty()) lines.heading("injections");
  for (const auto& [name, injection] : params.inject)
    lines.add(name.c_str(), "{} times", *parts.injector->strikes(name));
  return lines.text();
}

}  // namespace iommusim::platform
