/* SPDX-License-Identifier: Apache-2.0
 * Address spaces: mapping, unmapping, copying, choosing, reserving; without a page table (variant 0), with one (1), with
 * two (2), with one and a tiny memory limit (3). Whatever the variant, the program must see the same.
 */
#include "abi.h"
#include "harness.h"

static u32 ioas;
static struct mock mocks[2];
static int mock_count;
static unsigned char* buffer; /* 16 pages */
static u64 base;              /* where this variant may map */

static void set_up(void) {
  int i;
  REQUIRE_OK(open_node());
  ioas = new_ioas();
  mock_count = variant == 3 ? 1 : variant;
  if (variant == 3) REQUIRE_OK(memory_limit(16));
  for (i = 0; i < mock_count; i++) REQUIRE_OK(mock_domain(ioas, 0, &mocks[i]));
  base = mock_count ? MOCK_START : PAGE;
  buffer = memory(16 * PAGE);
  memset(buffer, 0x5a, 16 * PAGE);
}

VARIANT_TEST(map_and_unmap, 4) {
  u64 iova = 0;
  int i;
  set_up();
  EXPECT_OK(map_at(ioas, buffer, 4 * PAGE, base));
  for (i = 0; i < mock_count; i++) EXPECT_OK(check_map(mocks[i].hwpt, base, 4 * PAGE, buffer));
  EXPECT_OK(check_refs(buffer, 4 * PAGE, mock_count ? 1 : 0));
  EXPECT_ERRNO(EEXIST, map_at(ioas, buffer, PAGE, base + 3 * PAGE));
  EXPECT_ERRNO(ENOENT, unmap(ioas, base, PAGE));
  EXPECT_ERRNO(ENOENT, unmap(ioas, base + 4 * PAGE, PAGE));
  EXPECT_OK(map_anywhere(ioas, buffer, PAGE, &iova));
  EXPECT(iova >= base && iova % PAGE == 0);
  EXPECT_OK(check_refs(buffer, PAGE, mock_count ? 2 : 0));
  EXPECT_OK(unmap(ioas, iova, PAGE));
  EXPECT_OK(unmap(ioas, base, 4 * PAGE));
  EXPECT_OK(check_refs(buffer, 4 * PAGE, 0));
  if (mock_count) EXPECT_ERRNO(EINVAL, check_map(mocks[0].hwpt, base, PAGE, buffer));
  EXPECT_OK(unmap(ioas, 0, ~0ULL));
}

VARIANT_TEST(unmap_tells_how_much, 4) {
  struct ioas_unmap call = {sizeof call, 0, 0, ~0ULL};
  set_up();
  call.ioas = ioas;
  EXPECT_OK(map_at(ioas, buffer, PAGE, base));
  EXPECT_OK(map_at(ioas, buffer, 2 * PAGE, base + 8 * PAGE));
  EXPECT_OK(ioctl(node, IOAS_UNMAP, &call));
  EXPECT_EQ(call.length, 3 * PAGE);
  call.length = ~0ULL;
  EXPECT_OK(ioctl(node, IOAS_UNMAP, &call));
  EXPECT_EQ(call.length, 0);
}

VARIANT_TEST(errors_of_map, 4) {
  u64 iova = base;
  set_up();
  iova = base;
  EXPECT_ERRNO(EOPNOTSUPP, map_flags(ioas, buffer, PAGE, &iova, FIXED | RW | 8));
  EXPECT_ERRNO(EOVERFLOW, map_flags(999, buffer, ~0ULL, &iova, FIXED));
  EXPECT_ERRNO(EINVAL, map_flags(999, buffer, PAGE, &iova, FIXED));
  EXPECT_ERRNO(ENOENT, map_flags(999, (void*)-1, PAGE, &iova, FIXED | RW));
  EXPECT_ERRNO(EOVERFLOW, map_at(ioas, (void*)-1, PAGE, base));
  EXPECT_ERRNO(EINVAL, map_at(ioas, buffer, 0, base));
  if (mock_count) {
    EXPECT_ERRNO(EINVAL, map_at(ioas, buffer, PAGE + 1, base));
    EXPECT_ERRNO(EINVAL, map_at(ioas, buffer, PAGE, base + 1));
    EXPECT_ERRNO(EINVAL, map_at(ioas, buffer, PAGE, 0));
    EXPECT_ERRNO(EINVAL, map_at(ioas, buffer, PAGE, MOCK_LAST + 1));
    EXPECT_ERRNO(EINVAL, map_at(ioas, buffer + 1, PAGE, base));
    EXPECT_ERRNO(EFAULT, map_at(ioas, (void*)PAGE, PAGE, base));
    EXPECT_ERRNO(ENOENT, unmap(ioas, base, PAGE));
  } else {
    EXPECT_OK(map_at(ioas, (void*)PAGE, PAGE, base));
    EXPECT_OK(map_at(ioas, buffer + 5, 7, 1));
  }
}

VARIANT_TEST(half_pages, 4) {
  int i;
  set_up();
  EXPECT_OK(map_at(ioas, buffer + MOCK_PAGE, MOCK_PAGE, base));
  EXPECT_OK(map_at(ioas, buffer + MOCK_PAGE, 3 * MOCK_PAGE, base + MOCK_PAGE));
  for (i = 0; i < mock_count; i++) {
    EXPECT_OK(check_map(mocks[i].hwpt, base, MOCK_PAGE, buffer + MOCK_PAGE));
    EXPECT_OK(check_map(mocks[i].hwpt, base + MOCK_PAGE, 3 * MOCK_PAGE, buffer + MOCK_PAGE));
  }
  EXPECT_OK(unmap(ioas, base, 4 * MOCK_PAGE));
}

VARIANT_TEST(copies_share_pages, 4) {
  u32 other;
  struct mock second;
  u64 anywhere = 0;
  set_up();
  other = new_ioas();
  EXPECT_OK(map_at(ioas, buffer, 2 * PAGE, base));
  EXPECT_OK(map_at(ioas, buffer + 8 * PAGE, 2 * PAGE, base + 2 * PAGE));
  EXPECT_OK(copy_at(ioas, base + PAGE, 2 * PAGE, other, MOCK_START));
  EXPECT_OK(copy_flags(ioas, base, PAGE, ioas, &anywhere, RW));
  EXPECT_OK(check_refs(buffer, PAGE, mock_count ? 1 : 0));
  EXPECT_OK(mock_domain(other, 0, &second));
  EXPECT_OK(check_map(second.hwpt, MOCK_START, PAGE, buffer + PAGE));
  EXPECT_OK(check_map(second.hwpt, MOCK_START + PAGE, PAGE, buffer + 8 * PAGE));
  EXPECT_OK(check_refs(buffer + PAGE, PAGE, 1));
  EXPECT_OK(unmap(ioas, 0, ~0ULL));
  EXPECT_OK(check_refs(buffer + PAGE, PAGE, 1));
  EXPECT_OK(unmap(other, MOCK_START, PAGE)); /* each source area made an area */
  EXPECT_OK(check_refs(buffer + PAGE, PAGE, 0));
  EXPECT_ERRNO(ENOENT, copy_at(ioas, base, PAGE, other, MOCK_START));
  EXPECT_ERRNO(ENOENT, copy_at(999, base, PAGE, 999, MOCK_START));
}

VARIANT_TEST(a_copy_cannot_add_writing, 4) {
  u64 iova;
  u32 other;
  set_up();
  other = new_ioas();
  iova = base;
  EXPECT_OK(map_flags(ioas, buffer, PAGE, &iova, FIXED | READABLE));
  iova = MOCK_START;
  EXPECT_ERRNO(EPERM, copy_flags(ioas, base, PAGE, other, &iova, FIXED | RW));
  EXPECT_OK(copy_flags(ioas, base, PAGE, other, &iova, FIXED | READABLE));
}

VARIANT_TEST(fuzzers_name_areas_by_number, 4) {
  u64 iova = MOCK_START;
  struct ioas_copy call = {sizeof call, FIXED | RW | 0x10000, 0, 0, PAGE, MOCK_START, 1ULL | PAGE << 32};
  set_up();
  call.from = ioas;
  call.to = new_ioas();
  EXPECT_OK(map_at(ioas, buffer, PAGE, base));
  EXPECT_OK(map_at(ioas, buffer + 4 * PAGE, 2 * PAGE, base + 8 * PAGE));
  EXPECT_OK(ioctl(node, IOAS_COPY, &call)); /* area 1, from its second page */
  {
    struct mock other;
    EXPECT_OK(mock_domain(call.to, 0, &other));
    EXPECT_OK(check_map(other.hwpt, iova, PAGE, buffer + 5 * PAGE));
  }
  call.flags |= 0x20000;
  EXPECT_ERRNO(EOPNOTSUPP, ioctl(node, IOAS_COPY, &call));
}

VARIANT_TEST(ranges_and_reservations, 4) {
  struct iova_range out[4];
  struct iova_ranges call = {sizeof call, 0, 0, 0, 0, 0};
  struct test_command reserve = {0};
  set_up();
  call.ioas = ioas;
  EXPECT_ERRNO(EMSGSIZE, ioctl(node, IOAS_IOVA_RANGES, &call));
  EXPECT_EQ(call.count, 1);
  call.array = address(out);
  EXPECT_OK(ioctl(node, IOAS_IOVA_RANGES, &call));
  EXPECT_EQ(out[0].start, mock_count ? MOCK_START : 0);
  EXPECT_EQ(out[0].last, mock_count ? MOCK_LAST : ~0ULL);
  EXPECT_EQ(call.alignment, mock_count ? MOCK_PAGE : 1);
  reserve.u.q[0] = MOCK_START + 8 * PAGE;
  reserve.u.q[1] = PAGE;
  EXPECT_OK(test_command(1, ioas, &reserve));
  call.count = 4;
  EXPECT_OK(ioctl(node, IOAS_IOVA_RANGES, &call));
  EXPECT_EQ(call.count, 2);
  EXPECT_EQ(out[1].start, MOCK_START + 9 * PAGE);
  EXPECT_ERRNO(EINVAL, map_at(ioas, buffer, PAGE, MOCK_START + 8 * PAGE));
  EXPECT_OK(map_at(ioas, buffer, PAGE, MOCK_START + 9 * PAGE));
  reserve.u.q[0] = MOCK_START + 9 * PAGE;
  EXPECT_ERRNO(EADDRINUSE, test_command(1, ioas, &reserve));
}

VARIANT_TEST(the_allow_list_guides_the_choice, 4) {
  struct iova_range list[2] = {{MOCK_START + 4 * PAGE, MOCK_START + 5 * PAGE - 1},
                               {MOCK_START + 8 * PAGE, MOCK_START + 9 * PAGE - 1}};
  struct allow_iovas call = {sizeof call, 0, 2, 0, address(list)};
  u64 iova;
  set_up();
  call.ioas = ioas;
  EXPECT_OK(ioctl(node, IOAS_ALLOW_IOVAS, &call));
  EXPECT_OK(map_anywhere(ioas, buffer, PAGE, &iova));
  EXPECT_EQ(iova, MOCK_START + 4 * PAGE);
  EXPECT_OK(map_anywhere(ioas, buffer, PAGE, &iova));
  EXPECT_EQ(iova, MOCK_START + 8 * PAGE);
  EXPECT_ERRNO(ENOSPC, map_anywhere(ioas, buffer, PAGE, &iova));
  EXPECT_OK(map_at(ioas, buffer, PAGE, MOCK_START));
}

VARIANT_TEST(choosing_over_and_over, 4) {
  u64 last = 0, iova;
  int i;
  set_up();
  for (i = 0; i < 64; i++) {
    REQUIRE_OK(map_anywhere(ioas, buffer, 2 * PAGE, &iova));
    EXPECT(iova > last && iova % PAGE == 0);
    last = iova;
    if (mock_count) EXPECT_OK(check_map(mocks[mock_count - 1].hwpt, iova, 2 * PAGE, buffer));
  }
  EXPECT_OK(check_refs(buffer, PAGE, mock_count ? 64 : 0));
}

VARIANT_TEST(a_page_table_fills_and_empties, 4) {
  struct mock late;
  set_up();
  EXPECT_OK(map_at(ioas, buffer, 16 * PAGE, MOCK_START));
  EXPECT_OK(mock_domain(ioas, 0, &late));
  EXPECT_OK(check_map(late.hwpt, MOCK_START, 16 * PAGE, buffer));
  EXPECT_OK(check_refs(buffer, 16 * PAGE, 1));
  EXPECT_ERRNO(EBUSY, destroy(late.hwpt));
  EXPECT_ERRNO(EBUSY, destroy(late.idev));
  EXPECT_ERRNO(EBUSY, destroy(ioas));
  EXPECT_OK(destroy(late.stdev));
  EXPECT_OK(check_refs(buffer, 16 * PAGE, mock_count ? 1 : 0));
  while (mock_count) EXPECT_OK(destroy(mocks[--mock_count].stdev));
  EXPECT_OK(check_refs(buffer, 16 * PAGE, 0));
  EXPECT_OK(destroy(ioas));
}

VARIANT_TEST(large_pages_off, 4) {
  struct option call = {sizeof call, 1, 0, 0, 0, 0};
  set_up();
  call.object = ioas;
  EXPECT_OK(ioctl(node, OPTION, &call));
  EXPECT_ERRNO(EINVAL, map_at(ioas, buffer, MOCK_PAGE, base));
  EXPECT_OK(map_at(ioas, buffer, 16 * PAGE, base));
  if (mock_count) EXPECT_OK(check_map(mocks[0].hwpt, base, 16 * PAGE, buffer));
  call.op = 1;
  call.value = 7;
  EXPECT_OK(ioctl(node, OPTION, &call));
  EXPECT_EQ(call.value, 0);
}

TEST(memory_limit_is_judged) {
  REQUIRE_OK(open_node());
  EXPECT_ERRNO(EINVAL, memory_limit(0));
  EXPECT_ERRNO(EINVAL, memory_limit(11));
  EXPECT_OK(memory_limit(12));
  EXPECT_OK(memory_limit(65536));
}

TEST(replacing) {
  u32 other;
  struct mock one, two;
  REQUIRE_OK(open_node());
  ioas = new_ioas();
  other = new_ioas();
  buffer = memory(PAGE);
  REQUIRE_OK(map_at(ioas, buffer, PAGE, MOCK_START));
  REQUIRE_OK(mock_domain(ioas, 0, &one));
  REQUIRE_OK(mock_domain(ioas, 0, &two));
  EXPECT_EQ(one.hwpt, two.hwpt);
  EXPECT_OK(check_refs(buffer, PAGE, 1));
  EXPECT_ERRNO(ENOENT, mock_replace(one.stdev, 999));
  EXPECT_ERRNO(ENOENT, mock_replace(999, other));
  EXPECT_ERRNO(EINVAL, mock_replace(one.stdev, one.idev));
  EXPECT_OK(mock_replace(one.stdev, other));
  EXPECT_OK(check_refs(buffer, PAGE, 1));
  EXPECT_OK(mock_replace(two.stdev, other));
  EXPECT_OK(check_refs(buffer, PAGE, 0));
  EXPECT_ERRNO(ENOENT, destroy(one.hwpt));
  EXPECT_OK(destroy(ioas));
}
