/* SPDX-License-Identifier: Apache-2.0
 * Attachments by PASID: variant 0 with paging page tables, variant 1 with nested ones.
 */
#include "abi.h"
#include "harness.h"

enum { ATTACH = 18, REPLACE = 19, DETACH = 20 };

static u32 ioas, plain, table, second;
static struct mock mock;

static int check_pasid(u32 stdev, u32 pasid, u32 hwpt) {
  struct test_command call = {0};
  call.u.w[0] = pasid;
  call.u.w[1] = hwpt;
  return test_command(21, stdev, &call);
}

static void set_up(void) {
  u32 parent;
  REQUIRE_OK(open_node());
  ioas = new_ioas();
  REQUIRE_OK(mock_domain(ioas, WITH_PASID, &mock));
  REQUIRE_OK(alloc_hwpt(mock.idev, ioas, 0, 0, 0, 0, 0, &plain));
  if (variant) {
    REQUIRE_OK(alloc_hwpt(mock.idev, ioas, NEST_PARENT, 0, 0, 0, 0, &parent));
    REQUIRE_OK(alloc_nested(mock.idev, parent, FOR_PASID, 0, &table));
    REQUIRE_OK(alloc_nested(mock.idev, parent, FOR_PASID, 0, &second));
  } else {
    REQUIRE_OK(alloc_hwpt(mock.idev, ioas, FOR_PASID, 0, 0, 0, 0, &table));
    REQUIRE_OK(alloc_hwpt(mock.idev, ioas, FOR_PASID, 0, 0, 0, 0, &second));
  }
}

VARIANT_TEST(attach_replace_detach, 2) {
  u32 pt = table;
  set_up();
  pt = table;
  EXPECT_ERRNO(ENOENT, pasid_command(ATTACH, 999, 100, &pt));
  EXPECT_ERRNO(ENOENT, pasid_command(REPLACE, 999, 100, &pt));
  EXPECT_ERRNO(ENOENT, pasid_command(DETACH, 999, 100, 0));
  EXPECT_ERRNO(EINVAL, pasid_command(ATTACH, mock.stdev, 100, &pt)); /* the device sits on a plain one */
  EXPECT_OK(mock_replace(mock.stdev, second));
  EXPECT_OK(check_pasid(mock.stdev, 100, 0));
  EXPECT_ERRNO(EINVAL, check_pasid(mock.stdev, 100, table));
  EXPECT_OK(pasid_command(ATTACH, mock.stdev, 100, &pt));
  EXPECT_EQ(pt, table);
  EXPECT_ERRNO(EINVAL, check_pasid(mock.stdev, 100, 0));
  EXPECT_OK(check_pasid(mock.stdev, 100, table));
  EXPECT_ERRNO(EINVAL, check_pasid(mock.stdev, 100, second));
  EXPECT_ERRNO(ENOENT, check_pasid(mock.stdev, 100, 999));
  EXPECT_ERRNO(EINVAL, check_pasid(mock.stdev, 100, ioas));
  EXPECT_ERRNO(ENOENT, check_pasid(999, 100, 0));
  EXPECT_ERRNO(EBUSY, pasid_command(ATTACH, mock.stdev, 100, &pt));
  EXPECT_ERRNO(EBUSY, destroy(table));
  pt = plain;
  EXPECT_ERRNO(EINVAL, pasid_command(REPLACE, mock.stdev, 100, &pt));
  EXPECT_ERRNO(EINVAL, mock_replace(mock.stdev, plain)); /* not while a pasid is attached */
  pt = ioas;
  EXPECT_ERRNO(EINVAL, pasid_command(REPLACE, mock.stdev, 100, &pt));
  pt = 999;
  EXPECT_ERRNO(ENOENT, pasid_command(REPLACE, mock.stdev, 100, &pt));
  pt = second;
  EXPECT_ERRNO(EINVAL, pasid_command(REPLACE, mock.stdev, 101, &pt)); /* nothing to replace */
  EXPECT_OK(pasid_command(REPLACE, mock.stdev, 100, &pt));
  EXPECT_OK(check_pasid(mock.stdev, 100, second));
  EXPECT_OK(pasid_command(DETACH, mock.stdev, 100, 0));
  EXPECT_OK(pasid_command(DETACH, mock.stdev, 100, 0));
  EXPECT_OK(check_pasid(mock.stdev, 100, 0));
  EXPECT_OK(destroy(table));
}

VARIANT_TEST(widths_and_devices_without, 2) {
  struct mock without;
  u32 pt;
  set_up();
  EXPECT_OK(mock_replace(mock.stdev, table));
  pt = table;
  EXPECT_ERRNO(EINVAL, pasid_command(ATTACH, mock.stdev, 1 << 20, &pt));
  EXPECT_OK(pasid_command(ATTACH, mock.stdev, (1 << 20) - 1, &pt));
  REQUIRE_OK(mock_domain(ioas, 0, &without));
  EXPECT_OK(mock_replace(without.stdev, table)); /* fine without a pasid */
  pt = table;
  EXPECT_ERRNO(EINVAL, pasid_command(ATTACH, without.stdev, 5, &pt));
  EXPECT_OK(pasid_command(DETACH, mock.stdev, (1 << 20) - 1, 0));
}

VARIANT_TEST(the_pasid_of_errors, 2) {
  u32 pt;
  set_up();
  EXPECT_OK(mock_replace(mock.stdev, table));
  pt = table;
  EXPECT_OK(pasid_command(ATTACH, mock.stdev, 1024, &pt));
  pt = second;
  EXPECT_ERRNO(ENOMEM, pasid_command(REPLACE, mock.stdev, 1024, &pt));
  EXPECT_OK(check_pasid(mock.stdev, 1024, table)); /* the old one serves on */
  EXPECT_OK(pasid_command(REPLACE, mock.stdev, 1024, &pt));
  EXPECT_OK(check_pasid(mock.stdev, 1024, second));
  EXPECT_OK(pasid_command(DETACH, mock.stdev, 1024, 0));
}

VARIANT_TEST(a_device_that_goes_with_a_pasid_attached, 2) {
  u32 pt;
  set_up();
  EXPECT_OK(mock_replace(mock.stdev, table));
  pt = second;
  EXPECT_OK(pasid_command(ATTACH, mock.stdev, 7, &pt));
  EXPECT_OK(destroy(mock.stdev));
  EXPECT_OK(check_cache(mock.idev, 0, 0xbaddad)); /* the device stays */
  EXPECT_ERRNO(EBUSY, destroy(second));
  EXPECT_ERRNO(ENOENT, pasid_command(DETACH, mock.stdev, 7, 0));
  EXPECT_OK(close(node)); /* and goes with the context */
}
