// SPDX-License-Identifier: Apache-2.0
#include "devices/nvme.h"

#include "unit/devices/device_bench.h"

namespace iommusim::devices {
namespace {

namespace nvm = device_hw::nvme;

struct NvmeBench : device_bench::Bench<Nvme, NvmeParams> {
  static constexpr std::uint64_t kAdmin = 0x10000, kAdminAnswers = 0x11000, kQueue = 0x20000, kAnswers = 0x21000,
                                 kList = 0x30000, kData = 0x100000;

  /// One pair of queues, of 8 entries.
  explicit NvmeBench(const NvmeParams& params) : Bench(params) {
    sc_test::run_to(1000);
    registers.write(nvm::kAdminAttributes, 7U << 16 | 7);
    registers.write(nvm::kAdminSubmission, kAdmin, 8);
    registers.write(nvm::kAdminCompletion, kAdminAnswers, 8);
    registers.write(nvm::kConfiguration, 1);
    EXPECT_EQ(registers.read(nvm::kStatus), nvm::kReady);
    EXPECT_EQ(create(nvm::kCreateCompletion, kAnswers, 3U << 16 | 3), nvm::kSuccess);
    EXPECT_EQ(create(nvm::kCreateSubmission, kQueue, 1U << 16 | 1), nvm::kSuccess);
    mark();
  }
  std::uint16_t create(std::uint8_t opcode, std::uint64_t base, std::uint32_t word11, std::uint16_t id = 1) {
    nvm::Command command;
    command.set_head(opcode, 7);
    command.set_prp1(base);
    command.words[10] = id | 7U << 16;
    command.words[11] = word11;
    put(kAdmin + admin_ * 64, command);
    const auto answer = kAdminAnswers + admin_ * 16;
    registers.write(nvm::tail_doorbell(0), ++admin_);
    sc_test::run_out();
    return get<nvm::Completion>(answer).status();
  }
  void submit(std::uint8_t opcode, std::uint64_t block, std::uint32_t blocks, std::uint64_t prp1 = kData,
              std::uint64_t prp2 = kList) {
    nvm::Command command;
    command.set_head(opcode, static_cast<std::uint16_t>(100 + submitted_));
    command.set_range(block, blocks);
    command.set_prp1(prp1);
    command.set_prp2(prp2);
    put(kQueue + submitted_ % 8 * 64, command);
    registers.write(nvm::tail_doorbell(1), ++submitted_ % 8);
  }
  nvm::Completion answer(std::uint64_t index) { return get<nvm::Completion>(kAnswers + index * 16); }
  bool holds(std::uint64_t address, std::uint64_t block) {
    std::vector<std::uint8_t> expected(4096), found(4096);
    fill_block(block, 0, expected.data(), 4096);
    memory.store().read(address, found.data(), 4096);
    return expected == found;
  }

 private:
  std::uint32_t admin_ = 0, submitted_ = 0;
};

SC_TEST(Nvme, ReadsABlockAndAnswersWithThePhase) {
  NvmeBench bench({});
  bench.submit(nvm::kRead, 5, 1);
  sc_test::run_out();
  EXPECT_TRUE(bench.holds(NvmeBench::kData, 5));
  EXPECT_EQ(bench.answer(0).status(), nvm::kSuccess);
  EXPECT_EQ(bench.answer(0).id(), 100U);
  EXPECT_EQ(bench.answer(0).head(), 1U);
  EXPECT_TRUE(bench.answer(0).phase());
  EXPECT_FALSE(bench.answer(1).phase());
  EXPECT_EQ(bench.interrupts.raised.back().first, 3U);
}

SC_TEST(Nvme, ReadNs) {
  NvmeParams params;
  params.read_ns = 4000;
  NvmeBench bench(params);
  const auto issued = bench.device.master().statistics().issued.value();
  bench.submit(nvm::kRead, 5, 1);
  while (bench.device.statistics().medium.level() == 0) sc_test::run_to(bus::now_ps() + 1000);
  // The medium began within the last nanosecond.
  bench.mark();
  bench.run_to(3'998'000);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), issued + 1) << "the fetch";
  bench.run_to(4'000'000);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), issued + 2) << "the data";
  sc_test::run_out();
}

SC_TEST(Nvme, WriteNs) {
  NvmeParams params;
  params.write_ns = 6000;
  NvmeBench bench(params);
  const auto issued = bench.device.master().statistics().issued.value();
  bench.submit(nvm::kWrite, 5, 1);
  while (bench.device.statistics().medium.level() == 0) sc_test::run_to(bus::now_ps() + 1000);
  bench.mark();
  bench.run_to(5'998'000);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), issued + 2) << "the fetch, the data";
  bench.run_to(6'000'000);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), issued + 3) << "the completion";
  sc_test::run_out();
}

SC_TEST(Nvme, InterruptNs) {
  NvmeParams params;
  params.interrupt_ns = 50'000;
  NvmeBench bench(params);
  bench.submit(nvm::kFlush, 0, 1);
  sc_test::run_out();
  const std::size_t raised = bench.interrupts.raised.size();
  const bus::Picoseconds first = bench.interrupts.raised.back().second;
  bench.submit(nvm::kFlush, 0, 1);
  bench.submit(nvm::kFlush, 0, 1);
  sc_test::run_to(first + 50'000'000 - 1);
  EXPECT_EQ(bench.answer(2).status(), nvm::kSuccess);
  EXPECT_TRUE(bench.answer(2).phase());
  EXPECT_EQ(bench.interrupts.raised.size(), raised);
  sc_test::run_to(first + 50'000'000);
  EXPECT_EQ(bench.interrupts.raised.size(), raised + 1) << "one for both";
  sc_test::run_out();
  EXPECT_EQ(bench.interrupts.raised.size(), raised + 1);
}

SC_TEST(Nvme, RegisterNs) {
  NvmeParams params;
  params.register_ns = 33;
  NvmeBench bench(params);
  EXPECT_EQ(bench.registers.read(nvm::kStatus), nvm::kReady);
  EXPECT_EQ(bench.registers.took, 33'000U);
}

SC_TEST(Nvme, FetchBatch) {
  NvmeParams params;
  params.fetch_batch = 3;
  NvmeBench bench(params);
  const auto fetches = bench.device.statistics().fetches.value();
  for (unsigned i = 0; i < 7; ++i) bench.submit(nvm::kFlush, 0, 1);
  sc_test::run_out();
  EXPECT_EQ(bench.device.statistics().fetches.value(), fetches + 3) << "3, 3, 1";
}

SC_TEST(Nvme, DoorbellNs) {
  NvmeParams params;
  params.doorbell_ns = 90;
  NvmeBench bench(params);
  const auto issued = bench.device.master().statistics().issued.value();
  bench.mark();
  bench.submit(nvm::kRead, 5, 1);
  bench.run_to(89'999);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), issued);
  bench.run_to(90'000);
  EXPECT_EQ(bench.device.master().statistics().issued.value(), issued + 1);
  sc_test::run_out();
}

SC_TEST(Nvme, ChannelsServeCommandsSideBySide) {
  NvmeParams params;
  params.channels = 2;
  params.read_ns = 100'000;
  NvmeBench bench(params);
  for (unsigned i = 0; i < 5; ++i) bench.submit(nvm::kRead, i, 1);
  bench.run_to(200'000'000);
  EXPECT_EQ(bench.device.statistics().reads.value(), 2U);
  bench.run_to(299'000'000);
  EXPECT_EQ(bench.device.statistics().reads.value(), 4U);
  bench.run_to(302'000'000);
  EXPECT_EQ(bench.device.statistics().reads.value(), 5U);
}

SC_TEST(Nvme, BandwidthBytesPerS) {
  NvmeParams params;
  params.read_ns = 0;
  params.bandwidth_bytes_per_s = 4'096'000'000;  // a block each microsecond
  NvmeBench bench(params);
  for (unsigned i = 0; i < 4; ++i) bench.submit(nvm::kRead, i, 1);
  bench.run_to(4'000'000);
  EXPECT_LT(bench.device.statistics().reads.value(), 4U);
  bench.run_to(5'500'000);
  EXPECT_EQ(bench.device.statistics().reads.value(), 4U);
}

SC_TEST(Nvme, AListNamesThePagesFromTheSecondOn) {
  NvmeBench bench({});
  for (unsigned i = 0; i < 3; ++i) bench.put(NvmeBench::kList + 8 * i, NvmeBench::kData + (10 - i) * 0x10000);
  bench.submit(nvm::kRead, 20, 4);
  sc_test::run_out();
  EXPECT_TRUE(bench.holds(NvmeBench::kData, 20));
  for (unsigned i = 0; i < 3; ++i) EXPECT_TRUE(bench.holds(NvmeBench::kData + (10 - i) * 0x10000, 21 + i)) << i;
  EXPECT_EQ(bench.device.statistics().list_reads.value(), 1U);
}

SC_TEST(Nvme, KeepsWhatIsWritten) {
  NvmeBench bench({});
  bench.put(NvmeBench::kData, std::uint64_t{0x1234});
  bench.submit(nvm::kWrite, 9, 1);
  sc_test::run_out();
  EXPECT_EQ(bench.device.blocks_changed(), 1U);
  bench.submit(nvm::kRead, 9, 1, NvmeBench::kData + 0x8000);
  sc_test::run_out();
  EXPECT_EQ(bench.get<std::uint64_t>(NvmeBench::kData + 0x8000), 0x1234U);
  bench.submit(nvm::kRead, 8, 1, NvmeBench::kData);
  sc_test::run_out();
  bench.submit(nvm::kWrite, 8, 1, NvmeBench::kData);  // its own content
  sc_test::run_out();
  EXPECT_EQ(bench.device.blocks_changed(), 1U);
}

SC_TEST(Nvme, ACommandThatCannotBeDoneEndsWithAStatus) {
  NvmeParams params;
  params.blocks = 100;
  NvmeBench bench(params);
  bench.submit(nvm::kRead, 99, 2);
  bench.submit(0x7f, 0, 1);
  bench.submit(nvm::kRead, 0, 1, std::uint64_t{1} << 40);  // no memory there
  bench.submit(nvm::kRead, 0, 3, NvmeBench::kData, NvmeBench::kList + 4);
  bench.submit(nvm::kRead, 0, 2, NvmeBench::kData, NvmeBench::kData + 8);
  sc_test::run_out();
  std::map<unsigned, unsigned> status;
  for (unsigned i = 0; i < 5; ++i) status[bench.answer(i).id()] = bench.answer(i).status();
  EXPECT_EQ(status, (std::map<unsigned, unsigned>{{100, nvm::kOutOfRange},
                                                  {101, nvm::kInvalidOpcode},
                                                  {102, nvm::kDataTransferError},
                                                  {103, nvm::kInvalidField},
                                                  {104, nvm::kInvalidField}}));
  EXPECT_EQ(bench.device.statistics().failed.value(), 5U);
}

SC_TEST(Nvme, AFullCompletionQueueWaitsForItsHead) {
  NvmeBench bench({});
  for (unsigned i = 0; i < 7; ++i) bench.submit(nvm::kFlush, 0, 1);
  sc_test::run_out();
  bench.submit(nvm::kFlush, 0, 1);
  bench.submit(nvm::kFlush, 0, 1);
  sc_test::run_out();
  EXPECT_FALSE(bench.answer(7).phase());
  bench.registers.write(nvm::head_doorbell(1), 7);
  sc_test::run_out();
  EXPECT_TRUE(bench.answer(7).phase());
  EXPECT_EQ(bench.answer(0).id(), 108U);
  EXPECT_FALSE(bench.answer(0).phase()) << "the second turn";
}

SC_TEST(Nvme, QueuesThatDoNotExistAreRefused) {
  NvmeBench bench({});
  EXPECT_EQ(bench.create(nvm::kCreateCompletion, 0, 1), nvm::kInvalidQueueId) << "there is one";
  EXPECT_EQ(bench.create(nvm::kCreateSubmission, 0, 9U << 16, 2), nvm::kInvalidQueueId);
  EXPECT_EQ(bench.create(nvm::kDeleteSubmission, 0, 0, 1), nvm::kSuccess);
  EXPECT_EQ(bench.create(nvm::kDeleteSubmission, 0, 0, 1), nvm::kInvalidQueueId);
  EXPECT_EQ(bench.create(0x33, 0, 0), nvm::kInvalidOpcode);
}

}  // namespace
}  // namespace iommusim::devices
