// SPDX-License-Identifier: Apache-2.0
// An ATC between a device and an IOMMU that are both driven by hand: what the ATC sends is found by kind, and answered
// when the test says so.
#pragma once

#include "devices/atc.h"
#include "tlm/protocol_checker.h"
#include "unit/tlm/raw_initiator.h"
#include "unit/tlm/raw_target.h"
#include "unit/tlm/sc_test.h"

namespace iommusim::devices::atc_bench {

using bus::MessageExtension;
using bus::PooledPayload;
using translate::AddressType;

inline constexpr std::uint32_t kDevice = 0x18;

struct AtcBench {
  explicit AtcBench(const AtcParams& params = {}, bool ats = true, bool pri = true)
      : atc("atc", params, base::DeviceId(kDevice), 1, stats) {
    device.socket.bind(device_side.from_initiator);
    device_side.to_target.bind(atc.device());
    atc.to_bus().bind(bus_side.from_initiator);
    bus_side.to_target.bind(iommu.socket);
    iommu.keep = true;
    sc_test::run_to(1000);
    if (ats) atc.enable(true, pri);
    wait(0);
  }
  ~AtcBench() {
    EXPECT_EQ(device_side.violations(), std::vector<std::string>{});
    EXPECT_EQ(bus_side.violations(), std::vector<std::string>{});
    stats.advance(bus::now_ps());
    stats::check_identities(stats);
  }
  void wait(bus::Picoseconds ns = 100) { sc_test::run_to(bus::now_ps() + ns * 1000); }

  PooledPayload& dma(bool write, std::uint64_t iova, std::uint32_t bytes = 64) {
    PooledPayload& payload = device.pool.take();
    bus::set_access(payload, write, iova, payload.buffer(), bytes);
    payload.dma.device = base::DeviceId(kDevice);
    device.send(payload);
    wait();
    return payload;
  }
  bool ended(const PooledPayload& payload) const { return device.answered(payload) != bus::kNever; }

  /// Numbers of what the ATC sent, in order.
  std::vector<std::size_t> sent(AddressType type) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < iommu.requests.size(); ++i)
      if (bus::dma_of(*iommu.requests[i].payload).type == type) found.push_back(i);
    return found;
  }
  std::vector<std::size_t> sent(MessageExtension::Kind kind) const {
    std::vector<std::size_t> found;
    for (const std::size_t i : sent(AddressType::kMessage))
      if (bus::message_of(*iommu.requests[i].payload).kind == kind) found.push_back(i);
    return found;
  }
  void respond(std::size_t number, translate::Response response = translate::Response::kSuccess) {
    bus::dma_of(*iommu.requests[number].payload).response = response;
    iommu.respond(
        number, 0,
        response == translate::Response::kSuccess ? ::tlm::TLM_OK_RESPONSE : ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
    wait();
  }
  /// The answer to the `index`-th translation request.
  void complete(std::size_t index, std::uint64_t target, bool read, bool write, bool untranslated_only = false) {
    const std::size_t number = sent(AddressType::kAtsRequest).at(index);
    bus::AtsExtension& ats = bus::ats_of(*iommu.requests[number].payload);
    ats.completion = {};
    ats.completion.r = read;
    ats.completion.w = write;
    ats.completion.untranslated_only = untranslated_only;
    ats.address = target;
    ats.size_log2 = 12;
    respond(number);
  }
  void send_message(translate::DeviceMessage::Kind kind, std::uint64_t payload, std::uint8_t itag = 0) {
    const std::size_t number = sent(MessageExtension::Kind::kCredit).at(credits_used_++);
    translate::DeviceMessage& message = bus::message_of(*iommu.requests[number].payload).message;
    message = {};
    message.kind = kind;
    message.function.rid = kDevice;
    message.payload = payload;
    message.itag = itag;
    respond(number);
  }
  void invalidate(std::uint64_t payload, std::uint8_t itag = 0) {
    send_message(translate::DeviceMessage::Kind::kInvalidationRequest, payload, itag);
    wait(200);
  }
  void page_response(unsigned group, unsigned code) {
    send_message(translate::DeviceMessage::Kind::kPageResponse, std::uint64_t{group} << 32 | std::uint64_t{code} << 44);
  }
  std::uint64_t page_request(std::size_t index) const {
    const std::size_t number = sent(MessageExtension::Kind::kPageRequest).at(index);
    return bus::message_of(*iommu.requests[number].payload).page_request.payload;
  }
  /// The page is in the cache afterwards.
  void warm(std::uint64_t page, std::uint64_t target) {
    dma(false, page);
    complete(sent(AddressType::kAtsRequest).size() - 1, target, true, true);
    respond(iommu.requests.size() - 1);
  }

  stats::Group stats{"test"};
  sc_test::RawInitiator device{"device"};
  bus::ProtocolChecker device_side{"device_side"}, bus_side{"bus_side"};
  sc_test::RawTarget iommu{"iommu"};
  Atc atc;

 private:
  std::size_t credits_used_ = 0;
};

}  // namespace iommusim::devices::atc_bench
