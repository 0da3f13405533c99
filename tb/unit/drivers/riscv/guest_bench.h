// SPDX-License-Identifier: Apache-2.0
// A guest on the model: 64 KiB of guest memory behind a parent, a first stage that the guest builds in it by hand, and
// a program that hands structures over to the driver.
#pragma once

#include <initializer_list>

#include "drivers/riscv/nested_domain.h"
#include "drivers/riscv/virtual_iommu.h"
#include "model_bench.h"
#include "uapi/iommufd_riscv.h"

namespace iommusim::drivers::riscv::test {

struct GuestBench : ModelBench {
  static constexpr std::uint64_t kBytes = 0x10000;  ///< of guest memory, from guest address 0
  static constexpr std::uint64_t kHost = 0x40000000;
  static constexpr std::uint64_t kUser = 0x1000000;  ///< of the program
  static constexpr std::uint32_t kPscid = 40;

  explicit GuestBench(const spec::Implementation& implementation = everything(), const RiscvIommuOptions& options = {})
      : ModelBench(implementation, options) {
    EXPECT_EQ(user.map_frames(kUser, 0x1000, hal::kUserRead | hal::kUserWrite), 0);
  }

  void build_parent(RiscvDevice& device, unsigned flags = 0) {
    parent = alloc(device, domain::kNestParent | flags);
    EXPECT_EQ(parent->map(0, kHost, kBytes, kReadWrite), 0);
  }
  static std::uint64_t spa(std::uint64_t guest) { return kHost + guest; }

  /// Sv39 at guest pages 0xd000, 0xe000, 0xf000, for addresses below 2 MiB.
  static std::uint64_t first_stage_fsc() { return hw::iosatp_mode::kSv39 << 60 | 0xd000 >> 12; }
  void map_guest(std::uint64_t iova, std::uint64_t guest, std::uint64_t bits = 0xdf) {
    memory.store64(spa(0xd000), 0xe000 >> 2 | 1);
    memory.store64(spa(0xe000), 0xf000 >> 2 | 1);
    memory.store64(spa(0xf000) + (iova >> 12) * 8, guest >> 2 | bits);
  }
  std::uint64_t guest_entry(std::uint64_t iova) { return memory.load64(spa(0xf000) + (iova >> 12) * 8); }

  static uapi::hwpt_riscv_stage1 stage1() { return {0, kPscid, first_stage_fsc(), {0, 0}}; }
  domain::UserData data(const uapi::hwpt_riscv_stage1& stage1) {
    EXPECT_EQ(user.copy_to_user(kUser, &stage1, sizeof stage1), 0);
    return {&user, uapi::kHwptDataRiscvStage1, sizeof stage1, kUser};
  }
  std::unique_ptr<domain::NestedDomain> nested(RiscvDevice& device) {
    std::unique_ptr<domain::NestedDomain> out;
    EXPECT_EQ(device.alloc_nested(*parent, 0, data(stage1()), out), 0);
    return out;
  }
  domain::UserArray commands(std::initializer_list<Command> list) {
    std::uint64_t at = kUser;
    for (const Command& command : list) {
      EXPECT_EQ(user.copy_to_user(at, command.data(), 16), 0);
      at += 16;
    }
    return {&user, uapi::kInvalidateRiscv, 16, static_cast<std::uint32_t>(list.size()), kUser};
  }

  hal::SimProcess user{os, memory, frames};
  std::unique_ptr<domain::Domain> parent;
};

}  // namespace iommusim::drivers::riscv::test
