// SPDX-License-Identifier: Apache-2.0
// The argument structures of /dev/iommu's ioctls, as a user program on a 64-bit little-endian machine lays them out:
// every offset is part of the ABI and is asserted. Each starts with its own size, so that both sides may grow. A call's
// number is kIommuIoctlType << 8 | nr, without direction or size bits. The list of the calls is uapi/ioctls.def.
#pragma once

#include <cstddef>
#include <cstdint>

namespace iommusim::uapi {

inline constexpr std::uint32_t kIommuIoctlType = ';';
constexpr std::uint32_t iommu_command(std::uint32_t nr) { return kIommuIoctlType << 8 | nr; }

struct IommuDestroy {
  std::uint32_t size;
  std::uint32_t id;
};
static_assert(sizeof(IommuDestroy) == 8 && offsetof(IommuDestroy, id) == 4);

struct IommuIoasAlloc {
  std::uint32_t size;
  std::uint32_t flags;
  std::uint32_t out_ioas_id;
};
static_assert(sizeof(IommuIoasAlloc) == 12 && offsetof(IommuIoasAlloc, flags) == 4);
static_assert(offsetof(IommuIoasAlloc, out_ioas_id) == 8);

/// Entry of the arrays that IOVA_RANGES fills and ALLOW_IOVAS reads; `last` is inclusive.
struct IommuIovaRange {
  std::uint64_t start;
  std::uint64_t last;
};
static_assert(sizeof(IommuIovaRange) == 16 && offsetof(IommuIovaRange, last) == 8);

struct IommuIoasIovaRanges {
  std::uint32_t size;
  std::uint32_t ioas_id;
  std::uint32_t num_iovas;  ///< in: capacity; out: how many there are
  std::uint32_t reserved;
  std::uint64_t allowed_iovas;  ///< user address of IommuIovaRange[]
  std::uint64_t out_iova_alignment;
};
static_assert(sizeof(IommuIoasIovaRanges) == 32 && offsetof(IommuIoasIovaRanges, ioas_id) == 4);
static_assert(offsetof(IommuIoasIovaRanges, num_iovas) == 8 && offsetof(IommuIoasIovaRanges, reserved) == 12);
static_assert(offsetof(IommuIoasIovaRanges, allowed_iovas) == 16);
static_assert(offsetof(IommuIoasIovaRanges, out_iova_alignment) == 24);

struct IommuIoasAllowIovas {
  std::uint32_t size;
  std::uint32_t ioas_id;
  std::uint32_t num_iovas;
  std::uint32_t reserved;
  std::uint64_t allowed_iovas;  ///< user address of IommuIovaRange[]
};
static_assert(sizeof(IommuIoasAllowIovas) == 24 && offsetof(IommuIoasAllowIovas, ioas_id) == 4);
static_assert(offsetof(IommuIoasAllowIovas, num_iovas) == 8 && offsetof(IommuIoasAllowIovas, reserved) == 12);
static_assert(offsetof(IommuIoasAllowIovas, allowed_iovas) == 16);

/// Flags of MAP, MAP_FILE and COPY. Readable and writeable are the device's view.
enum IommuIoasMapFlags : std::uint32_t {
  kIommuIoasMapFixedIova = 1,
  kIommuIoasMapWriteable = 2,
  kIommuIoasMapReadable = 4,
};

struct IommuIoasMap {
  std::uint32_t size;
  std::uint32_t flags;
  std::uint32_t ioas_id;
  std::uint32_t reserved;
  std::uint64_t user_va;
  std::uint64_t length;
  std::uint64_t iova;  ///< in with a fixed IOVA; out always
};
static_assert(sizeof(IommuIoasMap) == 40 && offsetof(IommuIoasMap, flags) == 4);
static_assert(offsetof(IommuIoasMap, ioas_id) == 8 && offsetof(IommuIoasMap, reserved) == 12);
static_assert(offsetof(IommuIoasMap, user_va) == 16 && offsetof(IommuIoasMap, length) == 24);
static_assert(offsetof(IommuIoasMap, iova) == 32);

struct IommuIoasMapFile {
  std::uint32_t size;
  std::uint32_t flags;
  std::uint32_t ioas_id;
  std::int32_t fd;
  std::uint64_t start;  ///< byte of the file
  std::uint64_t length;
  std::uint64_t iova;  ///< in with a fixed IOVA; out always
};
static_assert(sizeof(IommuIoasMapFile) == 40 && offsetof(IommuIoasMapFile, flags) == 4);
static_assert(offsetof(IommuIoasMapFile, ioas_id) == 8 && offsetof(IommuIoasMapFile, fd) == 12);
static_assert(offsetof(IommuIoasMapFile, start) == 16 && offsetof(IommuIoasMapFile, length) == 24);
static_assert(offsetof(IommuIoasMapFile, iova) == 32);

struct IommuIoasCopy {
  std::uint32_t size;
  std::uint32_t flags;
  std::uint32_t dst_ioas_id;
  std::uint32_t src_ioas_id;
  std::uint64_t length;
  std::uint64_t dst_iova;  ///< in with a fixed IOVA; out always
  std::uint64_t src_iova;
};
static_assert(sizeof(IommuIoasCopy) == 40 && offsetof(IommuIoasCopy, flags) == 4);
static_assert(offsetof(IommuIoasCopy, dst_ioas_id) == 8 && offsetof(IommuIoasCopy, src_ioas_id) == 12);
static_assert(offsetof(IommuIoasCopy, length) == 16 && offsetof(IommuIoasCopy, dst_iova) == 24);
static_assert(offsetof(IommuIoasCopy, src_iova) == 32);

struct IommuIoasUnmap {
  std::uint32_t size;
  std::uint32_t ioas_id;
  std::uint64_t iova;
  std::uint64_t length;  ///< out: bytes removed
};
static_assert(sizeof(IommuIoasUnmap) == 24 && offsetof(IommuIoasUnmap, ioas_id) == 4);
static_assert(offsetof(IommuIoasUnmap, iova) == 8 && offsetof(IommuIoasUnmap, length) == 16);

enum IommuOptionId : std::uint32_t { kIommuOptionRlimitMode = 0, kIommuOptionHugePages = 1 };
enum IommuOptionOp : std::uint16_t { kIommuOptionOpSet = 0, kIommuOptionOpGet = 1 };

struct IommuOption {
  std::uint32_t size;
  std::uint32_t option_id;
  std::uint16_t op;
  std::uint16_t reserved;
  std::uint32_t object_id;
  std::uint64_t val64;
};
static_assert(sizeof(IommuOption) == 24 && offsetof(IommuOption, option_id) == 4 && offsetof(IommuOption, op) == 8);
static_assert(offsetof(IommuOption, reserved) == 10 && offsetof(IommuOption, object_id) == 12);
static_assert(offsetof(IommuOption, val64) == 16);

enum IommuVfioIoasOp : std::uint16_t { kIommuVfioIoasGet = 0, kIommuVfioIoasSet = 1, kIommuVfioIoasClear = 2 };

struct IommuVfioIoas {
  std::uint32_t size;
  std::uint32_t ioas_id;  ///< in for SET, out for GET
  std::uint16_t op;
  std::uint16_t reserved;
};
static_assert(sizeof(IommuVfioIoas) == 12 && offsetof(IommuVfioIoas, ioas_id) == 4);
static_assert(offsetof(IommuVfioIoas, op) == 8 && offsetof(IommuVfioIoas, reserved) == 10);

struct IommuIoasChangeProcess {
  std::uint32_t size;
  std::uint32_t reserved;
};
static_assert(sizeof(IommuIoasChangeProcess) == 8 && offsetof(IommuIoasChangeProcess, reserved) == 4);

enum IommuHwptSetDirtyTrackingFlags : std::uint32_t { kIommuHwptDirtyTrackingEnable = 1 };

struct IommuHwptSetDirtyTracking {
  std::uint32_t size;
  std::uint32_t flags;
  std::uint32_t hwpt_id;
  std::uint32_t reserved;  ///< not checked
};
static_assert(sizeof(IommuHwptSetDirtyTracking) == 16 && offsetof(IommuHwptSetDirtyTracking, flags) == 4);
static_assert(offsetof(IommuHwptSetDirtyTracking, hwpt_id) == 8 && offsetof(IommuHwptSetDirtyTracking, reserved) == 12);

enum IommuHwptGetDirtyBitmapFlags : std::uint32_t { kIommuHwptGetDirtyBitmapNoClear = 1 };

struct IommuHwptGetDirtyBitmap {
  std::uint32_t size;
  std::uint32_t hwpt_id;
  std::uint32_t flags;
  std::uint32_t reserved;
  std::uint64_t iova;
  std::uint64_t length;
  std::uint64_t page_size;
  std::uint64_t data;  ///< user address of the bitmap
};
static_assert(sizeof(IommuHwptGetDirtyBitmap) == 48 && offsetof(IommuHwptGetDirtyBitmap, hwpt_id) == 4);
static_assert(offsetof(IommuHwptGetDirtyBitmap, flags) == 8 && offsetof(IommuHwptGetDirtyBitmap, reserved) == 12);
static_assert(offsetof(IommuHwptGetDirtyBitmap, iova) == 16 && offsetof(IommuHwptGetDirtyBitmap, length) == 24);
static_assert(offsetof(IommuHwptGetDirtyBitmap, page_size) == 32 && offsetof(IommuHwptGetDirtyBitmap, data) == 40);

enum IommuHwptDataType : std::uint32_t { kIommuHwptDataNone = 0 };

struct IommuHwptAlloc {
  std::uint32_t size;
  std::uint32_t flags;
  std::uint32_t dev_id;
  std::uint32_t pt_id;
  std::uint32_t out_hwpt_id;
  std::uint32_t reserved;
  std::uint32_t data_type;
  std::uint32_t data_len;
  std::uint64_t data_uptr;
  std::uint32_t fault_id;
  std::uint32_t reserved2;
};
static_assert(sizeof(IommuHwptAlloc) == 48 && offsetof(IommuHwptAlloc, flags) == 4);
static_assert(offsetof(IommuHwptAlloc, dev_id) == 8 && offsetof(IommuHwptAlloc, pt_id) == 12);
static_assert(offsetof(IommuHwptAlloc, out_hwpt_id) == 16 && offsetof(IommuHwptAlloc, reserved) == 20);
static_assert(offsetof(IommuHwptAlloc, data_type) == 24 && offsetof(IommuHwptAlloc, data_len) == 28);
static_assert(offsetof(IommuHwptAlloc, data_uptr) == 32 && offsetof(IommuHwptAlloc, fault_id) == 40);
static_assert(offsetof(IommuHwptAlloc, reserved2) == 44);

}  // namespace iommusim::uapi
