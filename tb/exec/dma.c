// SPDX-License-Identifier: Apache-2.0
// The PCI test device under a program that takes it over: registers behind a mapping, DMA to the program's memory, an
// interrupt by an eventfd, a transfer that is not allowed, memory that the program unmapped, a handler of its own.
#include <setjmp.h>
#include <signal.h>

#include "device.h"

static sigjmp_buf back;
static void on_fault(int signal) {
  (void)signal;
  siglongjmp(back, 1);
}

int main(void) {
  int iommu = open_iommu(), device = open_device("0x1234", "0x11e9");
  bind_device(device, iommu);
  uint32_t ioas = new_ioas(iommu);
  attach_device(device, ioas);
  enable_device(device);
  int event = interrupt(device, kMsi, 0);
  uint64_t size = 0;
  volatile uint8_t* bar = map_bar(device, 0, &size);
  CHECK(size == 4096);

  unsigned char* buffer = pages(2, MAP_PRIVATE);
  for (int i = 0; i < 4096; ++i) buffer[i] = (unsigned char)(i * 7 + 3);
  uint64_t iova = 0;
  CHECK(map_pages(iommu, ioas, buffer, 8192, kReadable | kWriteable, &iova) == 0);

  test_start(bar, iova, 2);
  CHECK(wait_interrupt(event) == 1);
  CHECK(test_wait(bar) == 1);
  test_start(bar, iova + 4096, 0);
  CHECK(test_wait(bar) == 1);
  CHECK(memcmp(buffer, buffer + 4096, 4096) == 0);
  CHECK(wait_interrupt(event) == 1);

  // Accesses of all sizes.
  *(volatile uint64_t*)bar = 0x1122334455667788;
  CHECK(bar[0] == 0x88 && *(volatile uint16_t*)(bar + 2) == 0x5566 && *(volatile uint32_t*)(bar + 4) == 0x11223344);
  bar[7] = 0xee;
  CHECK(*(volatile uint64_t*)bar == 0xee22334455667788);

  // What the program takes away while it is pinned keeps its bytes for the device.
  memset(buffer, 0x5a, 4096);
  CHECK(munmap(buffer, 8192) == 0);
  test_start(bar, iova, 2);
  CHECK(test_wait(bar) == 1);
  unsigned char* again = pages(1, MAP_PRIVATE);
  uint64_t second = 0;
  CHECK(map_pages(iommu, ioas, again, 4096, kReadable | kWriteable, &second) == 0);
  test_start(bar, second, 0);
  CHECK(test_wait(bar) == 1);
  for (int i = 0; i < 4096; ++i) CHECK(again[i] == 0x5a);

  // What is not mapped fails.
  CHECK(unmap_pages(iommu, ioas, second, 4096) == 0);
  test_start(bar, second, 0);
  CHECK(test_wait(bar) == 2);

  // Registers with a handler of the program's own, and a fault that is the program's.
  signal(SIGSEGV, on_fault);
  test_start(bar, iova, 2);
  CHECK(test_wait(bar) == 1);
  if (sigsetjmp(back, 1) == 0) {
    volatile char* volatile nowhere = (volatile char*)(uintptr_t)8;
    *nowhere = 1;
    CHECK(!"a write to nowhere");
  }
  volatile uint8_t* gone = bar;
  CHECK(munmap((void*)bar, 4096) == 0);
  if (sigsetjmp(back, 1) == 0) {
    gone[0] = 1;
    CHECK(!"a write to registers that are not mapped any more");
  }
  CHECK(ioctl(device, kReset) == 0);
  CHECK(close(device) == 0);
  CHECK(close(iommu) == 0);
  puts("done");
  return 0;
}
