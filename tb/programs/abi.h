/* SPDX-License-Identifier: Apache-2.0
 * The interface of /dev/iommu and of its test command as a C program sees it, written from the published layouts, and
 * short names for the calls. Nothing of the implementation is included.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;

#define PAGE 4096ULL
#define MOCK_PAGE 2048ULL
#define MOCK_START 0x01000000ULL
#define MOCK_LAST 0x7FFFFFFFULL

enum {
  DESTROY = 0x3B80,
  IOAS_ALLOC = 0x3B81,
  IOAS_ALLOW_IOVAS = 0x3B82,
  IOAS_COPY = 0x3B83,
  IOAS_IOVA_RANGES = 0x3B84,
  IOAS_MAP = 0x3B85,
  IOAS_UNMAP = 0x3B86,
  OPTION = 0x3B87,
  HWPT_ALLOC = 0x3B89,
  GET_HW_INFO = 0x3B8A,
  HWPT_SET_DIRTY = 0x3B8B,
  HWPT_GET_DIRTY = 0x3B8C,
  HWPT_INVALIDATE = 0x3B8D,
  FAULT_QUEUE_ALLOC = 0x3B8E,
  IOAS_MAP_FILE = 0x3B8F,
  VIOMMU_ALLOC = 0x3B90,
  VDEVICE_ALLOC = 0x3B91,
  VEVENTQ_ALLOC = 0x3B93,
  HW_QUEUE_ALLOC = 0x3B94,
  TEST_COMMAND = 0x3BA0,
};

enum { FIXED = 1, WRITEABLE = 2, READABLE = 4, RW = 6 };
enum { NEST_PARENT = 1, DIRTY_TRACKING = 2, FAULT_ID_VALID = 4, FOR_PASID = 8 };

struct destroy {
  u32 size, id;
};
struct ioas_alloc {
  u32 size, flags, out_id;
};
struct iova_range {
  u64 start, last;
};
struct iova_ranges {
  u32 size, ioas, count, reserved;
  u64 array, alignment;
};
struct allow_iovas {
  u32 size, ioas, count, reserved;
  u64 array;
};
struct ioas_map {
  u32 size, flags, ioas, reserved;
  u64 va, length, iova;
};
struct ioas_map_file {
  u32 size, flags, ioas;
  s32 fd;
  u64 start, length, iova;
};
struct ioas_copy {
  u32 size, flags, to, from;
  u64 length, to_iova, from_iova;
};
struct ioas_unmap {
  u32 size, ioas;
  u64 iova, length;
};
struct option {
  u32 size, id;
  u16 op, reserved;
  u32 object;
  u64 value;
};
struct hwpt_alloc {
  u32 size, flags, dev, pt, out_hwpt, reserved, data_type, data_len;
  u64 data;
  u32 fault, reserved2;
};
struct hw_info {
  u32 size, flags, dev, data_len;
  u64 data;
  u32 type;
  unsigned char pasid_log2, reserved[3];
  u64 caps;
};
struct set_dirty {
  u32 size, flags, hwpt, reserved;
};
struct get_dirty {
  u32 size, hwpt, flags, reserved;
  u64 iova, length, page_size, bitmap;
};
struct invalidate {
  u32 size, id;
  u64 data;
  u32 type, entry_len, entry_num, reserved;
};
struct fault_alloc {
  u32 size, flags, out_id;
  s32 out_fd;
};
struct viommu_alloc {
  u32 size, flags, type, dev, hwpt, out_id, data_len, reserved;
  u64 data;
};
struct vdevice_alloc {
  u32 size, viommu, dev, out_id;
  u64 virt_id;
};
struct veventq_alloc {
  u32 size, flags, viommu, type, depth, out_id;
  s32 out_fd;
  u32 reserved;
};
struct hw_queue_alloc {
  u32 size, flags, viommu, type, index, out_id;
  u64 iova, length;
};
struct page_fault {
  u32 flags, dev, pasid, grpid, perm, reserved;
  u64 addr;
  u32 length, cookie;
};
struct page_response {
  u32 cookie, code;
};

/* The union of the test command: words at bytes 16 to 63. */
struct test_command {
  u32 size, op, id, reserved;
  union {
    u32 w[12];
    s32 s[12];
    u64 q[6];
  } u;
  u32 last;
};

_Static_assert(sizeof(struct iova_ranges) == 32 && sizeof(struct ioas_map) == 40, "");
_Static_assert(sizeof(struct ioas_copy) == 40 && sizeof(struct ioas_unmap) == 24, "");
_Static_assert(sizeof(struct hwpt_alloc) == 48 && sizeof(struct hw_info) == 40, "");
_Static_assert(sizeof(struct get_dirty) == 48 && sizeof(struct invalidate) == 32, "");
_Static_assert(sizeof(struct viommu_alloc) == 40 && sizeof(struct veventq_alloc) == 32, "");
_Static_assert(sizeof(struct hw_queue_alloc) == 40 && sizeof(struct page_fault) == 40, "");
_Static_assert(sizeof(struct test_command) == 72, "");

enum { ONLY_NO_DIRTY = 1, WITH_PASID = 4 };
enum { MOCK_HWPT_TYPE = 0xdead, MOCK_WORD = 0xbadbeef };
#define MOCK_TYPE 0xdeadbeefU
#define MOCK_EVENT_TYPE 0xbeefbeefU
#define MOCK_INFO_TYPE 0xfeedbeefU

static int node = -1;

static u64 address(const void* pointer) { return (u64)(uintptr_t)pointer; }

static int open_node(void) {
  node = open("/dev/iommu", O_RDWR | O_CLOEXEC);
  return node;
}

static unsigned char* memory(u64 bytes) {
  void* at = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? 0 : at;
}

static int destroy(u32 id) {
  struct destroy call = {sizeof call, id};
  return ioctl(node, DESTROY, &call);
}

static u32 new_ioas(void) {
  struct ioas_alloc call = {sizeof call, 0, 0};
  return ioctl(node, IOAS_ALLOC, &call) ? 0 : call.out_id;
}

static int map_flags(u32 ioas, const void* at, u64 length, u64* iova, u32 flags) {
  struct ioas_map call = {sizeof call, flags, ioas, 0, address(at), length, *iova};
  int result = ioctl(node, IOAS_MAP, &call);
  *iova = call.iova;
  return result;
}

static int map_at(u32 ioas, const void* at, u64 length, u64 iova) {
  return map_flags(ioas, at, length, &iova, FIXED | RW);
}

static int map_anywhere(u32 ioas, const void* at, u64 length, u64* iova) {
  *iova = 0;
  return map_flags(ioas, at, length, iova, RW);
}

static int map_file_at(u32 ioas, int fd, u64 start, u64 length, u64 iova) {
  struct ioas_map_file call = {sizeof call, FIXED | RW, ioas, fd, start, length, iova};
  return ioctl(node, IOAS_MAP_FILE, &call);
}

static int copy_flags(u32 from, u64 from_iova, u64 length, u32 to, u64* to_iova, u32 flags) {
  struct ioas_copy call = {sizeof call, flags, to, from, length, *to_iova, from_iova};
  int result = ioctl(node, IOAS_COPY, &call);
  *to_iova = call.to_iova;
  return result;
}

static int copy_at(u32 from, u64 from_iova, u64 length, u32 to, u64 to_iova) {
  return copy_flags(from, from_iova, length, to, &to_iova, FIXED | RW);
}

static int unmap(u32 ioas, u64 iova, u64 length) {
  struct ioas_unmap call = {sizeof call, ioas, iova, length};
  return ioctl(node, IOAS_UNMAP, &call);
}

static int test_command(u32 op, u32 id, struct test_command* call) {
  call->size = sizeof *call;
  call->op = op;
  call->id = id;
  return ioctl(node, TEST_COMMAND, call);
}

struct mock {
  u32 stdev, hwpt, idev;
};

static int mock_domain(u32 pt, u32 flags, struct mock* out) {
  struct test_command call = {0};
  call.u.w[3] = flags;
  if (test_command(12, pt, &call)) return -1;
  out->stdev = call.u.w[0];
  out->hwpt = call.u.w[1];
  out->idev = call.u.w[2];
  return 0;
}

static int mock_replace(u32 stdev, u32 pt) {
  struct test_command call = {0};
  call.u.w[0] = pt;
  return test_command(10, stdev, &call);
}

static int check_map(u32 hwpt, u64 iova, u64 length, const void* at) {
  struct test_command call = {0};
  call.u.q[0] = iova;
  call.u.q[1] = length;
  call.u.q[2] = address(at);
  return test_command(3, hwpt, &call);
}

static int check_refs(const void* at, u64 length, u32 refs) {
  struct test_command call = {0};
  call.u.q[0] = length;
  call.u.q[1] = address(at);
  call.u.w[4] = refs;
  return test_command(4, 0, &call);
}

static int create_access(u32 ioas, u32 flags, int* fd) {
  struct test_command call = {0};
  call.u.w[1] = flags;
  if (test_command(5, ioas, &call)) return -1;
  *fd = call.u.s[0];
  return 0;
}

static int access_pin(int fd, u64 iova, u64 length, const void* at, u32 flags, u32* number) {
  struct test_command call = {0};
  call.u.w[0] = flags;
  call.u.q[1] = iova;
  call.u.q[2] = length;
  call.u.q[3] = address(at);
  if (test_command(7, (u32)fd, &call)) return -1;
  *number = call.u.w[1];
  return 0;
}

static int access_unpin(int fd, u32 number) {
  struct test_command call = {0};
  call.u.w[0] = number;
  return test_command(6, (u32)fd, &call);
}

static int access_rw(int fd, u64 iova, u64 length, void* at, u32 flags) {
  struct test_command call = {0};
  call.u.q[0] = iova;
  call.u.q[1] = length;
  call.u.q[2] = address(at);
  call.u.w[6] = flags;
  return test_command(8, (u32)fd, &call);
}

static int access_replace(int fd, u32 ioas) {
  struct test_command call = {0};
  call.u.w[0] = ioas;
  return test_command(11, (u32)fd, &call);
}

static int memory_limit(u32 bytes) {
  struct test_command call = {0};
  call.u.w[0] = bytes;
  return test_command(9, 0, &call);
}

static int alloc_hwpt(u32 dev, u32 pt, u32 flags, u32 type, const void* data, u32 length, u32 fault, u32* out) {
  struct hwpt_alloc call = {sizeof call, flags, dev, pt, 0, 0, type, length, address(data), fault, 0};
  if (ioctl(node, HWPT_ALLOC, &call)) return -1;
  *out = call.out_hwpt;
  return 0;
}

static int alloc_nested(u32 dev, u32 pt, u32 flags, u32 fault, u32* out) {
  u32 data[2] = {MOCK_WORD, 0};
  return alloc_hwpt(dev, pt, flags, MOCK_HWPT_TYPE, data, sizeof data, fault, out);
}

static int check_iotlb(u32 hwpt, u32 index, u32 word) {
  struct test_command call = {0};
  call.u.w[0] = index;
  call.u.w[1] = word;
  return test_command(14, hwpt, &call);
}

static int check_cache(u32 dev, u32 index, u32 word) {
  struct test_command call = {0};
  call.u.w[0] = index;
  call.u.w[1] = word;
  return test_command(16, dev, &call);
}

static int pasid_command(u32 op, u32 stdev, u32 pasid, u32* pt) {
  struct test_command call = {0};
  int result;
  call.u.w[0] = pasid;
  call.u.w[1] = pt ? *pt : 0;
  result = test_command(op, stdev, &call);
  if (!result && pt) *pt = call.u.w[1];
  return result;
}
