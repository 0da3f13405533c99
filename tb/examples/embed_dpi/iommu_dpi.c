/* SPDX-License-Identifier: Apache-2.0 */
/* Between the testbench and libiommusim: what DPI can carry (numbers, strings, handles) to and from the structures of
 * iommusim.h. Memory is the testbench's; its functions run in the scope that created the IOMMU. Valid C and C++. */
#include <iommusim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Viommu_tb__Dpi.h"
#include "svdpi.h"

typedef struct {
  iommusim_iommu* iommu;
  svScope scope;
} bench;

static iommusim_memory_status bench_read(void* user, uint64_t address, uint32_t bytes, void* data) {
  uint32_t done, part;
  svSetScope(((bench*)user)->scope);
  for (done = 0; done < bytes; done += part) {
    const uint64_t word = (uint64_t)memory_read((long long)((address + done) & ~UINT64_C(7)));
    const uint32_t skip = (uint32_t)((address + done) & 7);
    part = bytes < 8 ? bytes : 8;
    memcpy((char*)data + done, (const char*)&word + skip, part);
  }
  return IOMMUSIM_MEMORY_OK;
}

static iommusim_memory_status bench_write(void* user, uint64_t address, uint32_t bytes, const void* data) {
  uint32_t done, part;
  for (done = 0; done < bytes; done += part) {
    uint64_t word = 0;
    part = bytes < 8 ? bytes : 8;
    if (part < 8) bench_read(user, (address + done) & ~UINT64_C(7), 8, &word);
    memcpy((char*)&word + ((address + done) & 7), (const char*)data + done, part);
    svSetScope(((bench*)user)->scope);
    memory_write((long long)((address + done) & ~UINT64_C(7)), (long long)word);
  }
  return IOMMUSIM_MEMORY_OK;
}

static void bench_interrupt(void* user, uint32_t vector, int level) {
  svSetScope(((bench*)user)->scope);
  iommu_interrupt((int)vector, level);
}

static void bench_finished(void* user, const iommusim_result* result) {
  svSetScope(((bench*)user)->scope);
  iommu_finished((int)result->cookie, (long long)result->address, (int)result->cause,
                 (int)(result->done - result->accepted));
}

void* iommu_create(const char* yaml) {
  bench* const self = (bench*)calloc(1, sizeof *self);
  iommusim_host host;
  char* error;
  memset(&host, 0, sizeof host);
  host.size = sizeof host;
  host.user = self;
  host.read = bench_read;
  host.write = bench_write;
  host.interrupt = bench_interrupt;
  host.finished = bench_finished;
  self->scope = svGetScope();
  self->iommu = iommusim_create(yaml, &host, &error);
  if (self->iommu != NULL) return self;
  fprintf(stderr, "%s\n", error);
  iommusim_free(error);
  free(self);
  return NULL;
}

void iommu_destroy(void* handle) {
  iommusim_destroy(((bench*)handle)->iommu);
  free(handle);
}

int iommu_write(void* handle, int offset, int bytes, long long value) {
  return (int)iommusim_mmio_write(((bench*)handle)->iommu, (uint32_t)offset, (uint32_t)bytes, (uint64_t)value);
}

int iommu_submit(void* handle, int cookie, int device, long long iova, int write) {
  iommusim_request request;
  memset(&request, 0, sizeof request);
  request.device = (uint32_t)device;
  request.iova = (uint64_t)iova;
  request.bytes = 8;
  request.access = write ? IOMMUSIM_WRITE : IOMMUSIM_READ;
  return (int)iommusim_submit(((bench*)handle)->iommu, &request, (uint64_t)cookie);
}

int iommu_advance(void* handle, long long cycle) {
  return (int)iommusim_advance(((bench*)handle)->iommu, (uint64_t)cycle);
}
