/* SPDX-License-Identifier: Apache-2.0
 * Dirty tracking, with pages of 2 KiB (variant 0) and with those of 4 KiB and 1 MiB (variant 1).
 */
#include "abi.h"
#include "harness.h"

#define SPAN (2ULL << 20)
#define AT (32ULL << 20)

static u32 ioas, hwpt;
static struct mock mock;
static unsigned char* buffer;
static u64 smallest;

static int alloc_tracking(u32 dev, u32 flags, u32* out) {
  u32 data[2] = {0, (u32)variant};
  return alloc_hwpt(dev, ioas, flags, MOCK_HWPT_TYPE, data, 8, 0, out);
}

static int track(u32 id, u32 flags) {
  struct set_dirty call = {sizeof call, flags, id, 0};
  return ioctl(node, HWPT_SET_DIRTY, &call);
}

static int mark(u32 id, u64 iova, u64 length, u64 page, const void* bits, u64* count) {
  struct test_command call = {0};
  int result;
  call.u.q[1] = iova;
  call.u.q[2] = length;
  call.u.q[3] = page;
  call.u.q[4] = address(bits);
  result = test_command(13, id, &call);
  if (count) *count = call.u.q[5];
  return result;
}

static int get(u32 id, u32 flags, u64 iova, u64 length, u64 page, void* bits) {
  struct get_dirty call = {sizeof call, id, flags, 0, iova, length, page, address(bits)};
  return ioctl(node, HWPT_GET_DIRTY, &call);
}

static unsigned ones(const unsigned char* bits, u64 bytes) {
  unsigned sum = 0;
  while (bytes--) sum += (unsigned)__builtin_popcount(*bits++);
  return sum;
}

static void set_up(void) {
  unsigned char* raw = memory(SPAN * 2);
  buffer = raw + (SPAN - address(raw) % SPAN);
  smallest = variant ? PAGE : MOCK_PAGE;
  REQUIRE_OK(open_node());
  ioas = new_ioas();
  REQUIRE_OK(mock_domain(ioas, 0, &mock));
  REQUIRE_OK(alloc_tracking(mock.idev, DIRTY_TRACKING, &hwpt));
  REQUIRE_OK(map_at(ioas, buffer, SPAN, AT));
  REQUIRE_OK(mock_replace(mock.stdev, hwpt));
}

VARIANT_TEST(what_was_marked_is_read_once, 2) {
  unsigned char in[128] = {0x05}, out[128];
  u64 count = 99;
  u64 page, bits;
  set_up();
  page = smallest;
  bits = SPAN / page;
  EXPECT_ERRNO(EINVAL, mark(hwpt, AT, SPAN, page, in, &count)); /* tracking is off */
  EXPECT_OK(track(hwpt, 1));
  EXPECT_OK(track(hwpt, 1));
  in[bits / 8 - 1] = 0x80;
  EXPECT_OK(mark(hwpt, AT, SPAN, page, in, &count));
  EXPECT_EQ(count, 3);
  memset(out, 0, sizeof out);
  EXPECT_OK(get(hwpt, 1, AT, SPAN, page, out));
  if (!variant) EXPECT(!memcmp(in, out, bits / 8));
  EXPECT_EQ(ones(out, bits / 8), variant ? bits : 3); /* a leaf of 1 MiB is dirty whole */
  memset(out, 0, sizeof out);
  EXPECT_OK(get(hwpt, 0, AT, SPAN, page, out));
  EXPECT_EQ(ones(out, bits / 8), variant ? bits : 3);
  memset(out, 0, sizeof out);
  EXPECT_OK(get(hwpt, 0, AT, SPAN, page, out));
  EXPECT_EQ(ones(out, bits / 8), 0);
  EXPECT_OK(mark(hwpt, AT, SPAN, page, in, 0));
  EXPECT_OK(track(hwpt, 0));
  EXPECT_OK(track(hwpt, 1)); /* starts clean */
  EXPECT_OK(get(hwpt, 0, AT, SPAN, page, out));
  EXPECT_EQ(ones(out, bits / 8), 0);
  EXPECT_OK(track(hwpt, 0));
}

VARIANT_TEST(coarser_bits_and_a_part, 2) {
  unsigned char in[128] = {0}, out[8] = {0};
  u64 page;
  set_up();
  page = smallest;
  EXPECT_OK(track(hwpt, 1));
  in[1] = 0x01; /* page 8 */
  EXPECT_OK(mark(hwpt, AT, SPAN, page, in, 0));
  EXPECT_OK(get(hwpt, 1, AT, SPAN, 1 << 20, out));
  EXPECT_EQ(out[0], 1);
  out[0] = 0x80;
  EXPECT_OK(get(hwpt, 1, AT + 8 * page, page, page, out)); /* or-ed */
  EXPECT_EQ(out[0], 0x81);
  out[0] = 0;
  EXPECT_OK(get(hwpt, 1, AT + SPAN / 2, SPAN / 2, 1 << 20, out));
  EXPECT_EQ(out[0], 0);
  EXPECT_OK(get(hwpt, 0, AT + 4 * SPAN, SPAN, 1 << 20, out)); /* nothing mapped is no error */
}

VARIANT_TEST(errors, 2) {
  unsigned char bits[128] = {0};
  u32 plain, other;
  struct mock without;
  u64 page;
  set_up();
  page = smallest;
  EXPECT_ERRNO(EINVAL, mark(999, AT, page, 0, bits, 0));
  EXPECT_ERRNO(EINVAL, mark(999, AT, 0, page, bits, 0));
  EXPECT_ERRNO(EINVAL, mark(999, AT, page, page, 0, 0));
  EXPECT_ERRNO(EINVAL, mark(999, AT + 1, page, page, bits, 0));
  EXPECT_ERRNO(EINVAL, mark(999, AT, page + 1, page, bits, 0));
  EXPECT_ERRNO(ENOENT, mark(999, AT, page, page, bits, 0));
  EXPECT_OK(track(hwpt, 1));
  EXPECT_ERRNO(EFAULT, mark(hwpt, AT, page, page, (void*)PAGE, 0));
  EXPECT_ERRNO(EOPNOTSUPP, track(hwpt, 2));
  EXPECT_ERRNO(ENOENT, track(ioas, 1));
  REQUIRE_OK(alloc_tracking(mock.idev, 0, &plain));
  EXPECT_ERRNO(EOPNOTSUPP, track(plain, 1));
  EXPECT_ERRNO(EOPNOTSUPP, get(plain, 0, AT, page, page, bits));
  EXPECT_ERRNO(EOPNOTSUPP, get(hwpt, 2, AT, page, page, bits));
  EXPECT_ERRNO(ENOENT, get(999, 0, AT, page, page, bits));
  EXPECT_ERRNO(EOVERFLOW, get(hwpt, 0, AT, 0, page, bits));
  EXPECT_ERRNO(EINVAL, get(hwpt, 0, AT + 1, page, page, bits));
  EXPECT_ERRNO(EINVAL, get(hwpt, 0, AT, page, 0, bits));
  EXPECT_ERRNO(EINVAL, get(hwpt, 0, AT + PAGE, PAGE, 2 * PAGE, bits));
  REQUIRE_OK(mock_domain(ioas, ONLY_NO_DIRTY, &without));
  EXPECT_ERRNO(EOPNOTSUPP, alloc_tracking(without.idev, DIRTY_TRACKING, &other));
  EXPECT_ERRNO(EINVAL, mock_replace(without.stdev, hwpt));
}
