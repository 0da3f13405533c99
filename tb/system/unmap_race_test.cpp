// SPDX-License-Identifier: Apache-2.0
// The whole stack against the worst device: it writes to random pages of its window without pause while the program
// unmaps and remaps them. After IOAS_UNMAP returned, not one byte of the old page may change, whatever the timing of
// bus, memory, IOMMU and software.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "base/random.h"
#include "devices/dma_master.h"
#include "iommufd/device.h"
#include "platform/address_map.h"
#include "platform/kernel.h"
#include "platform/system.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::platform {
namespace {

constexpr std::uint64_t kWindow = 1ULL << 32;
constexpr std::uint64_t kPages = 12;
constexpr std::uint32_t kDeviceId = 0x18;
constexpr int kRounds = 60;

class RaceWorkload final : public Workload, devices::DmaClient {
 public:
  RaceWorkload(std::uint64_t seed, std::uint32_t outstanding, stats::Group& parent)
      : random_(seed), master_("racer", {outstanding, 4096}, *this, parent) {}

  std::vector<bus::InitiatorSocket*> sockets() override { return {&master_.socket()}; }
  std::vector<std::string> port_names() const override { return {"racer"}; }

  void open(Kernel& kernel) override {
    program_ = kernel.start_program();
    ASSERT_EQ(iommufd::device_bind(program_->context(), kernel.add_device(kDeviceId, "racer"), device_), 0);
    ASSERT_EQ(program_->ioas_alloc(ioas_), 0);
    iommufd::ObjectId page_table = ioas_;
    ASSERT_EQ(iommufd::device_attach(program_->context(), device_, page_table), 0);
    for (std::uint64_t page = 0; page < kPages; ++page) map_fresh(page);
  }

  void run(Kernel& kernel) override {
    std::array<std::uint8_t, 4096> mark;
    mark.fill(0xA5);
    start_ = true;
    kernel.os().sleep_ns(2000);
    pump();
    for (int round = 0; round < kRounds; ++round) {
      const std::uint64_t page = random_.below(kPages);
      ASSERT_EQ(program_->ioas_unmap(ioas_, kWindow + page * 4096, 4096), 0);
      // From here on the page belongs to the program alone.
      const std::uint64_t spa = program_->buffers() + buffer_of_[page];
      kernel.memory().write(spa, mark.data(), mark.size());
      retired_.push_back(spa);
      kernel.os().sleep_ns(random_.below(3000));
      map_fresh(page);
      kernel.os().sleep_ns(random_.below(2000));
    }
    start_ = false;
    while (master_.in_flight() != 0) kernel.os().sleep_ns(1000);
    for (const std::uint64_t spa : retired_) {
      std::array<std::uint8_t, 4096> found;
      kernel.memory().read(spa, found.data(), found.size());
      ASSERT_EQ(found, mark) << "a DMA reached a page after its unmap";
    }
  }

  void close(Kernel&) override {
    ASSERT_EQ(program_->ioas_unmap(ioas_, 0, ~0ULL), 0);
    ASSERT_EQ(iommufd::device_detach(program_->context(), device_), 0);
    ASSERT_EQ(iommufd::device_unbind(program_->context(), device_), 0);
    ASSERT_EQ(program_->destroy(ioas_), 0);
    program_.reset();
  }

  double progress() const override { return 0; }
  devices::Digest digest() const override { return {}; }
  std::uint64_t buffer_digest() const override { return 0; }
  std::uint64_t transfers() const override { return succeeded_ + failed_; }
  std::uint64_t failed_transfers() const override { return failed_; }
  std::uint64_t bytes_moved() const override { return 0; }

 private:
  void map_fresh(std::uint64_t page) {
    buffer_of_[page] = next_buffer_;
    next_buffer_ += 4096;
    ASSERT_EQ(program_->ioas_map(ioas_, kWindow + page * 4096, kBufferVa + buffer_of_[page], 4096), 0);
  }
  void completed(const devices::DmaRequest&, translate::Response response) override {
    ++(response == translate::Response::kSuccess ? succeeded_ : failed_);
    pump();
  }
  void ready() override { pump(); }
  void pump() {
    for (devices::DmaRequest request; start_;) {
      request.device = base::DeviceId(kDeviceId);
      request.write = true;
      request.bytes = 64;
      request.iova = kWindow + random_.below(kPages) * 4096 + random_.below(64) * 64;
      if (!master_.try_issue(request)) return;
    }
  }

  base::Random random_;
  devices::DmaMaster master_;
  std::unique_ptr<UserProgram> program_;
  std::uint32_t device_ = 0, ioas_ = 0;
  std::array<std::uint64_t, kPages> buffer_of_{};
  std::uint64_t next_buffer_ = 0;
  std::vector<std::uint64_t> retired_;
  std::uint64_t succeeded_ = 0, failed_ = 0;
  bool start_ = false;
};

struct Counts {
  std::uint64_t transfers = 0, failed = 0, fences = 0;
};

Counts race(std::uint64_t seed) {
  return sc_test::made_in_child<Counts>([seed] {
    base::Random random(seed);
    SystemParams params;
    params.seed.timing = seed;
    params.software.cost = {random.below(400),  random.below(900),    random.below(60), 0,
                            random.below(2000), 1 + random.below(150)};
    params.software.flush_all_threshold_bytes = random.chance(1, 3) ? 4096 : 2 << 20;
    params.memory.latency_ns = 1 + random.below(300);
    params.memory.outstanding = static_cast<std::uint32_t>(1 + random.below(32));
    params.bus.latency_up_ns = random.below(400);
    params.bus.latency_down_ns = random.below(400);
    params.bus.credits = static_cast<std::uint32_t>(1 + random.below(64));
    timing::EngineParams& engine = params.iommu.engine;
    engine.iotlb.entries = static_cast<std::uint32_t>(random.below(24));
    engine.walkers.count = static_cast<std::uint32_t>(1 + random.below(6));
    engine.walkers.look_again = random.chance(1, 2);
    engine.miss_table.merge = random.chance(1, 2);
    engine.walk_cache.first_stage.level1.entries = static_cast<std::uint32_t>(random.below(3));
    engine.memory_port.outstanding = static_cast<std::uint32_t>(1 + random.below(16));
    engine.queues.command_finish_cycles = static_cast<std::uint32_t>(random.below(8));
    const auto outstanding = static_cast<std::uint32_t>(1 + random.below(48));
    System system(params, [&](const SystemParams&, stats::Group& parent) {
      std::vector<std::unique_ptr<Workload>> workloads;
      workloads.push_back(std::make_unique<RaceWorkload>(seed, outstanding, parent));
      return workloads;
    });
    system.run({});
    const RunTotals totals = system.totals();
    return Counts{totals.transfers, totals.failed_transfers, static_cast<std::uint64_t>(kRounds)};
  });
}

TEST(UnmapRace, NoDmaReachesAPageAfterItsUnmapReturned) {
  Counts all;
  for (std::uint64_t seed = 1; seed <= 25 && !HasFailure(); ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    const Counts counts = race(seed);
    all.transfers += counts.transfers;
    all.failed += counts.failed;
  }
  // The race was one: DMA got through all the time, and some of it found its page gone.
  EXPECT_GT(all.transfers, 10'000U);
  EXPECT_GT(all.failed, 100U);
}

}  // namespace
}  // namespace iommusim::platform
