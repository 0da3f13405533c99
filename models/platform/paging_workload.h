// SPDX-License-Identifier: Apache-2.0
// A generator on a window of which nothing is mapped at first: its device asks for pages (PRI), a thread of its program
// maps the chunk around each page by IOAS_MAP and answers. With a limit of what may be mapped the oldest chunk is
// unmapped for it, while DMA to it may be on its way.
#pragma once

#include <deque>
#include <set>

#include "devices/uniform.h"
#include "platform/atc_slot.h"
#include "platform/buffer_digest.h"
#include "platform/params.h"
#include "platform/user_program.h"
#include "platform/workload.h"

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

class PagingWorkload final : public Workload, domain::PageFaultHandler {
 public:
  /// `buffer` is the offset of its buffers among those of all programs.
  PagingWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system, std::uint64_t buffer,
                 stats::Group& parent);

  std::vector<bus::InitiatorSocket*> sockets() override { return {&atc_.socket()}; }
  std::vector<std::string> port_names() const override { return {name_}; }
  std::string device_name() const override { return name_; }
  void open(Kernel& kernel) override;
  void run(Kernel& kernel) override;
  void close(Kernel& kernel) override;
  double progress() const override;
  devices::Digest digest() const override { return generator_.digest(); }
  std::uint64_t buffer_digest() const override { return buffers_.value(); }
  std::uint64_t transfers() const override;
  std::uint64_t failed_transfers() const override { return generator_.master().statistics().failed.value(); }
  std::uint64_t bytes_moved() const override;

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
  std::uint64_t bytes_of(std::uint64_t chunk) const;

  std::string name_;
  DeviceParams params_;
  std::uint64_t seed_;
  std::uint64_t buffer_;
  devices::Uniform generator_;
  AtcSlot atc_;
  PagerStats stats_;
  BufferDigest buffers_;
  std::unique_ptr<UserProgram> program_;
  domain::Device* hardware_ = nullptr;
  std::uint32_t device_ = 0;
  std::uint32_t ioas_ = 0;
  // Of the thread that serves faults, then of close().
  std::deque<std::uint64_t> resident_;  // chunks by age
  std::set<std::uint64_t> is_resident_;

  hal::Os* os_ = nullptr;
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows
  std::unique_ptr<hal::WaitQueue> changed_;
  std::deque<Waiting> faults_;
  bool finished_ = false;
  bool pager_ended_ = false;
};

}  // namespace iommusim::platform
