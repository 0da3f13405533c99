// SPDX-License-Identifier: Apache-2.0
// fork: contexts are shared with the child, whose maps use its own memory; its pages are its own; what it opens is the
// same machine's. Fork before the first open gives each process its own.
#define _GNU_SOURCE
#include <poll.h>
#include <sys/wait.h>

#include "check.h"

static int child_status(pid_t pid) {
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
  return status;
}

static void child_of_open_context(int fd, uint32_t ioas, uint32_t hwpt, int access, char* p, uint64_t iova, int queue) {
  CHECK(strcmp(p, "parent") == 0);
  strcpy(p, "child's copy");
  CHECK(new_ioas(fd) > 0);
  char seen[16] = {0};
  CHECK(access_rw(fd, access, iova, seen, 7, 0) == 0 && strcmp(seen, "parent") == 0);  // the device sees the parent's
  uint64_t mine;
  char* q = pages(2, MAP_PRIVATE);
  strcpy(q, "child");
  CHECK(map_pages(fd, ioas, q, 8192, kReadable | kWriteable, &mine) == 0);
  CHECK(check_map(fd, hwpt, mine, q, 8192) == 0);
  CHECK(access_rw(fd, access, mine, seen, 6, 0) == 0 && strcmp(seen, "child") == 0);
  CHECK(access_rw(fd, access, mine, (void*)"device", 7, 1) == 0 && strcmp(q, "device") == 0);
  CHECK_ERRNO(EFAULT, ioctl(fd, kIoasAlloc, (void*)8));
  struct pollfd ready = {.fd = queue, .events = POLLIN | POLLOUT};
  CHECK(poll(&ready, 1, 0) == 1 && ready.revents == POLLOUT);
  CHECK(read(queue, seen, 0) == 0);
  struct fault_alloc f = {.size = sizeof f};
  CHECK(ioctl(fd, kFaultAlloc, &f) == 0 && fcntl((int)f.fd, F_GETFD) == FD_CLOEXEC);
  char record[40];
  CHECK(read((int)f.fd, record, 40) == 0);
  struct destroy d = {.size = sizeof d, .id = f.id};
  CHECK_ERRNO(EBUSY, ioctl(fd, kDestroy, &d));
  CHECK(close((int)f.fd) == 0);
  CHECK(ioctl(fd, kDestroy, &d) == 0);
  int other = open_iommu();  // a context of its own
  CHECK(new_ioas(other) == 1);
  close(other);
  pid_t grandchild = fork();
  if (grandchild == 0) {
    CHECK(new_ioas(fd) > 0 && strcmp(q, "device") == 0);
    q[0] = 'x';
    _exit(5);
  }
  CHECK(WEXITSTATUS(child_status(grandchild)) == 5 && q[0] == 'd');
  CHECK(unmap_pages(fd, ioas, mine, 8192) == 0);
}

int main(void) {
  // Fork, then open.
  pid_t pid = fork();
  if (pid == 0) {
    int fd = open_iommu();
    CHECK(new_ioas(fd) == 1);
    exit(3);
  }
  CHECK(WEXITSTATUS(child_status(pid)) == 3);

  int fd = open_iommu();
  uint32_t ioas = new_ioas(fd), hwpt, device;
  mock_device(fd, ioas, &hwpt, &device);
  int access = new_access(fd, ioas);
  struct fault_alloc f = {.size = sizeof f};
  CHECK(ioctl(fd, kFaultAlloc, &f) == 0);
  char* p = pages(1, MAP_PRIVATE);
  uint64_t iova;
  strcpy(p, "parent");
  CHECK(map_pages(fd, ioas, p, 4096, kReadable | kWriteable, &iova) == 0);
  pid = fork();
  if (pid == 0) {
    child_of_open_context(fd, ioas, hwpt, access, p, iova, (int)f.fd);
    _exit(4);
  }
  CHECK(WEXITSTATUS(child_status(pid)) == 4);
  CHECK(strcmp(p, "parent") == 0);
  strcpy(p, "still");
  char seen[16] = {0};
  CHECK(access_rw(fd, access, iova, seen, 6, 0) == 0 && strcmp(seen, "still") == 0);

  // A context lives while a child has it open.
  int go[2];
  CHECK(pipe(go) == 0);
  int second = open_iommu();
  new_ioas(second);
  pid = fork();
  if (pid == 0) {
    char byte;
    close(fd);
    CHECK(read(go[0], &byte, 1) == 1);
    CHECK(new_ioas(second) == 2);
    _exit(6);
  }
  close(second);
  CHECK(write(go[1], "g", 1) == 1);
  CHECK(WEXITSTATUS(child_status(pid)) == 6);

  // Other programs start as ever.
  CHECK(system("test -c /dev/iommu && exit 9") == 9 << 8);
  FILE* out = popen("echo popen", "r");
  char line[16];
  CHECK(out && fgets(line, sizeof line, out) && strcmp(line, "popen\n") == 0);
  pclose(out);
  CHECK(new_ioas(fd) > 0);
  return 0;
}
