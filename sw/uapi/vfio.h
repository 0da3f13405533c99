// SPDX-License-Identifier: Apache-2.0
// The ABI of /dev/vfio: numbers and argument structures of the device, group and container calls, as a 64-bit
// little-endian program lays them out. Every structure starts with its size as the program knows it (`argsz`), except
// where an argument is a plain number, a string or a descriptor. Offsets are part of the ABI and are asserted. Numbers
// are shared: 0x3B70, 0x3B71 and 0x3B75 mean one thing to a container and another to a device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "uapi/iommufd.h"

namespace iommusim::uapi {

inline constexpr std::uint32_t kVfioBase = 0x64;
constexpr std::uint32_t vfio_command(std::uint32_t n) { return iommu_command(kVfioBase + n); }

inline constexpr std::uint32_t kVfioGetApiVersion = vfio_command(0);
inline constexpr std::uint32_t kVfioCheckExtension = vfio_command(1);
inline constexpr std::uint32_t kVfioSetIommu = vfio_command(2);
inline constexpr std::uint32_t kVfioGroupGetStatus = vfio_command(3);
inline constexpr std::uint32_t kVfioGroupSetContainer = vfio_command(4);
inline constexpr std::uint32_t kVfioGroupUnsetContainer = vfio_command(5);
inline constexpr std::uint32_t kVfioGroupGetDeviceFd = vfio_command(6);
inline constexpr std::uint32_t kVfioDeviceGetInfo = vfio_command(7);
inline constexpr std::uint32_t kVfioDeviceGetRegionInfo = vfio_command(8);
inline constexpr std::uint32_t kVfioDeviceGetIrqInfo = vfio_command(9);
inline constexpr std::uint32_t kVfioDeviceSetIrqs = vfio_command(10);
inline constexpr std::uint32_t kVfioDeviceReset = vfio_command(11);
inline constexpr std::uint32_t kVfioIommuGetInfo = vfio_command(12);
inline constexpr std::uint32_t kVfioDeviceGetPciHotResetInfo = vfio_command(12);
inline constexpr std::uint32_t kVfioIommuMapDma = vfio_command(13);
inline constexpr std::uint32_t kVfioDevicePciHotReset = vfio_command(13);
inline constexpr std::uint32_t kVfioIommuUnmapDma = vfio_command(14);
inline constexpr std::uint32_t kVfioDeviceIoeventfd = vfio_command(16);
inline constexpr std::uint32_t kVfioIommuDirtyPages = vfio_command(17);
inline constexpr std::uint32_t kVfioDeviceFeature = vfio_command(17);
inline constexpr std::uint32_t kVfioDeviceBindIommufd = vfio_command(18);
inline constexpr std::uint32_t kVfioDeviceAttachIommufdPt = vfio_command(19);
inline constexpr std::uint32_t kVfioDeviceDetachIommufdPt = vfio_command(20);
static_assert(kVfioGetApiVersion == 0x3B64 && kVfioDeviceSetIrqs == 0x3B6E && kVfioDeviceBindIommufd == 0x3B76);

// Binding and attaching (the character device).
enum VfioBindFlags : std::uint32_t { kVfioBindToken = 1 };
struct VfioDeviceBindIommufd {
  std::uint32_t argsz;
  std::uint32_t flags;
  std::int32_t iommufd;
  std::uint32_t out_devid;
  std::uint64_t token_uuid_ptr;  ///< of a program that knows it: argsz 24
};
static_assert(sizeof(VfioDeviceBindIommufd) == 24 && offsetof(VfioDeviceBindIommufd, iommufd) == 8);
static_assert(offsetof(VfioDeviceBindIommufd, out_devid) == 12);
static_assert(offsetof(VfioDeviceBindIommufd, token_uuid_ptr) == 16);
inline constexpr std::uint32_t kVfioBindMinSize = 16;

enum VfioAttachFlags : std::uint32_t { kVfioAttachPasid = 1 };
struct VfioDeviceAttachIommufdPt {
  std::uint32_t argsz;
  std::uint32_t flags;
  std::uint32_t pt_id;  ///< in: address space or page table; out: the page table
  std::uint32_t pasid;
};
static_assert(sizeof(VfioDeviceAttachIommufdPt) == 16 && offsetof(VfioDeviceAttachIommufdPt, pt_id) == 8);
static_assert(offsetof(VfioDeviceAttachIommufdPt, pasid) == 12);
inline constexpr std::uint32_t kVfioAttachMinSize = 12;

struct VfioDeviceDetachIommufdPt {
  std::uint32_t argsz;
  std::uint32_t flags;
  std::uint32_t pasid;
};
static_assert(sizeof(VfioDeviceDetachIommufdPt) == 12 && offsetof(VfioDeviceDetachIommufdPt, pasid) == 8);
inline constexpr std::uint32_t kVfioDetachMinSize = 8;

// What a device is.
enum VfioDeviceFlags : std::uint32_t { kVfioDeviceFlagReset = 1, kVfioDeviceFlagPci = 2, kVfioDeviceFlagCaps = 0x80 };
struct VfioDeviceInfo {
  std::uint32_t argsz;
  std::uint32_t flags;
  std::uint32_t num_regions;
  std::uint32_t num_irqs;
  std::uint32_t cap_offset;
  std::uint32_t pad;
};
static_assert(sizeof(VfioDeviceInfo) == 24 && offsetof(VfioDeviceInfo, num_regions) == 8);
static_assert(offsetof(VfioDeviceInfo, num_irqs) == 12 && offsetof(VfioDeviceInfo, cap_offset) == 16);
inline constexpr std::uint32_t kVfioDeviceInfoMinSize = 16;

enum VfioPciRegion : std::uint32_t {
  kVfioPciBar0 = 0,
  kVfioPciBar5 = 5,
  kVfioPciRom = 6,
  kVfioPciConfig = 7,
  kVfioPciVga = 8,
};
inline constexpr std::uint32_t kVfioPciRegions = 9;
/// A region lies at file offset index << kVfioPciOffsetShift.
inline constexpr unsigned kVfioPciOffsetShift = 40;

enum VfioRegionFlags : std::uint32_t {
  kVfioRegionRead = 1,
  kVfioRegionWrite = 2,
  kVfioRegionMmap = 4,
  kVfioRegionCaps = 8,
};
struct VfioRegionInfo {
  std::uint32_t argsz;
  std::uint32_t flags;
  std::uint32_t index;
  std::uint32_t cap_offset;
  std::uint64_t size;
  std::uint64_t offset;
};
static_assert(sizeof(VfioRegionInfo) == 32 && offsetof(VfioRegionInfo, index) == 8);
static_assert(offsetof(VfioRegionInfo, cap_offset) == 12 && offsetof(VfioRegionInfo, size) == 16);
static_assert(offsetof(VfioRegionInfo, offset) == 24);

/// Head of each link in a chain of capabilities; `next` counts from the start of the structure, 0 ends.
struct VfioInfoCapHeader {
  std::uint16_t id;
  std::uint16_t version;
  std::uint32_t next;
};
static_assert(sizeof(VfioInfoCapHeader) == 8 && offsetof(VfioInfoCapHeader, next) == 4);
inline constexpr std::uint16_t kVfioRegionCapMsixMappable = 3;

// Interrupts.
enum VfioPciIrq : std::uint32_t {
  kVfioPciIntx = 0,
  kVfioPciMsi = 1,
  kVfioPciMsix = 2,
  kVfioPciErr = 3,
  kVfioPciReq = 4,
};
inline constexpr std::uint32_t kVfioPciIrqs = 5;

enum VfioIrqInfoFlags : std::uint32_t {
  kVfioIrqEventfd = 1,
  kVfioIrqMaskable = 2,
  kVfioIrqAutomasked = 4,
  kVfioIrqNoresize = 8,
};
struct VfioIrqInfo {
  std::uint32_t argsz;
  std::uint32_t flags;
  std::uint32_t index;
  std::uint32_t count;
};
static_assert(sizeof(VfioIrqInfo) == 16 && offsetof(VfioIrqInfo, index) == 8 && offsetof(VfioIrqInfo, count) == 12);

enum VfioIrqSetFlags : std::uint32_t {
  kVfioIrqDataNone = 1,
  kVfioIrqDataBool = 2,
  kVfioIrqDataEventfd = 4,
  kVfioIrqActionMask = 8,
  kVfioIrqActionUnmask = 16,
  kVfioIrqActionTrigger = 32,
};
inline constexpr std::uint32_t kVfioIrqDataTypes = 7;
inline constexpr std::uint32_t kVfioIrqActions = 56;
/// `count` items of data follow.
struct VfioIrqSet {
  std::uint32_t argsz;
  std::uint32_t flags;
  std::uint32_t index;
  std::uint32_t start;
  std::uint32_t count;
};
static_assert(sizeof(VfioIrqSet) == 20 && offsetof(VfioIrqSet, start) == 12 && offsetof(VfioIrqSet, count) == 16);

// Reset of a whole bus.
enum VfioHotResetFlags : std::uint32_t { kVfioHotResetDevId = 1, kVfioHotResetDevIdOwned = 2 };
struct VfioPciDependentDevice {
  std::uint32_t group_or_devid;
  std::uint16_t segment;
  std::uint8_t bus;
  std::uint8_t devfn;
};
static_assert(sizeof(VfioPciDependentDevice) == 8 && offsetof(VfioPciDependentDevice, devfn) == 7);
inline constexpr std::uint32_t kVfioDevIdOwned = 0;               ///< no id of this context, but owned by it
inline constexpr std::uint32_t kVfioDevIdNotOwned = 0xFFFF'FFFF;  ///< somebody else's
/// `count` VfioPciDependentDevice follow in the information, `count` s32 group descriptors in the order.
struct VfioPciHotReset {
  std::uint32_t argsz;
  std::uint32_t flags;
  std::uint32_t count;
};
static_assert(sizeof(VfioPciHotReset) == 12);

// Features.
inline constexpr std::uint32_t kVfioFeatureMask = 0xFFFF;
inline constexpr std::uint32_t kVfioFeatureGet = 1U << 16;
inline constexpr std::uint32_t kVfioFeatureSet = 1U << 17;
inline constexpr std::uint32_t kVfioFeatureProbe = 1U << 18;
enum VfioFeature : std::uint32_t {
  kVfioFeatureVfToken = 0,
  kVfioFeatureMigration = 1,
  kVfioFeatureMigDeviceState = 2,
  kVfioFeatureLowPowerEntry = 3,
  kVfioFeatureLowPowerEntryWithWakeup = 4,
  kVfioFeatureLowPowerExit = 5,
};
/// Data follows.
struct VfioDeviceFeature {
  std::uint32_t argsz;
  std::uint32_t flags;
};
static_assert(sizeof(VfioDeviceFeature) == 8);
struct VfioLowPowerWakeup {
  std::int32_t wakeup_eventfd;
  std::uint32_t reserved;
};
static_assert(sizeof(VfioLowPowerWakeup) == 8);

// Groups.
enum VfioGroupFlags : std::uint32_t { kVfioGroupViable = 1, kVfioGroupContainerSet = 2 };
struct VfioGroupStatus {
  std::uint32_t argsz;
  std::uint32_t flags;
};
static_assert(sizeof(VfioGroupStatus) == 8);

// The type1 container.
inline constexpr std::uint32_t kVfioApiVersion = 0;
enum VfioExtension : std::uint32_t {
  kVfioType1Iommu = 1,
  kVfioType1v2Iommu = 3,
  kVfioDmaCcIommu = 4,
  kVfioType1NestingIommu = 6,
  kVfioNoiommuIommu = 8,
  kVfioUnmapAll = 9,
  kVfioUpdateVaddr = 10,
};

enum VfioIommuInfoFlags : std::uint32_t { kVfioIommuInfoPgsizes = 1, kVfioIommuInfoCaps = 2 };
struct VfioIommuType1Info {
  std::uint32_t argsz;
  std::uint32_t flags;
  std::uint64_t iova_pgsizes;
  std::uint32_t cap_offset;
  std::uint32_t pad;
};
static_assert(sizeof(VfioIommuType1Info) == 24 && offsetof(VfioIommuType1Info, iova_pgsizes) == 8);
static_assert(offsetof(VfioIommuType1Info, cap_offset) == 16 && offsetof(VfioIommuType1Info, pad) == 20);
inline constexpr std::uint32_t kVfioIommuInfoMinSize = 16;
inline constexpr std::uint16_t kVfioType1CapIovaRange = 1;
inline constexpr std::uint16_t kVfioType1CapDmaAvail = 3;
struct VfioType1CapDmaAvail {
  VfioInfoCapHeader header;
  std::uint32_t avail;
};
static_assert(sizeof(VfioType1CapDmaAvail) == 12 && offsetof(VfioType1CapDmaAvail, avail) == 8);
/// `nr_iovas` IommuIovaRange follow.
struct VfioType1CapIovaRange {
  VfioInfoCapHeader header;
  std::uint32_t nr_iovas;
  std::uint32_t reserved;
};
static_assert(sizeof(VfioType1CapIovaRange) == 16 && offsetof(VfioType1CapIovaRange, nr_iovas) == 8);

enum VfioDmaMapFlags : std::uint32_t { kVfioDmaMapRead = 1, kVfioDmaMapWrite = 2 };
struct VfioIommuType1DmaMap {
  std::uint32_t argsz;
  std::uint32_t flags;
  std::uint64_t vaddr;
  std::uint64_t iova;
  std::uint64_t size;
};
static_assert(sizeof(VfioIommuType1DmaMap) == 32 && offsetof(VfioIommuType1DmaMap, vaddr) == 8);
static_assert(offsetof(VfioIommuType1DmaMap, iova) == 16 && offsetof(VfioIommuType1DmaMap, size) == 24);

enum VfioDmaUnmapFlags : std::uint32_t { kVfioDmaUnmapGetDirtyBitmap = 1, kVfioDmaUnmapAll = 2 };
struct VfioIommuType1DmaUnmap {
  std::uint32_t argsz;
  std::uint32_t flags;
  std::uint64_t iova;
  std::uint64_t size;
};
static_assert(sizeof(VfioIommuType1DmaUnmap) == 24 && offsetof(VfioIommuType1DmaUnmap, iova) == 8);
static_assert(offsetof(VfioIommuType1DmaUnmap, size) == 16);

}  // namespace iommusim::uapi
