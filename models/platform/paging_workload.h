// SPDX-License-Identifier: Apache-2.0
// A generator on a window of which nothing is mapped at first: its device asks for pages (PRI), a thread of its program
// maps the chunk around each page by IOAS_MAP and answers. With a limit of what may be mapped the oldest chunk is
// unmapped for it, while DMA to it may be on its way.
#pragma once

#include <deque>
#include <set>

#include "platform/generator_workload.h"

namespace iommusim::platform {

struct PagerStats : stats::Group {
  using stats::Group::Group;
  Counter groups{*this, "groups", Unit::kCount, "groups of page faults served"};
  Counter pages{*this, "pages", Unit::kCount, "pages in them"};
  Counter maps{*this, "maps", Unit::kCount, "chunks mapped"};
  Counter evictions{*this, "evictions", Unit::kCount, "of these, unmapped again to make room"};
  Counter refusals{*this, "refusals", Unit::kCount, "groups with a page that the program refuses"};
  Histogram service_ns{*this, "service_ns", Unit::kNs, "from the fault handler to the answer"};
};

class PagingWorkload final : public GeneratorWorkload, domain::PageFaultHandler {
 public:
  /// `buffer` is the offset of its buffers among those of all programs.
  PagingWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system, std::uint64_t buffer,
                 stats::Group& parent);

  void open(Kernel& kernel) override;
  void run(Kernel& kernel) override;
  void close(Kernel& kernel) override;

 private:
  struct Waiting {
    domain::PageFaultGroup group{};
    std::uint64_t since_ns = 0;
  };
  void page_fault(const domain::PageFaultGroup& group) override;
  void serve_faults();
  domain::PageAnswer serve(const domain::PageFaultGroup& group);
  /// Whether the program lets the device have it; the same each time.
  bool refuses(std::uint64_t chunk) const;
  void make_resident(std::uint64_t chunk);
  void evict_oldest();

  std::uint64_t seed_;
  PagerStats stats_;
  // Of the thread that serves faults, then of close().
  std::deque<std::uint64_t> resident_;  // chunks by age
  std::set<std::uint64_t> is_resident_;
  // Guarded by lock_.
  std::deque<Waiting> faults_;
  bool pager_ended_ = false;
};

}  // namespace iommusim::platform
