// SPDX-License-Identifier: Apache-2.0
// Pinned memory: program and device see the same bytes, whatever kind of memory it is; what the program does to its
// address space afterwards changes nothing for the device and breaks nothing.
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/wait.h>

#include "check.h"

static int fd, access_fd;
static uint32_t ioas, hwpt, device;

static void device_sees(uint64_t iova, const char* text) {
  char buffer[64] = {0};
  CHECK(access_rw(fd, access_fd, iova, buffer, strlen(text) + 1, 0) == 0);
  if (strcmp(buffer, text) != 0) fprintf(stderr, "the device sees '%s', expected '%s'\n", buffer, text);
  CHECK(strcmp(buffer, text) == 0);
}
static void device_writes(uint64_t iova, const char* text) {
  CHECK(access_rw(fd, access_fd, iova, (void*)text, strlen(text) + 1, 1) == 0);
}
static uint64_t map_one(void* p) {
  uint64_t iova;
  CHECK(map_pages(fd, ioas, p, 4096, kReadable | kWriteable, &iova) == 0);
  CHECK(check_map(fd, hwpt, iova, p, 4096) == 0);
  return iova;
}

static void both_ways(void* memory) {
  char* p = memory;
  strcpy(p, "before the map");
  uint64_t iova = map_one(p);
  device_sees(iova, "before the map");
  CHECK(strcmp(p, "before the map") == 0);
  strcpy(p, "after the map");
  device_sees(iova, "after the map");
  device_writes(iova, "from the device");
  CHECK(strcmp(p, "from the device") == 0);
  CHECK(check_refs(fd, p, 4096, 1) == 0);
  CHECK(unmap_pages(fd, ioas, iova, 4096) == 0);
  CHECK(check_refs(fd, p, 4096, 0) == 0);
  CHECK(strcmp(p, "from the device") == 0);
}

static char global[2 * 4096];

static void kinds(void) {
  both_ways(pages(1, MAP_PRIVATE));
  both_ways(pages(1, MAP_SHARED));
  both_ways((char*)(((uintptr_t)global + 4095) & ~4095UL));
  char* heap = malloc(1 << 20);
  both_ways((char*)(((uintptr_t)heap + 4095) & ~4095UL));
  free(heap);
  char stack[3 * 4096];
  both_ways((char*)(((uintptr_t)stack + 4095) & ~4095UL));
  int file = memfd_create("test", 0);
  CHECK(ftruncate(file, 8192) == 0);
  both_ways(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 4096));
  char* private_file = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  both_ways(private_file);
  char byte = 1;
  CHECK(pread(file, &byte, 1, 0) == 1 && byte == 0);  // a private page is not the file's
  close(file);
}

// The page that the stack of this very function is in.
static void own_stack_page(void) {
  char here[64] = "on the stack";
  uint64_t iova, page = (uintptr_t)here & ~4095UL;
  CHECK(map_pages(fd, ioas, (void*)page, 4096, kReadable | kWriteable, &iova) == 0);
  device_sees(iova + ((uintptr_t)here - page), "on the stack");
  strcpy(here, "changed");
  device_sees(iova + ((uintptr_t)here - page), "changed");
  CHECK(unmap_pages(fd, ioas, iova, 4096) == 0);
}

// Where the host has huge pages to give.
static void huge_page(void) {
  char* p = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  if (p == MAP_FAILED) return;
  strcpy(p, "first");
  strcpy(p + (2 << 20) - 4096, "last");
  both_ways(p + 8192);
  uint64_t iova;
  CHECK(map_pages(fd, ioas, p, 2 << 20, kReadable | kWriteable, &iova) == 0);
  device_sees(iova, "first");
  device_sees(iova + (2 << 20) - 4096, "last");
  CHECK(munmap(p, 2 << 20) == 0);
  device_sees(iova + (2 << 20) - 4096, "last");
  CHECK(unmap_pages(fd, ioas, iova, 2 << 20) == 0);
}

static void rights(void) {
  uint64_t iova;
  char* p = pages(1, MAP_PRIVATE);
  strcpy(p, "constant");
  CHECK(mprotect(p, 4096, PROT_READ) == 0);
  CHECK_ERRNO(EFAULT, map_pages(fd, ioas, p, 4096, kReadable | kWriteable, &iova));
  CHECK(map_pages(fd, ioas, p, 4096, kReadable, &iova) == 0);
  device_sees(iova, "constant");
  CHECK(unmap_pages(fd, ioas, iova, 4096) == 0);
  CHECK(mprotect(p, 4096, PROT_NONE) == 0);
  CHECK_ERRNO(EFAULT, map_pages(fd, ioas, p, 4096, kReadable, &iova));
  CHECK(munmap(p, 4096) == 0);
  CHECK_ERRNO(EFAULT, map_pages(fd, ioas, p, 4096, kReadable, &iova));
  static const char text[] = "code and constants";
  uint64_t page = (uintptr_t)text & ~4095UL;
  CHECK(map_pages(fd, ioas, (void*)page, 4096, kReadable, &iova) == 0);
  device_sees(iova + ((uintptr_t)text - page), "code and constants");
  page = (uintptr_t)rights & ~4095UL;
  uint64_t code;
  CHECK(map_pages(fd, ioas, (void*)page, 4096, kReadable, &code) == 0);  // this code runs on
  CHECK(unmap_pages(fd, ioas, code, 4096) == 0);
  CHECK(unmap_pages(fd, ioas, iova, 4096) == 0);
}

static void address_space_changes(void) {
  char* p = pages(4, MAP_PRIVATE);
  uint64_t iova[4];
  for (int i = 0; i < 4; ++i) {
    strcpy(p + i * 4096, "kept");
    iova[i] = map_one(p + i * 4096);
  }
  CHECK(munmap(p, 4096) == 0);
  device_sees(iova[0], "kept");
  device_writes(iova[0], "still there");
  device_sees(iova[0], "still there");
  CHECK(mmap(p + 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + 4096);
  CHECK(p[4096] == 0);
  strcpy(p + 4096, "new page");
  device_sees(iova[1], "kept");
  char* moved = mremap(p + 2 * 4096, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, pages(1, MAP_PRIVATE));
  CHECK(moved != MAP_FAILED && strcmp(moved, "kept") == 0);
  device_writes(iova[2], "moved along");
  CHECK(strcmp(moved, "moved along") == 0);
  CHECK(check_map(fd, hwpt, iova[2], moved, 4096) == 0);
  CHECK(madvise(p + 3 * 4096, 4096, MADV_DONTNEED) == 0);
  CHECK(p[3 * 4096] == 0);
  device_sees(iova[3], "kept");
  CHECK(mprotect(p + 3 * 4096, 4096, PROT_NONE) == 0);
  device_sees(iova[3], "kept");
  for (int i = 0; i < 4; ++i) CHECK(unmap_pages(fd, ioas, iova[i], 4096) == 0);
  CHECK(strcmp(moved, "moved along") == 0);

  // A file made shorter: the device must not bring the machine down.
  int file = memfd_create("test", 0);
  CHECK(ftruncate(file, 4096) == 0);
  char* shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  iova[0] = map_one(shared);
  CHECK(ftruncate(file, 0) == 0);
  char byte;
  CHECK(access_rw(fd, access_fd, iova[0], &byte, 1, 0) == 0);
  CHECK(unmap_pages(fd, ioas, iova[0], 4096) == 0);
  close(file);
}

static void files(void) {
  int file = memfd_create("test", 0);
  CHECK(ftruncate(file, 3 * 4096) == 0);
  char* p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  strcpy(p + 4096, "in the file");
  struct map_file m = {
      .size = sizeof m, .flags = kReadable | kWriteable, .ioas = ioas, .fd = file, .start = 4096, .length = 8192};
  CHECK(ioctl(fd, kMapFile, &m) == 0);
  device_sees(m.iova, "in the file");
  CHECK(check_map(fd, hwpt, m.iova, p + 4096, 8192) == 0);  // the same physical pages
  uint64_t iova = map_one(p + 4096);
  CHECK(check_refs(fd, p + 4096, 4096, 2) == 0);
  CHECK(munmap(p, 3 * 4096) == 0 && close(file) == 0);
  device_writes(m.iova, "nobody but the device");
  device_sees(iova, "nobody but the device");
  CHECK(unmap_pages(fd, ioas, iova, 4096) == 0);
  CHECK(unmap_pages(fd, ioas, m.iova, 8192) == 0);
  int other = open("/dev/null", O_RDWR);
  m.fd = other;
  CHECK_ERRNO(EINVAL, ioctl(fd, kMapFile, &m));
  m.fd = 999;
  CHECK_ERRNO(EBADF, ioctl(fd, kMapFile, &m));
  close(other);
}

static volatile int stop;
static volatile uint64_t* counter;
static void* count(void* unused) {
  (void)unused;
  for (; !stop; ++*counter) continue;
  return NULL;
}
// Another thread writes while its page is moved: not one write is lost.
static void written_while_moved(void) {
  for (int round = 0; round < 20; ++round) {
    uint64_t* p = pages(1, MAP_PRIVATE);
    counter = p;
    stop = 0;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, count, NULL) == 0);
    while (*counter == 0) continue;
    uint64_t before = *counter, seen = 0, iova = map_one(p);
    uint64_t after = *counter;
    CHECK(after >= before);
    stop = 1;
    pthread_join(thread, NULL);
    CHECK(access_rw(fd, access_fd, iova, &seen, 8, 0) == 0 && seen == *counter && seen >= after);
    CHECK(unmap_pages(fd, ioas, iova, 4096) == 0);
    munmap(p, 4096);
  }
}

static void many(void) {
  char* p = pages(2048, MAP_PRIVATE);
  for (int i = 0; i < 2048; ++i) p[i * 4096] = (char)i;
  uint64_t iova;
  CHECK(map_pages(fd, ioas, p, 2048 * 4096, kReadable | kWriteable, &iova) == 0);
  CHECK(check_map(fd, hwpt, iova, p, 2048 * 4096) == 0);
  for (int i = 0; i < 2048; ++i) {
    char byte;
    CHECK(p[i * 4096] == (char)i);
    if (i % 100 == 0) CHECK(access_rw(fd, access_fd, iova + (uint64_t)i * 4096, &byte, 1, 0) == 0 && byte == (char)i);
  }
  CHECK(unmap_pages(fd, ioas, iova, 2048 * 4096) == 0);
  munmap(p, 2048 * 4096);
  for (int round = 0; round < 3000; ++round) {  // pages that are gone give their place back
    char* q = pages(1, MAP_PRIVATE);
    q[0] = 'q';
    CHECK(map_pages(fd, ioas, q, 4096, kReadable, &iova) == 0);
    CHECK(unmap_pages(fd, ioas, iova, 4096) == 0);
    CHECK(q[0] == 'q');
    munmap(q, 4096);
  }
}

int main(void) {
  fd = open_iommu();
  ioas = new_ioas(fd);
  mock_device(fd, ioas, &hwpt, &device);
  access_fd = new_access(fd, ioas);
  kinds();
  own_stack_page();
  huge_page();
  rights();
  address_space_changes();
  files();
  written_while_moved();
  many();
  CHECK(close(fd) == 0);
  return 0;
}
