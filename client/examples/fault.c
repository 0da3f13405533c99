/* SPDX-License-Identifier: Apache-2.0
 * The test device is given an address that is not mapped; the page fault arrives here, the page is mapped, and the
 * device is told to try again. Needs a device that can ask for pages. fault [/dev/vfio/devices/vfio0]
 */
#include "examples.h"
#include "test_device.h"

enum { kIova = 0x10000000 };
static _Alignas(4096) unsigned char page[kBytes];

static int serve(struct ioc_context* ioc, struct ioc_device* device, uint32_t ioas, struct ioc_faults* faults) {
  int served = 0;
  for (start_transfer(device, kIova, true); transfer_runs(device);) {
    struct ioc_fault list[8];
    const int count = ioc_faults_read(faults, list, 8);
    if (failed("faults", count)) return 1;
    for (int i = 0; i < count; ++i) {
      const uint64_t at = list[i].address & ~(uint64_t)(kBytes - 1);
      if (failed("map", ioc_map_at(ioc, ioas, page, kBytes, IOC_READ | IOC_WRITE, at))) return 1;
      if (failed("answer", ioc_faults_answer(faults, list[i].cookie, true))) return 1;
      ++served;
    }
  }
  memset(page, 0, kBytes);
  transfer(device, kIova, false);
  if (served != 1 || page[0] != 0x77 || page[kBytes - 1] != 0x77) {
    fprintf(stderr, "%d faults, page holds 0x%x\n", served, page[0]);
    return 1;
  }
  printf("fault: one page asked for, mapped, and used\n");
  return 0;
}

int example_fault(const struct ioc_system* system, const char* path) {
  struct ioc_context* ioc = NULL;
  struct ioc_device* device = NULL;
  struct ioc_faults faults;
  uint32_t ioas = 0, hwpt = 0;
  memset(page, 0x77, kBytes);
  if (failed("/dev/iommu", ioc_open(system, &ioc))) return 1;
  int result = failed(path, ioc_device_open(ioc, path, &device)) || failed("space", ioc_ioas_alloc(ioc, &ioas)) ||
               failed("fault queue", ioc_faults_open(ioc, &faults));
  if (!result) {
    result = failed("page table", ioc_hwpt_alloc(ioc, ioc_device_id(device), ioas, 0, faults.id, &hwpt)) ||
             failed("attach", ioc_attach(device, hwpt, NULL)) ||
             failed("bus mastering", ioc_bus_master(device, true)) || serve(ioc, device, ioas, &faults);
    ioc_detach(device);
    if (hwpt) ioc_destroy(ioc, hwpt);
    ioc_faults_close(&faults);
  }
  ioc_device_close(device);
  ioc_close(ioc);
  return result;
}
