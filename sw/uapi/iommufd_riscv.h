// SPDX-License-Identifier: Apache-2.0
// What the RISC-V driver adds to the ABI of iommufd. Upstream Linux has no RISC-V entry in any list of types; these
// numbers are ours, far above those that upstream counts up from. Documented in docs/riscv-driver.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace iommusim::uapi {

// One number for each kind of data, whichever list it stands in.
inline constexpr std::uint32_t kHwInfoRiscv = 0x52560001;          ///< GET_HW_INFO
inline constexpr std::uint32_t kHwptDataRiscvStage1 = 0x52560002;  ///< HWPT_ALLOC
inline constexpr std::uint32_t kInvalidateRiscv = 0x52560003;      ///< HWPT_INVALIDATE, of a nested hwpt or a vIOMMU
inline constexpr std::uint32_t kViommuRiscv = 0x52560004;          ///< VIOMMU_ALLOC
inline constexpr std::uint32_t kVeventRiscvFault = 0x52560005;     ///< VEVENTQ_ALLOC

struct hw_info_riscv {
  std::uint32_t flags;             ///< none yet
  std::uint32_t fctl;              ///< the register
  std::uint64_t capabilities;      ///< the register
  std::uint32_t version;           ///< that the IOMMU implements: capabilities.version
  std::uint32_t directory_levels;  ///< of the device directory in use
  std::uint32_t pscid_bits;        ///< width of the numbers that a guest may give its address spaces
  std::uint32_t reserved;
};
static_assert(sizeof(hw_info_riscv) == 32);
static_assert(offsetof(hw_info_riscv, capabilities) == 8 && offsetof(hw_info_riscv, version) == 16);

/// A guest's first stage over a NEST_PARENT hwpt. Addresses in it are the guest's (IOVAs of the parent's IOAS).
struct hwpt_riscv_stage1 {
  std::uint32_t flags;
  std::uint32_t pscid;  ///< number of the address space; of no meaning with kRiscvStage1Directory
  std::uint64_t fsc;    ///< iosatp, or pdtp with kRiscvStage1Directory
  std::uint64_t reserved[2];
};
static_assert(sizeof(hwpt_riscv_stage1) == 32);
static_assert(offsetof(hwpt_riscv_stage1, fsc) == 8);
inline constexpr std::uint32_t kRiscvStage1Directory = 1;       ///< DC.tc.PDTV
inline constexpr std::uint32_t kRiscvStage1DefaultProcess = 2;  ///< DC.tc.DPE
inline constexpr std::uint32_t kRiscvStage1HardwareDirty = 4;   ///< DC.tc.SADE

/// A command as the guest would put it into the command queue of its IOMMU.
struct riscv_invalidate {
  std::uint64_t command[2];
};
static_assert(sizeof(riscv_invalidate) == 16);

/// A fault record as the guest would find it in the fault queue of its IOMMU; DID is the virtual device id.
struct vevent_riscv_fault {
  std::uint64_t record[4];
};
static_assert(sizeof(vevent_riscv_fault) == 32);

}  // namespace iommusim::uapi
