// SPDX-License-Identifier: Apache-2.0
// ATS and PRI through the sockets of the IOMMU module, in both modes: a device driven by hand asks for translations,
// sends page requests and answers invalidations.
#include "iommu_bench.h"

namespace iommusim::bus {
namespace {

using namespace iommu_bench;
using Kind = translate::DeviceMessage::Kind;

IommuParams ats_params(IommuMode mode) {
  IommuParams params;
  params.mode = mode;
  params.implementation.ats = true;
  params.ats_time_out_ns = 200'000;
  return params;
}

struct AtsBench : IommuBench {
  explicit AtsBench(const IommuParams& params) : IommuBench(params) {
    set_context(spec::dc_tc::kEnAts.mask() | spec::dc_tc::kEnPri.mask());
    write_register(spec::kPqbOffset, 8, kPageQueue >> 2 | 1);  // 4 entries
    write_register(spec::kPqcsrOffset, 4, spec::pqcsr::kPqen.mask());
    write_register(spec::kCqcsrOffset, 4, spec::cqcsr::kCqen.mask());
    wait(1000);
  }
  void set_context(std::uint64_t tc) { memory.store().store64(tables.directory_entry(kDevice), tc | 1); }
  void wait(Picoseconds ns) { sc_test::run_to(now_ps() + ns * 1000); }

  PooledPayload& translation_request(std::uint64_t iova, bool no_write = false) {
    PooledPayload& payload = prepare(false, iova, kAtsRequestBytes);
    payload.dma.type = translate::AddressType::kAtsRequest;
    payload.ats = {};
    payload.ats.no_write = no_write;
    device.send(payload);
    return payload;
  }
  PooledPayload& message(MessageExtension::Kind kind, std::uint32_t from = kDevice) {
    PooledPayload& payload = prepare(false, 0, kInvalidationBodyBytes);
    payload.set_command(::tlm::TLM_IGNORE_COMMAND);
    payload.dma.device = base::DeviceId(from);
    payload.dma.type = translate::AddressType::kMessage;
    payload.message = {};
    payload.message.kind = kind;
    return payload;
  }
  PooledPayload& credit() {
    PooledPayload& payload = message(MessageExtension::Kind::kCredit);
    device.send(payload);
    return payload;
  }
  void page_request(std::uint64_t payload, std::uint32_t from = kDevice) {
    PooledPayload& request = message(MessageExtension::Kind::kPageRequest, from);
    request.message.page_request.payload = payload;
    device.send(request);
  }
  void complete(const translate::DeviceMessage& invalidation, std::uint32_t from = kDevice) {
    PooledPayload& payload = message(MessageExtension::Kind::kInvalidationCompletion, from);
    payload.message.completion = {invalidation.function, 1U << invalidation.itag, 1};
    device.send(payload);
  }
  void command(std::uint64_t word0, std::uint64_t word1) {
    memory.store().store64(tables.command_address(tail_), word0);
    memory.store().store64(tables.command_address(tail_) + 8, word1);
    write_register(spec::kCqtOffset, 4, ++tail_);
  }
  std::uint64_t read(std::uint32_t offset, unsigned bytes = 4) {
    return iommu.engine().registers().read(offset, bytes);
  }
  static constexpr std::uint64_t ats(std::uint64_t func3, std::uint64_t rid = kDevice) {
    return spec::opcode::kAts | func3 << 7 | spec::ats_w0::kRid.of(rid);
  }
  static constexpr std::uint64_t kPageQueue = 0x90000;

 private:
  std::uint64_t tail_ = 0;
};

class IommuExchange : public ::testing::TestWithParam<IommuMode> {
 protected:
  template <class Body>
  void in_child(Body body) {
    sc_test::in_child([&] {
      AtsBench bench(ats_params(GetParam()));
      body(bench);
      EXPECT_EQ(bench.checker.violations(), std::vector<std::string>{});
    });
  }
};

TEST_P(IommuExchange, TranslationRequestsAreCompletedAndTranslatedRequestsPass) {
  in_child([](AtsBench& bench) {
    PooledPayload& whole = bench.translation_request(0x11000);
    PooledPayload& read_only = bench.translation_request(0x14000);
    PooledPayload& nothing = bench.translation_request(0x900000);
    bench.wait(5000);
    EXPECT_EQ(whole.dma.response, translate::Response::kSuccess);
    EXPECT_TRUE(whole.is_response_ok());
    EXPECT_TRUE(whole.ats.completion.r && whole.ats.completion.w);
    EXPECT_EQ(whole.ats.address, 0x52000U);
    EXPECT_EQ(whole.ats.size_log2, 12);
    EXPECT_TRUE(read_only.ats.completion.r);
    EXPECT_FALSE(read_only.ats.completion.w);
    EXPECT_TRUE(nothing.is_response_ok());
    EXPECT_FALSE(nothing.ats.completion.r || nothing.ats.completion.w);
    EXPECT_EQ(bench.read(spec::kFqtOffset), 0U) << "IOMMU 2.6: a completion leaves no record";

    PooledPayload& write = bench.prepare(true, whole.ats.address + 0x100, 8);
    write.dma.type = translate::AddressType::kTranslated;
    std::memcpy(write.buffer(), "iommusim", 8);
    bench.device.send(write);
    bench.wait(5000);
    EXPECT_TRUE(write.is_response_ok());
    EXPECT_EQ(bench.memory.store().load64(0x52100), 0x6d6973756d6d6f69U);
  });
}

TEST_P(IommuExchange, WithAtsOffRequestsAreUnsupportedAndPageRequestsInvalid) {
  in_child([](AtsBench& bench) {
    bench.set_context(0);
    PooledPayload& request = bench.translation_request(0x11000);
    PooledPayload& credit = bench.credit();
    bench.page_request(9U << 12 | 5U << 3 | 7);
    bench.wait(5000);
    EXPECT_EQ(request.dma.response, translate::Response::kUnsupportedRequest);
    ASSERT_NE(bench.device.answered(credit), kNever);
    EXPECT_EQ(credit.message.message.kind, Kind::kPageResponse);
    EXPECT_EQ(credit.message.message.payload >> 44 & 15, 1U) << "Invalid Request";
    EXPECT_EQ(credit.message.message.payload >> 32 & 0x1ff, 5U);
    EXPECT_EQ(bench.read(spec::kFqtOffset), 2U) << "cause 260 for both";
  });
}

TEST_P(IommuExchange, APageRequestIsQueuedAndSoftwareAnswersIt) {
  in_child([](AtsBench& bench) {
    PooledPayload& credit = bench.credit();
    bench.page_request(9U << 12 | 5U << 3 | 7);
    bench.wait(5000);
    EXPECT_EQ(bench.read(spec::kPqtOffset), 1U);
    EXPECT_EQ(bench.memory.store().load64(AtsBench::kPageQueue), std::uint64_t{kDevice} << 40);
    EXPECT_EQ(bench.memory.store().load64(AtsBench::kPageQueue + 8), 9U << 12 | 5U << 3 | 7);
    EXPECT_EQ(bench.device.answered(credit), kNever);
    bench.command(AtsBench::ats(1), 5ULL << 32);
    bench.wait(5000);
    ASSERT_NE(bench.device.answered(credit), kNever);
    EXPECT_EQ(credit.message.message.kind, Kind::kPageResponse);
    EXPECT_EQ(credit.message.message.payload, 5ULL << 32);
  });
}

TEST_P(IommuExchange, AFenceWaitsForTheCompletionFromTheDeviceItself) {
  in_child([](AtsBench& bench) {
    PooledPayload& credit = bench.credit();
    bench.command(AtsBench::ats(0), 0x11000);
    bench.command(timing::test::kFence, 0);
    bench.wait(5000);
    ASSERT_NE(bench.device.answered(credit), kNever);
    EXPECT_EQ(credit.message.message.kind, Kind::kInvalidationRequest);
    EXPECT_EQ(credit.message.message.payload, 0x11000U);
    EXPECT_EQ(bench.read(spec::kCqhOffset), 1U);
    bench.complete(credit.message.message, kDevice + 1);  // of somebody else
    bench.wait(5000);
    EXPECT_EQ(bench.read(spec::kCqhOffset), 1U);
    bench.complete(credit.message.message);
    bench.wait(5000);
    EXPECT_EQ(bench.read(spec::kCqhOffset), 2U);
  });
}

TEST_P(IommuExchange, AMessageWithoutCreditWaitsForOne) {
  in_child([](AtsBench& bench) {
    PooledPayload& first = bench.credit();
    bench.command(AtsBench::ats(1), 1ULL << 32);
    bench.command(AtsBench::ats(1), 2ULL << 32);
    bench.wait(5000);
    EXPECT_NE(bench.device.answered(first), kNever);
    PooledPayload& second = bench.credit();
    bench.wait(5000);
    ASSERT_NE(bench.device.answered(second), kNever);
    EXPECT_EQ(second.message.message.payload, 2ULL << 32);
  });
}

TEST_P(IommuExchange, WhoDoesNotAnswerTimesOut) {
  in_child([](AtsBench& bench) {
    bench.credit();
    bench.command(AtsBench::ats(0), 0x11000);               // to a device that does not answer
    bench.command(AtsBench::ats(0, kDevice + 1), 0x11000);  // to nobody
    bench.command(timing::test::kFence, 0);
    bench.wait(199'000);
    EXPECT_EQ(bench.read(spec::kCqcsrOffset) & spec::cqcsr::kCmdTo.mask(), 0U);
    bench.wait(2000);
    EXPECT_NE(bench.read(spec::kCqcsrOffset) & spec::cqcsr::kCmdTo.mask(), 0U);
    EXPECT_EQ(bench.read(spec::kCqhOffset), 2U);
    bench.write_register(spec::kCqcsrOffset, 4, spec::cqcsr::kCqen.mask() | spec::cqcsr::kCmdTo.mask());
    bench.wait(5000);
    EXPECT_EQ(bench.read(spec::kCqhOffset), 3U) << "the fence, executed again, has nothing to wait for";
  });
}

INSTANTIATE_TEST_SUITE_P(Modes, IommuExchange, ::testing::Values(IommuMode::kCycle, IommuMode::kFunctional),
                         [](const auto& info) { return info.param == IommuMode::kCycle ? "cycle" : "functional"; });

/// Translated writes that the device sent before its completion are in memory when the fence is done, however slow the
/// pipeline: they carry an address that nobody translates any more.
SC_TEST(IommuOrder, ACompletionDoesNotPassPostedWrites) {
  IommuParams params = ats_params(IommuMode::kCycle);
  params.engine.ingress.initiation_cycles = 64;
  params.engine.ddt_cache.entries = 0;  // each walks the directory
  AtsBench bench(params);
  PooledPayload& credit = bench.credit();
  bench.command(AtsBench::ats(0), 0x11000);
  bench.command(timing::test::kFence | spec::iofence_w0::kPw.mask() | spec::iofence_w0::kPr.mask(), 0);
  bench.wait(5000);
  ASSERT_NE(bench.device.answered(credit), kNever);
  for (std::uint64_t i = 0; i < 2; ++i) {
    PooledPayload& write = bench.prepare(true, 0x52000 + 8 * i, 8);
    write.dma.type = translate::AddressType::kTranslated;
    std::memset(write.buffer(), 0x5a, 8);
    bench.device.send(write);
  }
  bench.complete(credit.message.message);
  while (bench.read(spec::kCqhOffset) != 2) bench.wait(1);
  for (std::uint64_t i = 0; i < 2; ++i) EXPECT_EQ(bench.memory.store().load64(0x52000 + 8 * i), 0x5a5a5a5a5a5a5a5aU);
}

}  // namespace
}  // namespace iommusim::bus
