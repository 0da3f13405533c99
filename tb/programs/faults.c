/* SPDX-License-Identifier: Apache-2.0
 * Page requests of mock devices: read, answered, refused. Variant 0: a paging page table; variant 1: a nested one.
 */
#include <poll.h>

#include "abi.h"
#include "harness.h"

static u32 ioas, fault_id, hwpt;
static int fault_fd;
static struct mock mock;

static int alloc_fault(u32* id, int* fd) {
  struct fault_alloc call = {sizeof call, 0, 0, 0};
  if (ioctl(node, FAULT_QUEUE_ALLOC, &call)) return -1;
  *id = call.out_id;
  *fd = call.out_fd;
  return 0;
}

static int alloc_fault_hwpt(u32 fault, u32* out) {
  u32 parent;
  if (!variant) return alloc_hwpt(mock.idev, ioas, FAULT_ID_VALID, 0, 0, 0, fault, out);
  if (alloc_hwpt(mock.idev, ioas, NEST_PARENT, 0, 0, 0, 0, &parent)) return -1;
  return alloc_nested(mock.idev, parent, FAULT_ID_VALID, fault, out);
}

static int trigger(u32 dev, u32 pasid, u32 grpid, u32 perm, u64 at) {
  struct test_command call = {0};
  call.u.w[0] = dev;
  call.u.w[1] = pasid;
  call.u.w[2] = grpid;
  call.u.w[3] = perm;
  call.u.q[2] = at;
  return test_command(15, 0, &call);
}

static void set_up(void) {
  REQUIRE_OK(open_node());
  ioas = new_ioas();
  REQUIRE_OK(mock_domain(ioas, WITH_PASID, &mock));
  REQUIRE_OK(alloc_fault(&fault_id, &fault_fd));
  REQUIRE_OK(alloc_fault_hwpt(fault_id, &hwpt));
}

VARIANT_TEST(a_request_is_read_and_answered, 2) {
  struct page_fault got;
  struct page_response answer = {0, 0};
  struct pollfd ready;
  set_up();
  ready.fd = fault_fd;
  ready.events = POLLIN | POLLOUT;
  EXPECT_OK(trigger(mock.idev, 0, 1, 3, 0x1000)); /* nobody listens: 0 all the same */
  EXPECT_OK(mock_replace(mock.stdev, hwpt));
  EXPECT_EQ(read(fault_fd, &got, sizeof got), 0);
  EXPECT_EQ(poll(&ready, 1, 0), 1);
  EXPECT_EQ(ready.revents, POLLOUT);
  EXPECT_OK(trigger(mock.idev, 0, 7, 3, 0x123000));
  EXPECT_EQ(poll(&ready, 1, 100), 1);
  EXPECT_EQ(ready.revents, POLLIN | POLLOUT);
  EXPECT_EQ(read(fault_fd, &got, sizeof got), sizeof got);
  EXPECT_EQ(got.flags, 2);
  EXPECT_EQ(got.dev, mock.idev);
  EXPECT_EQ(got.pasid, 0);
  EXPECT_EQ(got.grpid, 7);
  EXPECT_EQ(got.perm, 3);
  EXPECT_EQ(got.addr, 0x123000);
  EXPECT_EQ(got.length, 0);
  EXPECT_EQ(got.cookie, 1);
  answer.cookie = 2;
  EXPECT_ERRNO(EINVAL, write(fault_fd, &answer, sizeof answer));
  answer.cookie = 1;
  answer.code = 2;
  EXPECT_ERRNO(EINVAL, write(fault_fd, &answer, sizeof answer));
  answer.code = 1;
  EXPECT_EQ(write(fault_fd, &answer, sizeof answer), sizeof answer);
  EXPECT_ERRNO(EINVAL, write(fault_fd, &answer, sizeof answer));
}

VARIANT_TEST(cookies_and_permissions, 2) {
  struct page_fault got[4];
  struct page_response answers[3] = {{1, 0}, {3, 1}, {9, 0}};
  u32 i;
  set_up();
  EXPECT_OK(mock_replace(mock.stdev, hwpt));
  for (i = 0; i < 3; i++) EXPECT_OK(trigger(mock.idev, 0, i, 1U << i | 0x10, PAGE * i));
  EXPECT_ERRNO(ESPIPE, read(fault_fd, got, 39));
  EXPECT_EQ(read(fault_fd, got, 2 * sizeof got[0]), 80);
  EXPECT_EQ(read(fault_fd, got + 2, 2 * sizeof got[0]), 40);
  for (i = 0; i < 3; i++) {
    EXPECT_EQ(got[i].cookie, i + 1);
    EXPECT_EQ(got[i].perm, 1U << i | 0x10);
  }
  EXPECT_EQ(write(fault_fd, answers, sizeof answers), 16); /* the third is unknown */
  EXPECT_OK(trigger(mock.idev, 0, 4, 1, 0));
  EXPECT_EQ(read(fault_fd, got, sizeof got[0]), 40);
  EXPECT_EQ(got[0].cookie, 1); /* the lowest free one */
}

VARIANT_TEST(a_detached_device_owes_nothing, 2) {
  struct page_fault got;
  struct page_response answer = {1, 0};
  set_up();
  EXPECT_OK(mock_replace(mock.stdev, hwpt));
  EXPECT_OK(trigger(mock.idev, 0, 1, 1, 0));
  EXPECT_OK(trigger(mock.idev, 0, 2, 1, 0));
  EXPECT_EQ(read(fault_fd, &got, sizeof got), 40);
  EXPECT_OK(mock_replace(mock.stdev, ioas));
  EXPECT_EQ(read(fault_fd, &got, sizeof got), 0);
  EXPECT_ERRNO(EINVAL, write(fault_fd, &answer, sizeof answer));
  EXPECT_OK(trigger(mock.idev, 0, 3, 1, 0));
  EXPECT_EQ(read(fault_fd, &got, sizeof got), 0);
}

VARIANT_TEST(who_holds_whom, 2) {
  u32 dummy, second;
  int other;
  set_up();
  EXPECT_ERRNO(EBUSY, destroy(fault_id));
  EXPECT_OK(close(fault_fd));
  EXPECT_ERRNO(EBUSY, destroy(fault_id)); /* the page table names it */
  EXPECT_OK(destroy(hwpt));
  EXPECT_OK(destroy(fault_id));
  EXPECT_ERRNO(ENOENT, alloc_fault_hwpt(fault_id, &dummy));
  EXPECT_ERRNO(ENOENT, trigger(999, 0, 0, 0, 0));
  EXPECT_OK(alloc_fault(&second, &other));
  EXPECT_ERRNO(EBUSY, destroy(second));
}

TEST(requests_with_a_pasid) {
  struct page_fault got;
  u32 table;
  set_up();
  REQUIRE_OK(alloc_hwpt(mock.idev, ioas, FAULT_ID_VALID | FOR_PASID, 0, 0, 0, fault_id, &table));
  REQUIRE_OK(mock_replace(mock.stdev, table));
  EXPECT_OK(pasid_command(18, mock.stdev, 100, &table));
  EXPECT_OK(trigger(mock.idev, 100, 5, 2, 0x4000));
  EXPECT_EQ(read(fault_fd, &got, sizeof got), 40);
  EXPECT_EQ(got.flags, 3);
  EXPECT_EQ(got.pasid, 100);
  EXPECT_OK(pasid_command(20, mock.stdev, 100, 0));
}
