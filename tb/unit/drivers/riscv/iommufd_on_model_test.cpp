// SPDX-License-Identifier: Apache-2.0
// From the ioctls of a program down to DMA through the model: hardware information, PASIDs, nesting with a guest's own
// tables, a vIOMMU with its events, dirty bitmaps, page faults and their answers.
#include <algorithm>
#include <cerrno>

#include "guest_bench.h"
#include "iommufd/context.h"
#include "iommufd/device.h"
#include "uapi/ioctls.h"

namespace iommusim::drivers::riscv::test {
namespace {

using iommufd::ObjectId;

constexpr std::uint64_t kArgument = 0x2000000, kData = 0x2001000, kBuffer = 0x3000000;
constexpr std::uint64_t kBufferBytes = 0x10000;

RiscvIommuOptions with_page_requests() {
  RiscvIommuOptions options;
  options.ats = true;
  return options;
}

/// A program on the model, with a device that can do everything.
struct Program {
  Program() {
    DeviceDescription description;
    description.device_ids = {8};
    description.pasid_bits = 20;
    description.ats = description.pri = description.pasid_execute = true;
    hardware = &bench.add(description);
    for (const std::uint64_t at : {kArgument, kData})
      EXPECT_EQ(bench.user.map_frames(at, 0x1000, hal::kUserRead | hal::kUserWrite), 0);
    EXPECT_EQ(bench.user.map_frames(kBuffer, kBufferBytes, hal::kUserRead | hal::kUserWrite), 0);
    EXPECT_EQ(iommufd::device_bind(*context, *hardware, device), 0);
    ioas = call<uapi::IommuIoasAlloc>(uapi::kIommuIoasAlloc, {}).out_ioas_id;
  }
  ~Program() {
    for (const std::uint32_t pasid : {0, 7}) EXPECT_EQ(iommufd::device_detach(*context, device, pasid), 0);
    for (int fd = 0; fd < 64; ++fd) bench.user.descriptors().close(fd);
    EXPECT_EQ(iommufd::device_unbind(*context, device), 0);
    context.reset();
    EXPECT_EQ(bench.user.pinned_pages(), 0U);
  }

  template <class T>
  int try_call(std::uint32_t command, T& argument) {
    argument.size = sizeof argument;
    EXPECT_EQ(bench.user.copy_to_user(kArgument, &argument, sizeof argument), 0);
    const int result = context->ioctl(process, command, kArgument);
    EXPECT_EQ(bench.user.copy_from_user(&argument, kArgument, sizeof argument), 0);
    return -result;
  }
  template <class T>
  T call(std::uint32_t command, T argument) {
    EXPECT_EQ(try_call(command, argument), 0) << std::hex << command;
    return argument;
  }
  template <class T>
  std::uint64_t put(const T& data) {
    EXPECT_EQ(bench.user.copy_to_user(kData, &data, sizeof data), 0);
    return kData;
  }
  void map(std::uint64_t iova) {
    call<uapi::IommuIoasMap>(uapi::kIommuIoasMap, {0, 7, ioas, 0, kBuffer, kBufferBytes, iova});
  }
  void unmap(std::uint64_t iova) { call<uapi::IommuIoasUnmap>(uapi::kIommuIoasUnmap, {0, ioas, iova, kBufferBytes}); }
  ObjectId hwpt(std::uint32_t flags, std::uint32_t fault = 0) {
    return call<uapi::IommuHwptAlloc>(uapi::kIommuHwptAlloc, {0, flags, device, ioas, 0, 0, 0, 0, 0, fault, 0})
        .out_hwpt_id;
  }
  ObjectId nested(ObjectId parent) {
    return call<uapi::IommuHwptAlloc>(uapi::kIommuHwptAlloc,
                                      {0, 0, device, parent, 0, 0, uapi::kHwptDataRiscvStage1,
                                       sizeof(uapi::hwpt_riscv_stage1), put(GuestBench::stage1()), 0, 0})
        .out_hwpt_id;
  }
  void attach(ObjectId pt, std::uint32_t pasid = 0) {
    EXPECT_EQ(iommufd::device_attach(*context, device, pt, pasid), 0);
  }
  void detach(std::uint32_t pasid = 0) { EXPECT_EQ(iommufd::device_detach(*context, device, pasid), 0); }
  void destroy(ObjectId id) { call<uapi::IommuDestroy>(uapi::kIommuDestroy, {0, id}); }
  /// Where a page of the buffer is.
  std::uint64_t spa_of(std::uint64_t offset) {
    std::uint64_t spa = 0;
    EXPECT_EQ(bench.user.pin_page(kBuffer + offset, true, spa), 0);
    bench.user.unpin_page(spa);
    return spa;
  }
  /// The guest's tables of GuestBench::map_guest(), in the buffer, which is guest memory from 0 on.
  void map_guest(std::uint64_t iova, std::uint64_t guest) {
    bench.memory.store64(spa_of(0xd000), 0xe000 >> 2 | 1);
    bench.memory.store64(spa_of(0xe000), 0xf000 >> 2 | 1);
    bench.memory.store64(spa_of(0xf000) + (iova >> 12) * 8, guest >> 2 | 0xdf);
  }

  GuestBench bench{everything(), with_page_requests()};
  iommufd::Host host{bench.os, bench.memory};
  std::shared_ptr<iommufd::Context> context = iommufd::Context::open(host, {});
  hal::Process& process = bench.user;
  RiscvDevice* hardware = nullptr;
  ObjectId device = 0, ioas = 0;
};

TEST(IommufdOnModel, HardwareInformation) {
  Program program;
  const auto info =
      program.call<uapi::IommuGetHwInfo>(uapi::kIommuGetHwInfo, {0, 0, program.device, 64, kData, 0, 0, {}, 0});
  EXPECT_EQ(info.data_type, uapi::kHwInfoRiscv);
  EXPECT_EQ(info.data_len, sizeof(uapi::hw_info_riscv));
  EXPECT_EQ(info.out_max_pasid_log2, 20U);
  EXPECT_EQ(info.out_capabilities, 1U | 2U) << "dirty tracking; execution with a PASID";
  uapi::hw_info_riscv data{};
  EXPECT_EQ(program.bench.user.copy_from_user(&data, kData, sizeof data), 0);
  EXPECT_EQ(data.capabilities, everything().capabilities());
}

TEST(IommufdOnModel, PasidsBesideTheDevice) {
  Program program;
  program.map(0x100000);
  const ObjectId own = program.hwpt(8), process = program.hwpt(8);
  program.attach(own);
  program.attach(process, 7);
  EXPECT_EQ(program.bench.dma(8, 0x103000, true), program.spa_of(0x3000));
  EXPECT_EQ(program.bench.dma(8, 0x103000, true, 7), program.spa_of(0x3000));
  program.detach();
  EXPECT_EQ(program.bench.dma(8, 0x103000, true), ModelBench::kNowhere);
  EXPECT_EQ(program.bench.dma(8, 0x103000, true, 7), program.spa_of(0x3000));
  program.unmap(0x100000);
  EXPECT_EQ(program.bench.dma(8, 0x103000, true, 7), ModelBench::kNowhere);
  EXPECT_EQ(program.bench.user.pinned_pages(), 0U);
}

TEST(IommufdOnModel, AGuestOverItsParent) {
  Program program;
  program.map(0);
  const ObjectId parent = program.hwpt(1), nested = program.nested(parent);
  program.map_guest(0x7000, 0x3000);
  program.attach(nested);
  EXPECT_EQ(program.bench.dma(8, 0x7000, true), program.spa_of(0x3000));
  program.map_guest(0x7000, 0x5000);
  const auto done = program.call<uapi::IommuHwptInvalidate>(
      uapi::kIommuHwptInvalidate,
      {0, nested, program.put(iotinval_page(GuestBench::kPscid, 0x7000)), uapi::kInvalidateRiscv, 16, 1, 0});
  EXPECT_EQ(done.entry_num, 1U);
  EXPECT_EQ(program.bench.dma(8, 0x7000, true), program.spa_of(0x5000));
  program.unmap(0);
  EXPECT_EQ(program.bench.dma(8, 0x7000, true), ModelBench::kNowhere);
}

TEST(IommufdOnModel, AVirtualIommuAndItsEvents) {
  Program program;
  program.map(0);
  const ObjectId parent = program.hwpt(1);
  const ObjectId viommu =
      program
          .call<uapi::IommuViommuAlloc>(uapi::kIommuViommuAlloc,
                                        {0, 0, uapi::kViommuRiscv, program.device, parent, 0, 0, 0, 0})
          .out_viommu_id;
  const ObjectId nested = program.nested(viommu);
  ObjectId early = nested;
  EXPECT_EQ(iommufd::device_attach(*program.context, program.device, early), ENOENT) << "no vDEVICE yet";
  program.call<uapi::IommuVdeviceAlloc>(uapi::kIommuVdeviceAlloc, {0, viommu, program.device, 0, 0x99});
  const auto queue = program.call<uapi::IommuVeventqAlloc>(uapi::kIommuVeventqAlloc,
                                                           {0, 0, viommu, uapi::kVeventRiscvFault, 8, 0, 0, 0});
  program.map_guest(0x7000, 0x3000);
  program.attach(nested);
  EXPECT_EQ(program.bench.dma(8, 0x7000), program.spa_of(0x3000));
  EXPECT_EQ(program.bench.dma(8, 0x8000), ModelBench::kNowhere);
  program.bench.serve();
  struct {
    std::uint32_t flags, sequence;
    std::uint64_t record[4];
  } event{};
  const auto fd = static_cast<int>(queue.out_veventq_fd);
  EXPECT_EQ(program.bench.user.descriptors().read(program.process, fd, kData, 4096), 40);
  EXPECT_EQ(program.bench.user.copy_from_user(&event, kData, sizeof event), 0);
  EXPECT_EQ(event.record[0] >> 40, 0x99U);
  EXPECT_EQ(event.record[0] & 0xfff, 13U);
  EXPECT_EQ(event.record[2], 0x8000U);
  uapi::IommuHwQueueAlloc hw_queue{0, 0, viommu, 1, 0, 0, 0, 0x1000};
  EXPECT_EQ(program.try_call(uapi::kIommuHwQueueAlloc, hw_queue), EOPNOTSUPP);
}

TEST(IommufdOnModel, ABitmapOfWrittenPages) {
  Program program;
  const ObjectId hwpt = program.hwpt(2);
  program.map(0x100000);
  program.attach(hwpt);
  (void)program.bench.dma(8, 0x101000, true);
  program.call<uapi::IommuHwptSetDirtyTracking>(uapi::kIommuHwptSetDirtyTracking, {0, 1, hwpt, 0});
  const auto bits = [&](std::uint32_t flags) {
    program.put(std::uint64_t{0});
    program.call<uapi::IommuHwptGetDirtyBitmap>(uapi::kIommuHwptGetDirtyBitmap,
                                                {0, hwpt, flags, 0, 0x100000, kBufferBytes, 4096, kData});
    std::uint64_t word = 0;
    EXPECT_EQ(program.bench.user.copy_from_user(&word, kData, 8), 0);
    return word;
  };
  EXPECT_EQ(bits(0), 0U) << "what was written before does not count";
  (void)program.bench.dma(8, 0x102000, true);
  (void)program.bench.dma(8, 0x105000);
  EXPECT_EQ(bits(1), 1U << 2);
  EXPECT_EQ(bits(0), 1U << 2);
  EXPECT_EQ(bits(0), 0U);
  (void)program.bench.dma(8, 0x102000, true);
  (void)program.bench.dma(8, 0x10f000, true);
  EXPECT_EQ(bits(0), 1U << 2 | 1U << 15);
}

TEST(IommufdOnModel, AFaultIsReadAnsweredAndOverWithTheDetach) {
  Program program;
  const auto queue = program.call<uapi::IommuFaultQueueAlloc>(uapi::kIommuFaultQueueAlloc, {});
  program.attach(program.hwpt(4, queue.out_fault_id));
  const auto request = [&](std::uint32_t group) {
    translate::PageRequest message;
    message.function.rid = 8;
    message.payload = 0x102000 | group << 3 | 5;  // read, last
    program.bench.engine.page_request(message);
    program.bench.serve();
  };
  const auto answered = [&](std::uint64_t group, std::uint64_t code) {
    const auto& sent = program.bench.messages.sent;
    return std::any_of(sent.begin(), sent.end(), [&](const translate::DeviceMessage& message) {
      return message.kind == translate::DeviceMessage::Kind::kPageResponse &&
             message.payload == (group << 32 | code << 44);
    });
  };
  request(3);
  const auto fd = static_cast<int>(queue.out_fault_fd);
  ASSERT_EQ(program.bench.user.descriptors().read(program.process, fd, kData, 4080), 40);
  std::uint32_t fault[10] = {};
  EXPECT_EQ(program.bench.user.copy_from_user(fault, kData, sizeof fault), 0);
  EXPECT_EQ(fault[1], program.device);
  EXPECT_EQ(fault[3], 3U) << "group";
  EXPECT_EQ(fault[6], 0x102000U);
  EXPECT_FALSE(answered(3, 0));
  program.map(0x100000);
  const std::uint32_t response[2] = {fault[9], 0};
  EXPECT_EQ(program.bench.user.copy_to_user(kData, response, sizeof response), 0);
  EXPECT_EQ(program.bench.user.descriptors().write(program.process, fd, kData, 8), 8);
  EXPECT_TRUE(answered(3, 0));
  request(4);
  program.detach();
  EXPECT_TRUE(answered(4, 1)) << "invalid";
}

}  // namespace
}  // namespace iommusim::drivers::riscv::test
