// SPDX-License-Identifier: Apache-2.0
// unmap_race_test.cpp with an ATC in the device, which holds translations of its own and sends requests that nobody
// translates any more: after IOAS_UNMAP returned, no write may change the old page and no read may see what the program
// put there, whatever the timing of bus, memory, IOMMU, ATC and software.
#include <algorithm>
#include <array>

#include "atc_device.h"
#include "base/random.h"

namespace iommusim::platform::system_test {
namespace {

constexpr std::uint64_t kPages = 12;
constexpr int kRounds = 50;
constexpr std::uint8_t kMark = 0xa5;

struct Counts {
  std::uint64_t transfers = 0, failed = 0, drained = 0, overtaken = 0, faults = 0;
};

class Racer final : public AtcDevice {
 public:
  Racer(const devices::AtcParams& params, std::uint32_t outstanding, std::uint64_t seed, unsigned refuse_percent,
        stats::Group& parent)
      : AtcDevice(params, outstanding, seed, parent), random_(seed), refuse_percent_(refuse_percent) {}

  void run(Kernel& kernel) override {
    std::array<std::uint8_t, 4096> mark;
    mark.fill(kMark);
    for (std::uint64_t page = 0; page < kPages; ++page) map_fresh(page);
    start_ = true;
    pump();
    for (int round = 0; round < kRounds; ++round) {
      const std::uint64_t page = random_.below(kPages);
      ASSERT_EQ(unmap(page), 0);
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
      ASSERT_EQ(found, mark) << "a write reached a page after its unmap";
    }
    ASSERT_EQ(marks_seen_, 0U) << "a read reached a page after its unmap";
  }
  Counts counts() const {
    const devices::AtcStats& stats = atc_.atc()->statistics();
    return {succeeded_ + failed_, failed_, stats.drained.value(), stats.overtaken.value(), faults_};
  }

 private:
  void map_fresh(std::uint64_t page) {
    buffer_of_[page] = next_buffer_;
    next_buffer_ += 4096;
    ASSERT_EQ(map(page, buffer_of_[page]), 0);
  }
  void page_fault(const domain::PageFaultGroup& group) override {
    ++faults_;
    hardware_->answer_page_fault(
        group, random_.chance(refuse_percent_, 100) ? domain::PageAnswer::kInvalid : domain::PageAnswer::kSuccess);
  }
  void completed(const devices::DmaRequest&, translate::Response response) override {
    ++(response == translate::Response::kSuccess ? succeeded_ : failed_);
    pump();
  }
  void consume(const devices::DmaRequest&, std::uint64_t, const std::uint8_t* data, std::uint32_t bytes) override {
    marks_seen_ += static_cast<std::uint64_t>(std::count(data, data + bytes, kMark));
  }
  void ready() override { pump(); }
  void pump() {
    while (start_)
      if (!master_.try_issue(dma(random_.chance(60, 100), random_.below(kPages) * 4096 + random_.below(64) * 64)))
        return;
  }

  base::Random random_;
  unsigned refuse_percent_;
  std::array<std::uint64_t, kPages> buffer_of_{};
  std::uint64_t next_buffer_ = 0;
  std::vector<std::uint64_t> retired_;
  std::uint64_t faults_ = 0, marks_seen_ = 0;
  bool start_ = false;
};

devices::AtcParams random_atc(base::Random& random) {
  const auto up_to = [&random](std::uint32_t n) { return static_cast<std::uint32_t>(random.below(n + 1)); };
  devices::AtcParams atc;
  atc.present = true;
  atc.cache.entries = up_to(20);
  atc.cache.lookup_cycles = up_to(6);
  atc.cache.policy = random.chance(1, 2) ? timing::Policy::kLru : timing::Policy::kRandom;
  atc.outstanding = 1 + up_to(40);
  atc.translation_requests = 1 + up_to(12);
  atc.pri = random.chance(4, 5);
  atc.page_requests = 1 + up_to(12);
  atc.pages_per_group = 1 + up_to(3);
  atc.retry_ns = random.below(3000);
  atc.invalidation_ns = random.below(600);
  atc.invalidation_depth = 1 + up_to(31);
  atc.completion_messages = 1 + up_to(7);
  return atc;
}

Counts race(std::uint64_t seed, bus::IommuMode mode) {
  return sc_test::made_in_child<Counts>([seed, mode] {
    base::Random random(seed);
    const auto up_to = [&random](std::uint32_t n) { return static_cast<std::uint32_t>(random.below(n + 1)); };
    SystemParams params = ats_system();
    params.seed.timing = seed;
    params.iommu.mode = mode;
    params.software.cost = {random.below(400),  random.below(900),    random.below(60), 0,
                            random.below(2000), 1 + random.below(150)};
    params.software.flush_all_threshold_bytes = random.chance(1, 3) ? 4096 : 2 << 20;
    params.memory.latency_ns = 1 + random.below(300);
    params.memory.outstanding = 1 + up_to(31);
    params.bus.latency_up_ns = random.below(400);
    params.bus.latency_down_ns = random.below(400);
    params.bus.credits = 1 + up_to(63);
    params.bus.queue_depth = 1 + up_to(7);
    timing::EngineParams& engine = params.iommu.engine;
    engine.iotlb.entries = up_to(24);
    engine.ingress.initiation_cycles = 1 + up_to(63);
    engine.ingress.depth = 1 + up_to(63);
    engine.walkers.count = 1 + up_to(5);
    engine.walkers.look_again = random.chance(1, 2);
    engine.miss_table.merge = random.chance(1, 2);
    engine.memory_port.outstanding = 1 + up_to(15);
    engine.queues.command_finish_cycles = up_to(8);
    engine.queues.message_depth = 1 + up_to(3);
    params.iommu.implementation.itags = 1 + up_to(31);
    const devices::AtcParams atc = random_atc(random);
    const std::uint32_t outstanding = 1 + up_to(47);
    const unsigned refuse_percent = up_to(100);
    Racer* racer = nullptr;
    System system(params, [&](const SystemParams&, stats::Group& parent) {
      std::vector<std::unique_ptr<Workload>> workloads;
      workloads.push_back(std::make_unique<Racer>(atc, outstanding, seed, refuse_percent, parent));
      racer = static_cast<Racer*>(workloads.back().get());
      return workloads;
    });
    system.run({});
    return racer->counts();
  });
}

Counts races(std::uint64_t first, std::uint64_t last, bus::IommuMode mode) {
  Counts all;
  for (std::uint64_t seed = first; seed <= last && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    const Counts counts = race(seed, mode);
    all.transfers += counts.transfers;
    all.failed += counts.failed;
    all.drained += counts.drained;
    all.overtaken += counts.overtaken;
    all.faults += counts.faults;
  }
  return all;
}

TEST(AtcRace, NoDmaReachesAPageAfterItsUnmapReturned) {
  const Counts all = races(1, 30, bus::IommuMode::kCycle);
  // The race was one: DMA got through all the time, invalidations met it at every stage, and pages were asked for.
  EXPECT_GT(all.transfers, 10'000U);
  EXPECT_GT(all.failed, 100U);
  EXPECT_GT(all.drained, 200U);
  EXPECT_GT(all.overtaken, 20U);
  EXPECT_GT(all.faults, 200U);
}

TEST(AtcRace, NorInFunctionalMode) {
  const Counts all = races(101, 108, bus::IommuMode::kFunctional);
  EXPECT_GT(all.transfers, 2'000U);
  EXPECT_GT(all.faults, 20U);
}

}  // namespace
}  // namespace iommusim::platform::system_test
