// SPDX-License-Identifier: Apache-2.0
// The DMA engine under a program: a ring of descriptors in the program's memory, copies and fills, an interrupt by
// MSI-X, and results that are there when it comes.
#include "device.h"

struct descriptor {
  uint32_t operation, bytes;
  uint64_t source, destination;
  volatile uint32_t outcome, count;
};

int main(void) {
  int iommu = open_iommu(), device = open_device("0x1234", "0x11ea");
  bind_device(device, iommu);
  uint32_t ioas = new_ioas(iommu);
  attach_device(device, ioas);
  enable_device(device);
  int event = interrupt(device, kMsix, 2);
  uint64_t size = 0, iova = 0;
  volatile uint8_t* bar = map_bar(device, 0, &size);
  CHECK(*(volatile uint32_t*)bar == 0x31414d44);

  unsigned char* memory = pages(64, MAP_SHARED);
  CHECK(map_pages(iommu, ioas, memory, 64 * 4096, kReadable | kWriteable, &iova) == 0);
  struct descriptor* ring = (struct descriptor*)memory;
  for (int i = 0; i < 65536; ++i) memory[65536 + i] = (unsigned char)(i * 11);
  ring[0] = (struct descriptor){0, 65536, iova + 65536, iova + 131072, 0, 0};
  ring[1] = (struct descriptor){1 | 0x100, 4096, 0x4242424242424242, iova + 4096, 0, 0};

  volatile uint8_t* channel = bar + 0x1000 + 2 * 0x40;
  *(volatile uint64_t*)channel = iova;
  *(volatile uint32_t*)(channel + 8) = 16;
  *(volatile uint32_t*)(channel + 12) = 1;
  *(volatile uint32_t*)(channel + 16) = 2;
  CHECK(wait_interrupt(event) == 1);
  CHECK(ring[0].outcome == 1 && ring[1].outcome == 1 && ring[1].count == 2);
  CHECK(memcmp(memory + 65536, memory + 131072, 65536) == 0);
  CHECK(memory[4096] == 0x42 && memory[8191] == 0x42 && memory[8192] == 0);
  puts("done");
  return 0;
}
