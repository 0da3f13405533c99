/* SPDX-License-Identifier: Apache-2.0
 * Kernel users of an address space: pins and copies, with and without a page table beside them (variants 0 and 1).
 */
#include "abi.h"
#include "harness.h"

static u32 ioas;
static int fd;
static struct mock mock;
static unsigned char* buffer; /* 16 pages */
static u64 base = MOCK_START;

static void set_up(u32 flags) {
  REQUIRE_OK(open_node());
  ioas = new_ioas();
  if (variant) REQUIRE_OK(mock_domain(ioas, 0, &mock));
  REQUIRE_OK(create_access(ioas, flags, &fd));
  buffer = memory(16 * PAGE);
}

VARIANT_TEST(pins_are_counted_and_returned, 2) {
  u32 one, two;
  u32 held = variant ? 1 : 0;
  set_up(1);
  EXPECT_OK(map_at(ioas, buffer, 4 * PAGE, base));
  EXPECT_OK(access_pin(fd, base + PAGE, 2 * PAGE, buffer + PAGE, 1, &one));
  EXPECT_EQ(one, 0);
  EXPECT_ERRNO(EINVAL, access_pin(fd, base + PAGE + 5, 10, 0, 0, &two)); /* not from the start of a page */
  EXPECT_OK(access_pin(fd, base + PAGE, 10, buffer + PAGE, 0, &two));
  EXPECT_EQ(two, 1);
  EXPECT_OK(check_refs(buffer, PAGE, held));
  EXPECT_OK(check_refs(buffer + PAGE, 2 * PAGE, 1)); /* of the page array, however many want it */
  EXPECT_OK(access_unpin(fd, one));
  EXPECT_ERRNO(ENOENT, access_unpin(fd, one));
  EXPECT_OK(check_refs(buffer + 2 * PAGE, PAGE, held));
  EXPECT_OK(check_refs(buffer + PAGE, PAGE, 1));
  EXPECT_OK(access_unpin(fd, two));
  EXPECT_OK(check_refs(buffer + PAGE, PAGE, held));
}

VARIANT_TEST(an_unmap_takes_the_pins_back, 2) {
  u32 number;
  set_up(1);
  EXPECT_OK(map_at(ioas, buffer, 2 * PAGE, base));
  EXPECT_OK(map_at(ioas, buffer + 4 * PAGE, PAGE, base + 2 * PAGE));
  EXPECT_OK(access_pin(fd, base + PAGE, 2 * PAGE, 0, 1, &number));
  EXPECT_OK(unmap(ioas, base, 2 * PAGE));
  EXPECT_ERRNO(ENOENT, access_unpin(fd, number));
  EXPECT_OK(check_refs(buffer, 2 * PAGE, 0));
  EXPECT_OK(check_refs(buffer + 4 * PAGE, PAGE, variant ? 1 : 0));
}

VARIANT_TEST(closing_returns_everything, 2) {
  u32 number;
  set_up(1);
  EXPECT_OK(map_at(ioas, buffer, PAGE, base));
  EXPECT_OK(access_pin(fd, base, PAGE, buffer, 1, &number));
  if (!variant) EXPECT_ERRNO(EBUSY, destroy(ioas));
  EXPECT_OK(close(fd));
  EXPECT_OK(check_refs(buffer, PAGE, variant ? 1 : 0));
  EXPECT_ERRNO(EBADFD, access_unpin(fd, number));
  if (!variant) EXPECT_OK(destroy(ioas));
}

VARIANT_TEST(errors_of_pins, 2) {
  u32 number, plain_number;
  int plain;
  u64 iova = base + 4 * PAGE;
  set_up(1);
  EXPECT_OK(map_at(ioas, buffer, PAGE, base));
  EXPECT_OK(map_flags(ioas, buffer, PAGE, &iova, FIXED | READABLE));
  iova = base + 6 * PAGE;
  EXPECT_OK(map_flags(ioas, buffer, PAGE, &iova, FIXED | WRITEABLE));
  EXPECT_ERRNO(ENOMEM, access_pin(999, 0, (16 << 20) + 1, 0, 8, &number));
  EXPECT_ERRNO(EOPNOTSUPP, access_pin(999, 0, PAGE, 0, 8, &number));
  EXPECT_ERRNO(EBADFD, access_pin(999, 0, PAGE, 0, 0, &number));
  EXPECT_ERRNO(EBADFD, access_pin(node, 0, PAGE, 0, 0, &number));
  EXPECT_ERRNO(EBADFD, access_pin(1, 0, PAGE, 0, 0, &number));
  EXPECT_OK(create_access(ioas, 0, &plain));
  EXPECT_ERRNO(EOPNOTSUPP, access_pin(plain, base, PAGE, 0, 0, &plain_number));
  EXPECT_ERRNO(EINVAL, access_pin(fd, base, 0, 0, 0, &number));
  EXPECT_ERRNO(EOVERFLOW, access_pin(fd, ~0ULL, 2, 0, 0, &number));
  EXPECT_ERRNO(ENOENT, access_pin(fd, base + PAGE, PAGE, 0, 0, &number));
  EXPECT_ERRNO(ENOENT, access_pin(fd, base, 2 * PAGE, 0, 0, &number));
  EXPECT_OK(check_refs(buffer, PAGE, variant ? 3 : 0));
  EXPECT_ERRNO(EPERM, access_pin(fd, base + 4 * PAGE, PAGE, 0, 1, &number));
  EXPECT_ERRNO(EPERM, access_pin(fd, base + 6 * PAGE, PAGE, 0, 0, &number));
  EXPECT_ERRNO(EBADE, access_pin(fd, base, PAGE, buffer + PAGE, 0, &number));
  EXPECT_ERRNO(EFAULT, access_pin(fd, base, PAGE, (void*)PAGE, 0, &number));
  EXPECT_OK(access_pin(fd, base, PAGE, buffer, 0, &number));
  EXPECT_EQ(number, 0); /* failures take no number */
}

VARIANT_TEST(a_pinning_user_wants_whole_pages, 2) {
  u32 other;
  int second;
  set_up(1);
  EXPECT_ERRNO(EINVAL, map_at(ioas, buffer, MOCK_PAGE, base));
  other = new_ioas();
  EXPECT_OK(map_at(other, buffer, MOCK_PAGE, base));
  EXPECT_ERRNO(EADDRINUSE, create_access(other, 1, &second));
  EXPECT_OK(create_access(other, 0, &second));
  EXPECT_ERRNO(ENOENT, create_access(999, 0, &second));
  EXPECT_ERRNO(EOPNOTSUPP, create_access(999, 2, &second));
}

VARIANT_TEST(copies_of_any_alignment, 2) {
  unsigned char out[3 * 4096], in[3 * 4096];
  u64 offset, length;
  u32 flags;
  int i;
  set_up(0);
  EXPECT_OK(map_at(ioas, buffer, 2 * PAGE, base));
  EXPECT_OK(map_at(ioas, buffer + 4 * PAGE, 2 * PAGE, base + 2 * PAGE));
  for (i = 0; i < (int)(16 * PAGE); i++) buffer[i] = (unsigned char)(i * 7 + i / 256);
  for (flags = 0; flags <= 4; flags += 4)
    for (offset = 0; offset < 2 * PAGE; offset += 511)
      for (length = 1; length < 2 * PAGE; length = length * 3 + 1) {
        u64 split = offset < 2 * PAGE && offset + length > 2 * PAGE ? 2 * PAGE - offset : length;
        memset(out, 0, sizeof out);
        EXPECT_OK(access_rw(fd, base + offset, length, out, flags));
        EXPECT(!memcmp(out, buffer + offset, split));
        EXPECT(!memcmp(out + split, buffer + 4 * PAGE, length - split));
        EXPECT_EQ(out[length], 0);
        memset(in, (int)(offset + length), sizeof in);
        EXPECT_OK(access_rw(fd, base + offset, length, in, flags | 1));
        EXPECT(!memcmp(in, buffer + offset, split));
        EXPECT(!memcmp(in, buffer + 4 * PAGE, length - split));
      }
  EXPECT_OK(check_refs(buffer, 2 * PAGE, variant ? 1 : 0));
}

VARIANT_TEST(errors_of_copies, 2) {
  unsigned char* read_only = memory(PAGE);
  u64 iova = base + 4 * PAGE;
  set_up(0);
  mprotect(read_only, PAGE, PROT_READ);
  EXPECT_OK(map_at(ioas, buffer, PAGE, base));
  EXPECT_OK(map_flags(ioas, buffer, PAGE, &iova, FIXED | READABLE));
  EXPECT_ERRNO(ENOMEM, access_rw(999, 0, (16 << 20) + 1, 0, 2));
  EXPECT_ERRNO(EOPNOTSUPP, access_rw(999, 0, 1, 0, 2));
  EXPECT_ERRNO(EBADFD, access_rw(999, 0, 1, 0, 1));
  EXPECT_ERRNO(EFAULT, access_rw(fd, 0, 1, (void*)PAGE, 1)); /* the buffer is fetched first */
  EXPECT_ERRNO(ENOENT, access_rw(fd, 0, 1, (void*)PAGE, 0));
  EXPECT_ERRNO(EFAULT, access_rw(fd, base, 1, read_only, 0));
  EXPECT_ERRNO(EINVAL, access_rw(fd, base, 0, buffer, 0));
  EXPECT_ERRNO(EOVERFLOW, access_rw(fd, ~0ULL, 2, buffer, 0));
  EXPECT_ERRNO(ENOENT, access_rw(fd, base, PAGE + 1, buffer, 0));
  EXPECT_ERRNO(EPERM, access_rw(fd, base + 4 * PAGE, 1, buffer, 1));
  EXPECT_OK(access_rw(fd, base + 4 * PAGE, 1, buffer + PAGE, 0));
}

VARIANT_TEST(moving_to_another_space, 2) {
  u32 other, number;
  set_up(1);
  other = new_ioas();
  EXPECT_OK(map_at(ioas, buffer, PAGE, base));
  EXPECT_OK(map_at(other, buffer + PAGE, PAGE, base));
  EXPECT_OK(access_pin(fd, base, PAGE, buffer, 0, &number));
  EXPECT_ERRNO(ENOENT, access_replace(fd, 999));
  EXPECT_ERRNO(EBADFD, access_replace(999, other));
  EXPECT_OK(access_replace(fd, ioas)); /* nothing happens, pins stay */
  EXPECT_OK(check_refs(buffer, PAGE, 1));
  EXPECT_OK(access_replace(fd, other));
  EXPECT_OK(check_refs(buffer, PAGE, variant ? 1 : 0));
  EXPECT_ERRNO(ENOENT, access_unpin(fd, number));
  EXPECT_OK(access_pin(fd, base, PAGE, buffer + PAGE, 0, &number));
  EXPECT_EQ(number, 1);
  EXPECT_ERRNO(EBUSY, destroy(other));
  if (!variant) EXPECT_OK(destroy(ioas));
}

VARIANT_TEST(moving_wants_an_alignment_that_fits, 2) {
  u32 other;
  set_up(1);
  other = new_ioas();
  EXPECT_OK(map_at(other, buffer, MOCK_PAGE, base));
  EXPECT_ERRNO(EADDRINUSE, access_replace(fd, other));
  EXPECT_OK(unmap(other, base, MOCK_PAGE));
  EXPECT_OK(access_replace(fd, other));
}

VARIANT_TEST(fuzzers_name_areas_by_number, 2) {
  u32 number;
  unsigned char byte = 0;
  set_up(1);
  EXPECT_OK(map_at(ioas, buffer, PAGE, base));
  EXPECT_OK(map_at(ioas, buffer + 4 * PAGE, 2 * PAGE, base + 8 * PAGE));
  buffer[5 * PAGE + 3] = 77;
  EXPECT_OK(access_rw(fd, 1ULL | (PAGE + 3) << 32, 1, &byte, 0x10000));
  EXPECT_EQ(byte, 77);
  EXPECT_OK(access_pin(fd, 1ULL | PAGE << 32, PAGE, buffer + 5 * PAGE, 0x10000, &number));
  EXPECT_ERRNO(ENOENT, access_rw(fd, 2, 1, &byte, 0x10000)); /* no such area: IOVA 0 */
}

VARIANT_TEST(many_in_one_space, 2) {
  int fds[8], i;
  u32 number;
  set_up(1);
  EXPECT_OK(map_at(ioas, buffer, 8 * PAGE, base));
  for (i = 0; i < 8; i++) {
    REQUIRE_OK(create_access(ioas, 1, &fds[i]));
    EXPECT_OK(access_pin(fds[i], base + (u64)i * PAGE, (8 - (u64)i) * PAGE, 0, 1, &number));
    EXPECT_EQ(number, 0);
  }
  EXPECT_OK(check_refs(buffer, 8 * PAGE, 1));
  EXPECT_OK(unmap(ioas, base, 8 * PAGE));
  EXPECT_OK(check_refs(buffer, 8 * PAGE, 0));
  for (i = 0; i < 8; i++) EXPECT_ERRNO(ENOENT, access_unpin(fds[i], 0));
}
