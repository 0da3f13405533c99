// SPDX-License-Identifier: Apache-2.0
// The test command of /dev/iommu (0x3BA0) and the structures of the mock hardware that it drives, as programs written
// for the kernel's interface lay them out; every offset is asserted. The command's number carries neither size nor
// direction, its union is chosen by `op`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "uapi/ioctls.h"

namespace iommusim::uapi {

inline constexpr std::uint32_t kIommuTestNr = 0xA0;
inline constexpr std::uint32_t kIommuTest = iommu_command(kIommuTestNr);

enum IommuTestOp : std::uint32_t {
  kTestAddReserved = 1,
  kTestMockDomain = 2,
  kTestCheckMap = 3,
  kTestCheckRefs = 4,
  kTestCreateAccess = 5,
  kTestDestroyAccessPages = 6,
  kTestAccessPages = 7,
  kTestAccessRw = 8,
  kTestSetTempMemoryLimit = 9,
  kTestMockDomainReplace = 10,
  kTestAccessReplaceIoas = 11,
  kTestMockDomainFlags = 12,
  kTestDirty = 13,
  kTestCheckIotlb = 14,
  kTestTriggerIopf = 15,
  kTestDeviceCheckCache = 16,
  kTestTriggerVevent = 17,
  kTestPasidAttach = 18,
  kTestPasidReplace = 19,
  kTestPasidDetach = 20,
  kTestPasidCheckHwpt = 21,
  kTestDmabufGet = 22,
  kTestDmabufRevoke = 23,
};

// Flags of access operations, of devices (op 12), and of IOAS_COPY in a test build.
inline constexpr std::uint32_t kTestAccessNeedsPin = 1;
inline constexpr std::uint32_t kTestAccessWrite = 1;
inline constexpr std::uint32_t kTestAccessSlowPath = 4;
inline constexpr std::uint32_t kTestSyz = 1U << 16;  ///< an IOVA is {u32 number of the area, u32 offset in it}
inline constexpr std::uint32_t kTestDeviceNoDirty = 1;
inline constexpr std::uint32_t kTestDevicePasid = 4;

struct IommuTestCmd {
  std::uint32_t size;
  std::uint32_t op;
  std::uint32_t id;
  std::uint32_t reserved;
  union {
    struct {
      std::uint64_t start, length;
    } add_reserved;
    struct {
      std::uint32_t out_stdev_id, out_hwpt_id, out_idev_id, dev_flags;
    } mock_domain;  ///< ops 2 and 12; op 2 has no flags
    struct {
      std::uint64_t iova, length, uptr;
    } check_map;
    struct {
      std::uint64_t length, uptr;
      std::uint32_t refs;
    } check_refs;
    struct {
      std::int32_t out_access_fd;
      std::uint32_t flags;
    } create_access;
    struct {
      std::uint32_t access_pages_id;
    } destroy_access_pages;
    struct {
      std::uint32_t flags, out_access_pages_id;
      std::uint64_t iova, length, uptr;
    } access_pages;
    struct {
      std::uint64_t iova, length, uptr;
      std::uint32_t flags;
    } access_rw;
    struct {
      std::uint32_t limit;
    } memory_limit;
    struct {
      std::uint32_t pt_id;
    } mock_domain_replace;
    struct {
      std::uint32_t ioas_id;
    } access_replace_ioas;
    struct {
      std::uint32_t flags;
      std::uint64_t iova, length, page_size, uptr, out_nr_dirty;
    } dirty;
    struct {
      std::uint32_t id, iotlb;
    } check_iotlb;
    struct {
      std::uint32_t dev_id, pasid, grpid, perm;
      std::uint64_t addr;
    } trigger_iopf;
    struct {
      std::uint32_t id, cache;
    } check_device_cache;
    struct {
      std::uint32_t dev_id;
    } trigger_vevent;
    struct {
      std::uint32_t pasid, pt_id;
    } pasid_attach;  ///< ops 18, 19, and (pasid alone) 20
    struct {
      std::uint32_t pasid, hwpt_id;
    } pasid_check;
    struct {
      std::uint32_t length, open_flags;
    } dmabuf_get;
    struct {
      std::int32_t dmabuf_fd;
      std::uint32_t revoked;
    } dmabuf_revoke;
  };
  std::uint32_t last;
};
static_assert(sizeof(IommuTestCmd) == 72 && offsetof(IommuTestCmd, op) == 4 && offsetof(IommuTestCmd, id) == 8);
static_assert(offsetof(IommuTestCmd, reserved) == 12 && offsetof(IommuTestCmd, last) == 64);

#define IOMMUSIM_AT(member, offset) static_assert(offsetof(IommuTestCmd, member) == (offset))
#define IOMMUSIM_BYTES(member, bytes) static_assert(sizeof(IommuTestCmd::member) == (bytes))
IOMMUSIM_AT(add_reserved.start, 16);
IOMMUSIM_AT(add_reserved.length, 24);
IOMMUSIM_BYTES(add_reserved, 16);
IOMMUSIM_AT(mock_domain.out_stdev_id, 16);
IOMMUSIM_AT(mock_domain.out_hwpt_id, 20);
IOMMUSIM_AT(mock_domain.out_idev_id, 24);
IOMMUSIM_AT(mock_domain.dev_flags, 28);
IOMMUSIM_BYTES(mock_domain, 16);
IOMMUSIM_AT(check_map.iova, 16);
IOMMUSIM_AT(check_map.length, 24);
IOMMUSIM_AT(check_map.uptr, 32);
IOMMUSIM_BYTES(check_map, 24);
IOMMUSIM_AT(check_refs.length, 16);
IOMMUSIM_AT(check_refs.uptr, 24);
IOMMUSIM_AT(check_refs.refs, 32);
IOMMUSIM_BYTES(check_refs, 24);
IOMMUSIM_AT(create_access.out_access_fd, 16);
IOMMUSIM_AT(create_access.flags, 20);
IOMMUSIM_BYTES(create_access, 8);
IOMMUSIM_AT(destroy_access_pages.access_pages_id, 16);
IOMMUSIM_BYTES(destroy_access_pages, 4);
IOMMUSIM_AT(access_pages.flags, 16);
IOMMUSIM_AT(access_pages.out_access_pages_id, 20);
IOMMUSIM_AT(access_pages.iova, 24);
IOMMUSIM_AT(access_pages.length, 32);
IOMMUSIM_AT(access_pages.uptr, 40);
IOMMUSIM_BYTES(access_pages, 32);
IOMMUSIM_AT(access_rw.iova, 16);
IOMMUSIM_AT(access_rw.length, 24);
IOMMUSIM_AT(access_rw.uptr, 32);
IOMMUSIM_AT(access_rw.flags, 40);
IOMMUSIM_BYTES(access_rw, 32);
IOMMUSIM_AT(memory_limit.limit, 16);
IOMMUSIM_AT(mock_domain_replace.pt_id, 16);
IOMMUSIM_AT(access_replace_ioas.ioas_id, 16);
IOMMUSIM_AT(dirty.flags, 16);
IOMMUSIM_AT(dirty.iova, 24);
IOMMUSIM_AT(dirty.length, 32);
IOMMUSIM_AT(dirty.page_size, 40);
IOMMUSIM_AT(dirty.uptr, 48);
IOMMUSIM_AT(dirty.out_nr_dirty, 56);
IOMMUSIM_BYTES(dirty, 48);
IOMMUSIM_AT(check_iotlb.id, 16);
IOMMUSIM_AT(check_iotlb.iotlb, 20);
IOMMUSIM_AT(trigger_iopf.dev_id, 16);
IOMMUSIM_AT(trigger_iopf.pasid, 20);
IOMMUSIM_AT(trigger_iopf.grpid, 24);
IOMMUSIM_AT(trigger_iopf.perm, 28);
IOMMUSIM_AT(trigger_iopf.addr, 32);
IOMMUSIM_BYTES(trigger_iopf, 24);
IOMMUSIM_AT(check_device_cache.id, 16);
IOMMUSIM_AT(check_device_cache.cache, 20);
IOMMUSIM_AT(trigger_vevent.dev_id, 16);
IOMMUSIM_AT(pasid_attach.pasid, 16);
IOMMUSIM_AT(pasid_attach.pt_id, 20);
IOMMUSIM_BYTES(pasid_attach, 8);
IOMMUSIM_AT(pasid_check.pasid, 16);
IOMMUSIM_AT(pasid_check.hwpt_id, 20);
IOMMUSIM_AT(dmabuf_get.length, 16);
IOMMUSIM_AT(dmabuf_get.open_flags, 20);
IOMMUSIM_AT(dmabuf_revoke.dmabuf_fd, 16);
IOMMUSIM_AT(dmabuf_revoke.revoked, 20);
#undef IOMMUSIM_AT
#undef IOMMUSIM_BYTES

inline constexpr IoctlRow kIommuTestRow = {
    kIommuTest, "Test", "IommuTestCmd", sizeof(IommuTestCmd), 68, Reply::kNothing, "drives the mock hardware of tests"};

// The mock hardware. Its type numbers:
inline constexpr std::uint32_t kMockHwInfoType = 0xfeedbeef;
inline constexpr std::uint32_t kMockHwptType = 0xdead;
inline constexpr std::uint32_t kMockHwptInvalidateType = 0xdeadbeef;
inline constexpr std::uint32_t kMockViommuType = 0xdeadbeef;
inline constexpr std::uint32_t kMockViommuInvalidateType = 0xdeadbeef;
inline constexpr std::uint32_t kMockVeventType = 0xbeefbeef;
inline constexpr std::uint32_t kMockHwQueueType = 0xdeadbeef;

inline constexpr std::uint32_t kMockTestRegister = 0xdeadbeef;
inline constexpr std::uint32_t kMockDeviceCacheDefault = 0xbaddad;
inline constexpr std::uint32_t kMockInvalidateAll = 1;
inline constexpr unsigned kMockWords = 4;  ///< of a nested page table's IOTLB, and of a device's cache
inline constexpr unsigned kMockHwQueues = 2;
inline constexpr unsigned kMockPasidWidth = 20;
inline constexpr std::uint32_t kMockPasidOfErrors = 1024;
inline constexpr std::uint32_t kMockKindDefault = 0;
inline constexpr std::uint32_t kMockKindHuge = 1;

struct MockHwInfo {
  std::uint32_t flags, test_reg;
};
static_assert(sizeof(MockHwInfo) == 8);

struct MockHwptData {
  std::uint32_t iotlb, pagetable_type;
};
static_assert(sizeof(MockHwptData) == 8 && offsetof(MockHwptData, pagetable_type) == 4);

struct MockHwptInvalidate {
  std::uint32_t flags, iotlb_id;
};
static_assert(sizeof(MockHwptInvalidate) == 8);

struct MockViommuData {
  std::uint32_t in_data, out_data;
  std::uint64_t out_mmap_offset, out_mmap_length;
};
static_assert(sizeof(MockViommuData) == 24 && offsetof(MockViommuData, out_mmap_offset) == 8);
static_assert(offsetof(MockViommuData, out_mmap_length) == 16);

struct MockViommuInvalidate {
  std::uint32_t flags, vdev_id, cache_id;
};
static_assert(sizeof(MockViommuInvalidate) == 12 && offsetof(MockViommuInvalidate, cache_id) == 8);

struct MockVevent {
  std::uint32_t virt_id;
};
static_assert(sizeof(MockVevent) == 4);

}  // namespace iommusim::uapi
