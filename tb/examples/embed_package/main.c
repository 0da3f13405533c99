/* SPDX-License-Identifier: Apache-2.0 */
/* The least program that uses an installed libiommusim. */
#include <iommusim.h>
#include <stdio.h>

static iommusim_memory_status no_read(void* user, uint64_t address, uint32_t bytes, void* data) {
  (void)user, (void)address, (void)bytes, (void)data;
  return IOMMUSIM_MEMORY_ACCESS_FAULT;
}

static iommusim_memory_status no_write(void* user, uint64_t address, uint32_t bytes, const void* data) {
  (void)user, (void)address, (void)bytes, (void)data;
  return IOMMUSIM_MEMORY_ACCESS_FAULT;
}

int main(void) {
  iommusim_host host = {0};
  iommusim_iommu* iommu;
  uint64_t capabilities = 0;
  host.size = sizeof host;
  host.read = no_read;
  host.write = no_write;
  iommu = iommusim_create(NULL, &host, NULL);
  if (iommu == NULL || iommusim_abi() != IOMMUSIM_ABI) return 1;
  if (iommusim_mmio_read(iommu, 0, 8, &capabilities) != IOMMUSIM_OK) return 1;
  printf("iommusim %s, version 0x%x of the specification\n", iommusim_version(), (unsigned)(capabilities & 0xff));
  iommusim_destroy(iommu);
  return 0;
}
