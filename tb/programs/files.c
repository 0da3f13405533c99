/* SPDX-License-Identifier: Apache-2.0
 * Files as memory of devices: memfds, and dma-bufs of the mock device with their revocation. Variant 1 has a page
 * table beside.
 */
#include <sys/mman.h>

#include "abi.h"
#include "harness.h"

static u32 ioas;
static struct mock mock;

static void set_up(void) {
  REQUIRE_OK(open_node());
  ioas = new_ioas();
  if (variant) REQUIRE_OK(mock_domain(ioas, 0, &mock));
}

static int new_memfd(u64 bytes) {
  int fd = memfd_create("test", MFD_CLOEXEC);
  return ftruncate(fd, (off_t)bytes) ? -1 : fd;
}

static int get_dmabuf(u32 length) {
  struct test_command call = {0};
  call.u.w[0] = length;
  call.u.w[1] = O_CLOEXEC;
  return test_command(22, 0, &call);
}

static int revoke_dmabuf(int fd, u32 revoked) {
  struct test_command call = {0};
  call.u.s[0] = fd;
  call.u.w[1] = revoked;
  return test_command(23, 0, &call);
}

VARIANT_TEST(a_memfd, 2) {
  int fd = new_memfd(4 * PAGE);
  unsigned char* seen = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  set_up();
  EXPECT_OK(map_file_at(ioas, fd, 0, 4 * PAGE, MOCK_START));
  EXPECT_OK(map_file_at(ioas, fd, PAGE, 2 * PAGE, MOCK_START + 8 * PAGE));
  if (variant) {
    EXPECT_OK(check_map(mock.hwpt, MOCK_START, 4 * PAGE, seen));
    EXPECT_OK(check_map(mock.hwpt, MOCK_START + 8 * PAGE, 2 * PAGE, seen + PAGE));
    EXPECT_OK(check_refs(seen, PAGE, 1));
    EXPECT_OK(check_refs(seen + PAGE, 2 * PAGE, 2));
  }
  EXPECT_OK(close(fd));
  EXPECT_OK(unmap(ioas, 0, ~0ULL));
  EXPECT_OK(check_refs(seen, 4 * PAGE, 0));
}

VARIANT_TEST(errors_of_files, 2) {
  int fd = new_memfd(2 * PAGE), closed = new_memfd(PAGE);
  set_up();
  close(closed);
  EXPECT_ERRNO(ENOENT, map_file_at(999, -1, 0, 0, MOCK_START));
  EXPECT_ERRNO(EINVAL, map_file_at(ioas, -1, 0, 0, MOCK_START));
  EXPECT_ERRNO(EOVERFLOW, map_file_at(ioas, -1, ~0ULL, 2, MOCK_START));
  EXPECT_ERRNO(EBADF, map_file_at(ioas, -1, 0, PAGE, MOCK_START));
  EXPECT_ERRNO(EBADF, map_file_at(ioas, closed, 0, PAGE, MOCK_START));
  if (variant) {
    EXPECT_ERRNO(EINVAL, map_file_at(ioas, fd, PAGE, 2 * PAGE, MOCK_START)); /* beyond its end */
    EXPECT_ERRNO(EINVAL, map_file_at(ioas, 0, 0, PAGE, MOCK_START));         /* not a memfd */
  } else {
    struct mock late;
    EXPECT_OK(map_file_at(ioas, fd, PAGE, 2 * PAGE, MOCK_START));
    EXPECT_ERRNO(EINVAL, mock_domain(ioas, 0, &late));
  }
}

VARIANT_TEST(sizes_of_dma_bufs, 2) {
  int fd;
  set_up();
  EXPECT_ERRNO(EINVAL, get_dmabuf(0));
  EXPECT_ERRNO(EINVAL, get_dmabuf(512 * 4096 + 1));
  fd = get_dmabuf(PAGE + 1); /* two pages */
  EXPECT(fd >= 0);
  EXPECT_OK(map_file_at(ioas, fd, 0, 2 * PAGE, MOCK_START));
  EXPECT_ERRNO(EINVAL, map_file_at(ioas, fd, PAGE, 2 * PAGE, MOCK_START + 4 * PAGE));
  EXPECT_OK(close(fd));
  EXPECT_OK(unmap(ioas, MOCK_START, 2 * PAGE));
  fd = get_dmabuf(512 * 4096);
  EXPECT(fd >= 0);
}

VARIANT_TEST(revoked_mappings_do_not_come_back, 2) {
  int fd, other = new_memfd(PAGE);
  u32 flag;
  set_up();
  EXPECT_ERRNO(EBADF, revoke_dmabuf(999, 1));
  EXPECT_ERRNO(EINVAL, revoke_dmabuf(other, 1));
  EXPECT_ERRNO(EINVAL, revoke_dmabuf(node, 1));
  fd = get_dmabuf(PAGE);
  EXPECT(fd >= 0);
  for (flag = 0; flag <= 1; flag++) {
    u64 at = MOCK_START + flag * 4 * PAGE;
    EXPECT_OK(map_file_at(ioas, fd, 0, PAGE, at));
    EXPECT_OK(revoke_dmabuf(fd, flag));
    if (flag)
      EXPECT_ERRNO(ENODEV, map_file_at(ioas, fd, 0, PAGE, at + PAGE));
    else
      EXPECT_OK(map_file_at(ioas, fd, 0, PAGE, at + PAGE));
    EXPECT_ERRNO(EEXIST, map_at(ioas, memory(PAGE), PAGE, at)); /* the area is still there */
    EXPECT_OK(unmap(ioas, at, PAGE));
  }
  EXPECT_OK(revoke_dmabuf(fd, 0));
  EXPECT_OK(map_file_at(ioas, fd, 0, PAGE, MOCK_START));
}

VARIANT_TEST(device_memory_is_not_for_the_processor, 2) {
  int fd, user;
  u32 number;
  unsigned char byte = 0;
  set_up();
  fd = get_dmabuf(PAGE);
  EXPECT_OK(map_file_at(ioas, fd, 0, PAGE, MOCK_START));
  EXPECT_OK(create_access(ioas, 1, &user));
  EXPECT_ERRNO(EINVAL, access_rw(user, MOCK_START, 1, &byte, 0));
  EXPECT_ERRNO(EINVAL, access_pin(user, MOCK_START, PAGE, 0, 0, &number));
}
