// SPDX-License-Identifier: Apache-2.0
// A page table with a fault queue: the device asks for a page, the program maps it and answers, the device tries again;
// an answer that refuses ends the transfer.
#include "device.h"

struct hwpt_alloc {
  uint32_t size, flags, dev, pt, out, reserved, data_type, data_len;
  uint64_t data;
  uint32_t fault, reserved2;
};
struct page_fault {
  uint32_t flags, dev, pasid, group, perm, reserved;
  uint64_t addr;
  uint32_t length, cookie;
};
struct page_response {
  uint32_t cookie, code;
};

static struct page_fault take_fault(int queue) {
  struct pollfd p = {.fd = queue, .events = POLLIN};
  struct page_fault f;
  CHECK(poll(&p, 1, 20000) == 1);
  CHECK(read(queue, &f, sizeof f) == (ssize_t)sizeof f);
  return f;
}
static void answer(int queue, uint32_t cookie, uint32_t code) {
  struct page_response r = {cookie, code};
  CHECK(write(queue, &r, sizeof r) == (ssize_t)sizeof r);
}

int main(void) {
  int iommu = open_iommu(), device = open_device("0x1234", "0x11e9");
  uint32_t id = bind_device(device, iommu), ioas = new_ioas(iommu);
  struct fault_alloc q = {.size = sizeof q};
  CHECK(ioctl(iommu, kFaultAlloc, &q) == 0);
  struct hwpt_alloc h = {.size = sizeof h, .flags = 4, .dev = id, .pt = ioas, .fault = q.id};
  CHECK(ioctl(iommu, 0x3B89, &h) == 0);
  attach_device(device, h.out);
  enable_device(device);
  uint64_t size = 0;
  volatile void* bar = map_bar(device, 0, &size);
  unsigned char* buffer = pages(1, MAP_PRIVATE);
  memset(buffer, 0xa5, 4096);

  const uint64_t iova = 0x7000000;
  test_start(bar, iova, 2);
  struct page_fault f = take_fault((int)q.fd);
  CHECK(f.dev == id && f.addr == iova && (f.perm & 1) != 0);
  struct ioas_map m = {.size = sizeof m,
                       .flags = kFixed | kReadable | kWriteable,
                       .ioas = ioas,
                       .va = (uintptr_t)buffer,
                       .length = 4096,
                       .iova = iova};
  CHECK(ioctl(iommu, kIoasMap, &m) == 0);
  answer((int)q.fd, f.cookie, 0);
  CHECK(test_wait(bar) == 1);

  test_start(bar, iova + 0x100000, 0);
  f = take_fault((int)q.fd);
  CHECK(f.addr == iova + 0x100000 && (f.perm & 2) != 0);
  answer((int)q.fd, f.cookie, 1);
  CHECK(test_wait(bar) == 2);

  memset(buffer, 0, 4096);
  test_start(bar, iova, 0);
  CHECK(test_wait(bar) == 1);
  CHECK(buffer[0] == 0xa5 && buffer[4095] == 0xa5);
  puts("done");
  return 0;
}
