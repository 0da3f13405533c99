// SPDX-License-Identifier: Apache-2.0
// The story of a page that a device wants, step by step: fault, page request, software maps, response, retry, the DMA
// lands; later accesses hit; software unmaps while reads are in flight, and gets the page back only after the last of
// them; another access is refused and ends with an error.
#include "atc_device.h"
#include "platform/system_parts.h"

namespace iommusim::platform::system_test {
namespace {

constexpr std::uint64_t kBuffer = 0x40000;
constexpr std::uint64_t kWayNs = 10'000;  // from the device to the IOMMU
using Log = std::vector<std::string>;

class Story final : public AtcDevice {
 public:
  using AtcDevice::AtcDevice;

  void run(Kernel& kernel) override {
    os_ = &kernel.os();
    faults_and_lands(kernel);
    hits();
    unmaps_while_reads_are_in_flight();
    is_refused();
  }

 private:
  void faults_and_lands(Kernel& kernel) {
    issue(dma(true, 0x5040));
    wait_for("fault");
    EXPECT_EQ(fault_.pages.size(), 1U);
    EXPECT_EQ(fault_.pages[0].iova, kWindow + 0x5000);
    EXPECT_TRUE(fault_.pages[0].write);
    EXPECT_EQ(fault_.device_id, kDeviceId);
    EXPECT_EQ(atc().page_requests.value(), 1U);
    os_->sleep_ns(20'000);
    EXPECT_EQ(log_.back(), "fault") << "the device waits";
    EXPECT_EQ(map(5, kBuffer), 0);
    log_.push_back("mapped");
    log_.push_back("answer");
    hardware_->answer_page_fault(fault_, domain::PageAnswer::kSuccess);
    wait_for("landed");
    EXPECT_EQ(log_, (Log{"dma", "fault", "mapped", "answer", "landed"}));
    std::uint64_t word = 0;
    kernel.memory().read(program_->buffers() + kBuffer + 0x40, &word, sizeof word);
    EXPECT_EQ(word, 0x5a5a5a5a5a5a5a5aU);
    EXPECT_EQ(atc().translation_requests.value(), 2U) << "and the retry";
    EXPECT_EQ(atc().denied.value(), 1U);
    EXPECT_EQ(atc().responses_success.value(), 1U);
  }
  void hits() {
    log_.clear();
    issue(dma(false, 0x5040));
    wait_for("landed");
    EXPECT_EQ(atc().hits.value(), 1U);
    EXPECT_EQ(atc().translation_requests.value(), 2U);
  }
  void unmaps_while_reads_are_in_flight() {
    log_.clear();
    for (std::uint64_t i = 0; i < 8; ++i) issue(dma(false, 0x5000 + 64 * i));
    os_->sleep_ns(600);
    EXPECT_EQ(log_, Log(8, "dma")) << "they are on their way to memory";
    const std::uint64_t start = os_->now_ns();
    EXPECT_EQ(unmap(5), 0);
    log_.push_back("unmapped");
    Log expected(8, "dma");
    expected.insert(expected.end(), 8, "landed");
    expected.push_back("unmapped");
    EXPECT_EQ(log_, expected);
    EXPECT_EQ(atc().drained.value(), 8U);
    EXPECT_EQ(atc().invalidations_completed.value(), 1U);
    EXPECT_GE(atc().invalidation_ps.data().max(), (kWayNs - 2500) * 1000) << "it waited for them";
    EXPECT_GT(os_->now_ns() - start, 2 * kWayNs - 2500) << "and then for its own completion";
  }
  void is_refused() {
    log_.clear();
    issue(dma(false, 0x5000));
    wait_for("fault");
    hardware_->answer_page_fault(fault_, domain::PageAnswer::kInvalid);
    wait_for("error");
    EXPECT_EQ(log_, (Log{"dma", "fault", "error"}));
    EXPECT_EQ(atc().responses_invalid.value(), 1U);
    // PRI: a failure says that page requests are over; the next access is an error without one.
    log_.clear();
    issue(dma(false, 0x6000));
    wait_for("fault");
    hardware_->answer_page_fault(fault_, domain::PageAnswer::kFailure);
    wait_for("error");
    log_.clear();
    issue(dma(false, 0x7000));
    wait_for("error");
    EXPECT_EQ(log_, (Log{"dma", "error"}));
  }

  const devices::AtcStats& atc() const { return atc_.atc()->statistics(); }
  void issue(const devices::DmaRequest& request) {
    log_.push_back("dma");
    while (!master_.try_issue(request)) os_->sleep_ns(10);
  }
  void wait_for(const std::string& event) {
    for (int i = 0; i < 10'000 && (log_.empty() || log_.back() != event); ++i) os_->sleep_ns(100);
    ASSERT_FALSE(log_.empty());
    ASSERT_EQ(log_.back(), event);
  }
  void page_fault(const domain::PageFaultGroup& group) override {
    fault_ = group;
    log_.push_back("fault");
  }
  void completed(const devices::DmaRequest&, translate::Response response) override {
    ++(response == translate::Response::kSuccess ? succeeded_ : failed_);
    log_.push_back(response == translate::Response::kSuccess ? "landed" : "error");
  }
  void produce(const devices::DmaRequest&, std::uint64_t, std::uint8_t* data, std::uint32_t bytes) override {
    std::memset(data, 0x5a, bytes);
  }

  hal::Os* os_ = nullptr;
  domain::PageFaultGroup fault_;
  Log log_;
};

SC_TEST(AtcStory, FromTheFaultToTheUnmap) {
  SystemParams params = ats_system();
  params.bus.latency_up_ns = kWayNs;
  devices::AtcParams atc;
  atc.present = true;
  System system(params, [&](const SystemParams&, stats::Group& parent) {
    std::vector<std::unique_ptr<Workload>> workloads;
    workloads.push_back(std::make_unique<Story>(atc, 16, 1, parent));
    return workloads;
  });
  system.run({});
  EXPECT_EQ(system.totals().transfers, 13U);
  EXPECT_EQ(system.totals().failed_transfers, 3U);
  EXPECT_EQ(system.parts().iommu.statistics().faults.reported.value(), 0U);
}

}  // namespace
}  // namespace iommusim::platform::system_test
