/* SPDX-License-Identifier: Apache-2.0 */
/* The IOMMU inside a C program: 128 KiB of memory as an array, one device, one page, both modes. Everything a program has
 * to do is here: provide memory, write the tables, program the registers, ask, look at interrupt and fault record. */
#include <inttypes.h>
#include <iommusim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where things lie in memory. */
#define MEMORY UINT64_C(0x80000000)
#define MEMORY_BYTES UINT64_C(0x20000)
#define DIRECTORY (MEMORY + 0x1000) /* device directory, one level */
#define COMMANDS (MEMORY + 0x2000)
#define FAULTS (MEMORY + 0x3000)
#define TABLE(level) (MEMORY + 0x4000 + (level)*0x1000) /* Sv39 */
#define PAGE (MEMORY + 0x10000)

/* Registers (RISC-V IOMMU, "Memory-mapped register interface"). */
enum { FCTL = 8, DDTP = 16, CQB = 24, FQB = 40, FQT = 52, CQCSR = 72, FQCSR = 76 };

struct machine {
  iommusim_iommu* iommu;
  iommusim_result last;
  unsigned char memory[MEMORY_BYTES];
};

static unsigned char* at(struct machine* machine, uint64_t address, uint32_t bytes) {
  if (address < MEMORY || address - MEMORY > MEMORY_BYTES - bytes) return NULL;
  return machine->memory + (address - MEMORY);
}

static iommusim_memory_status read_memory(void* user, uint64_t address, uint32_t bytes, void* data) {
  const unsigned char* const from = at(user, address, bytes);
  if (from == NULL) return IOMMUSIM_MEMORY_ACCESS_FAULT;
  memcpy(data, from, bytes);
  return IOMMUSIM_MEMORY_OK;
}

static iommusim_memory_status write_memory(void* user, uint64_t address, uint32_t bytes, const void* data) {
  unsigned char* const to = at(user, address, bytes);
  if (to == NULL) return IOMMUSIM_MEMORY_ACCESS_FAULT;
  memcpy(to, data, bytes);
  return IOMMUSIM_MEMORY_OK;
}

static void interrupt(void* user, uint32_t vector, int level) {
  (void)user;
  printf("  interrupt %" PRIu32 " %s\n", vector, level ? "up" : "down");
}

static void finished(void* user, const iommusim_result* result) { ((struct machine*)user)->last = *result; }

static void store(struct machine* machine, uint64_t address, uint64_t value) {
  write_memory(machine, address, sizeof value, &value);
}

/* Stops the program when a call failed. */
static void check(struct machine* machine, iommusim_status status) {
  if (status == IOMMUSIM_OK) return;
  fprintf(stderr, "embed_hello: %s\n", iommusim_last_error(machine->iommu));
  exit(1);
}

static void set_register(struct machine* machine, uint32_t offset, uint32_t bytes, uint64_t value) {
  check(machine, iommusim_mmio_write(machine->iommu, offset, bytes, value));
  check(machine, iommusim_run_until_idle(machine->iommu)); /* the IOMMU may be busy with it for some cycles */
}

static void write_tables(struct machine* machine) {
  /* Device 5: valid, no second stage, Sv39. IOVA 0x1000 is the page, readable only. */
  store(machine, DIRECTORY + 5 * 32, 1);
  store(machine, DIRECTORY + 5 * 32 + 24, UINT64_C(8) << 60 | TABLE(2) >> 12);
  store(machine, TABLE(2), TABLE(1) >> 2 | 1);
  store(machine, TABLE(1), TABLE(0) >> 2 | 1);
  store(machine, TABLE(0) + 8, PAGE >> 2 | 0x53); /* A U R V */
}

static void start_iommu(struct machine* machine) {
  set_register(machine, FCTL, 4, 2); /* interrupts by wire */
  set_register(machine, CQB, 8, COMMANDS >> 2 | 6);
  set_register(machine, FQB, 8, FAULTS >> 2 | 6);
  set_register(machine, CQCSR, 4, 1);
  set_register(machine, FQCSR, 4, 3);
  set_register(machine, DDTP, 8, DIRECTORY >> 2 | 2);
}

static void request(struct machine* machine, const char* what, uint64_t iova, iommusim_access access) {
  iommusim_request request = {0};
  request.iova = iova;
  request.bytes = 8;
  request.device = 5;
  request.access = (uint32_t)access;
  check(machine, iommusim_submit(machine->iommu, &request, 0));
  check(machine, iommusim_run_until_idle(machine->iommu));
  if (machine->last.translated)
    printf("  %s: 0x%" PRIx64 " is 0x%" PRIx64, what, iova, machine->last.address);
  else
    printf("  %s: 0x%" PRIx64 " faults, cause %" PRIu32, what, iova, machine->last.cause);
  printf(", %" PRIu64 " cycles\n", machine->last.done - machine->last.accepted);
}

static void run(const char* yaml) {
  struct machine* const machine = calloc(1, sizeof *machine);
  iommusim_host host = {0};
  char* error;
  uint64_t record, tail;
  if (machine == NULL) exit(1);
  host.size = sizeof host;
  host.user = machine;
  host.read = read_memory;
  host.write = write_memory;
  host.interrupt = interrupt;
  host.finished = finished;
  machine->iommu = iommusim_create(yaml, &host, &error);
  if (machine->iommu == NULL) {
    printf("%s\n", error);
    iommusim_free(error);
    free(machine);
    return;
  }
  printf("%s\n", yaml);
  write_tables(machine);
  start_iommu(machine);
  request(machine, "first read", 0x1008, IOMMUSIM_READ);
  request(machine, "second read", 0x1010, IOMMUSIM_READ);
  request(machine, "write", 0x1008, IOMMUSIM_WRITE);
  check(machine, iommusim_mmio_read(machine->iommu, FQT, 4, &tail));
  read_memory(machine, FAULTS, 8, &record);
  printf("  %" PRIu64 " fault record: cause %u, device %u\n", tail, (unsigned)(record & 0xfff), (unsigned)(record >> 40));
  iommusim_destroy(machine->iommu);
  free(machine);
}

int main(void) {
  if (iommusim_abi() != IOMMUSIM_ABI) return 1; /* header and library do not match */
  run("mode: functional");
  run("{mode: cycle, memory: {cycles: 50}}");
  run("{mode: cycle, memory: {cycle: 50}}");
  return 0;
}
