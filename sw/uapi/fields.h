// SPDX-License-Identifier: Apache-2.0
// Names of ioctls and the fields of their arguments, as data for logs. A number may mean one thing to a device and
// another to a container; which file was called decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "uapi/ioctls.h"
#include "uapi/vfio.h"

namespace iommusim::uapi {

struct FieldRow {
  std::string_view structure;
  const char* name;
  std::uint32_t offset, bytes;
  bool is_signed;
};

inline constexpr FieldRow kFields[] = {
#define IOMMUSIM_FIELD(Struct, member)                                 \
  {#Struct, #member, offsetof(Struct, member), sizeof(Struct::member), \
   static_cast<decltype(Struct::member)>(-1) < static_cast<decltype(Struct::member)>(1)},
#include "uapi/fields.def"
#undef IOMMUSIM_FIELD
};

struct CallRow {
  std::uint32_t command;
  const char* name;
  std::string_view structure;  ///< empty: the argument is no structure
  std::uint32_t bytes;
};

/// Of files of devices and groups.
inline constexpr CallRow kVfioDeviceCalls[] = {
    {kVfioGroupGetStatus, "VFIO_GROUP_GET_STATUS", "VfioGroupStatus", sizeof(VfioGroupStatus)},
    {kVfioGroupSetContainer, "VFIO_GROUP_SET_CONTAINER", "", 0},
    {kVfioGroupUnsetContainer, "VFIO_GROUP_UNSET_CONTAINER", "", 0},
    {kVfioGroupGetDeviceFd, "VFIO_GROUP_GET_DEVICE_FD", "", 0},
    {kVfioDeviceGetInfo, "VFIO_DEVICE_GET_INFO", "VfioDeviceInfo", sizeof(VfioDeviceInfo)},
    {kVfioDeviceGetRegionInfo, "VFIO_DEVICE_GET_REGION_INFO", "VfioRegionInfo", sizeof(VfioRegionInfo)},
    {kVfioDeviceGetIrqInfo, "VFIO_DEVICE_GET_IRQ_INFO", "VfioIrqInfo", sizeof(VfioIrqInfo)},
    {kVfioDeviceSetIrqs, "VFIO_DEVICE_SET_IRQS", "VfioIrqSet", sizeof(VfioIrqSet)},
    {kVfioDeviceReset, "VFIO_DEVICE_RESET", "", 0},
    {kVfioDeviceGetPciHotResetInfo, "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO", "VfioPciHotReset", sizeof(VfioPciHotReset)},
    {kVfioDevicePciHotReset, "VFIO_DEVICE_PCI_HOT_RESET", "VfioPciHotReset", sizeof(VfioPciHotReset)},
    {kVfioDeviceIoeventfd, "VFIO_DEVICE_IOEVENTFD", "", 0},
    {kVfioDeviceFeature, "VFIO_DEVICE_FEATURE", "VfioDeviceFeature", sizeof(VfioDeviceFeature)},
    {kVfioDeviceBindIommufd, "VFIO_DEVICE_BIND_IOMMUFD", "VfioDeviceBindIommufd", sizeof(VfioDeviceBindIommufd)},
    {kVfioDeviceAttachIommufdPt, "VFIO_DEVICE_ATTACH_IOMMUFD_PT", "VfioDeviceAttachIommufdPt",
     sizeof(VfioDeviceAttachIommufdPt)},
    {kVfioDeviceDetachIommufdPt, "VFIO_DEVICE_DETACH_IOMMUFD_PT", "VfioDeviceDetachIommufdPt",
     sizeof(VfioDeviceDetachIommufdPt)},
};

/// Of contexts, beside kIommuIoctls.
inline constexpr CallRow kContainerCalls[] = {
    {kVfioGetApiVersion, "VFIO_GET_API_VERSION", "", 0},
    {kVfioCheckExtension, "VFIO_CHECK_EXTENSION", "", 0},
    {kVfioSetIommu, "VFIO_SET_IOMMU", "", 0},
    {kVfioIommuGetInfo, "VFIO_IOMMU_GET_INFO", "VfioIommuType1Info", sizeof(VfioIommuType1Info)},
    {kVfioIommuMapDma, "VFIO_IOMMU_MAP_DMA", "VfioIommuType1DmaMap", sizeof(VfioIommuType1DmaMap)},
    {kVfioIommuUnmapDma, "VFIO_IOMMU_UNMAP_DMA", "VfioIommuType1DmaUnmap", sizeof(VfioIommuType1DmaUnmap)},
    {kVfioIommuDirtyPages, "VFIO_IOMMU_DIRTY_PAGES", "", 0},
    {0x3BA0, "IOMMU_TEST_CMD", "", 0},
};

}  // namespace iommusim::uapi
