/* SPDX-License-Identifier: Apache-2.0
 * Maps two pages, attaches the test device, and lets it copy one page over the other; the end comes as an interrupt.
 * dma [/dev/vfio/devices/vfio0]
 */
#include "examples.h"
#include "test_device.h"

static _Alignas(4096) unsigned char pages[2][kBytes];

/* One transfer; waits for its interrupt. */
static int transfer_with_interrupt(const struct ioc_system* system, struct ioc_device* device, int event, uint64_t iova,
                                   bool from_memory) {
  uint64_t count = 0;
  start_transfer(device, iova, from_memory);
  return system->read(system->self, event, &count, sizeof count) == (ssize_t)sizeof count ? 0 : -1;
}

static int use(struct ioc_context* ioc, struct ioc_device* device) {
  const struct ioc_system* const system = ioc_system_of(ioc);
  uint32_t ioas = 0;
  uint64_t iova = 0;
  memset(pages[0], 0x5A, kBytes);
  memset(pages[1], 0, kBytes);
  if (failed("address space", ioc_ioas_alloc(ioc, &ioas))) return 1;
  if (failed("map", ioc_map(ioc, ioas, pages, sizeof pages, IOC_READ | IOC_WRITE, &iova))) return 1;
  if (failed("attach", ioc_attach(device, ioas, NULL))) return 1;
  if (failed("bus mastering", ioc_bus_master(device, true))) return 1;
  const int32_t event = system->eventfd(system->self);
  if (failed("eventfd", event)) return 1;
  const unsigned kind = ioc_irq_count(device, IOC_MSIX) > 0 ? IOC_MSIX : IOC_MSI;
  if (failed("interrupt", ioc_irq_enable(device, kind, &event, 1))) return 1;
  if (transfer_with_interrupt(system, device, event, iova, true)) return 1;
  if (transfer_with_interrupt(system, device, event, iova + kBytes, false)) return 1;
  if (failed("interrupt", ioc_irq_disable(device, kind))) return 1;
  system->close(system->self, event);
  if (memcmp(pages[0], pages[1], kBytes) != 0) {
    fprintf(stderr, "the second page is not a copy of the first\n");
    return 1;
  }
  uint64_t removed = 0;
  if (failed("unmap", ioc_unmap(ioc, ioas, iova, sizeof pages, &removed))) return 1;
  printf("dma: copied %d bytes by the device, unmapped %llu\n", kBytes, (unsigned long long)removed);
  return 0;
}

int example_dma(const struct ioc_system* system, const char* path) {
  struct ioc_context* ioc = NULL;
  struct ioc_device* device = NULL;
  if (failed("/dev/iommu", ioc_open(system, &ioc))) return 1;
  int result = failed(path, ioc_device_open(ioc, path, &device));
  if (!result) result = use(ioc, device);
  ioc_device_close(device);
  ioc_close(ioc);
  return result;
}
