/* SPDX-License-Identifier: Apache-2.0
 * Page tables with data, nested ones, vIOMMUs with their devices, events and queues.
 */
#include <poll.h>

#include "abi.h"
#include "harness.h"

struct hwpt_entry { u32 flags, index; };
struct cache_entry { u32 flags, device, index; };
struct viommu_data { u32 in, out; u64 offset, length; };

static u32 ioas, parent;
static struct mock mock;
static unsigned char* buffer;

static void set_up(void) {
  REQUIRE_OK(open_node());
  ioas = new_ioas();
  REQUIRE_OK(mock_domain(ioas, 0, &mock));
  REQUIRE_OK(alloc_hwpt(mock.idev, ioas, NEST_PARENT, 0, 0, 0, 0, &parent));
  buffer = memory(8 * PAGE);
}

static int invalidate(u32 id, u32 type, const void* entries, u32 length, u32* count) {
  struct invalidate call = {sizeof call, id, address(entries), type, length, *count, 0};
  int result = ioctl(node, HWPT_INVALIDATE, &call);
  *count = call.entry_num;
  return result;
}

static int alloc_viommu(u32 type, u32 hwpt, const void* data, u32 length, u32* out) {
  struct viommu_alloc call = {sizeof call, 0, type, mock.idev, hwpt, 0, length, 0, address(data)};
  if (ioctl(node, VIOMMU_ALLOC, &call)) return -1;
  *out = call.out_id;
  return 0;
}

static int alloc_vdevice(u32 viommu, u32 dev, u64 number, u32* out) {
  struct vdevice_alloc call = {sizeof call, viommu, dev, 0, number};
  if (ioctl(node, VDEVICE_ALLOC, &call)) return -1;
  *out = call.out_id;
  return 0;
}

static int alloc_veventq(u32 viommu, u32 type, u32 depth, u32* out, int* fd) {
  struct veventq_alloc call = {sizeof call, 0, viommu, type, depth, 0, 0, 0};
  if (ioctl(node, VEVENTQ_ALLOC, &call)) return -1;
  *out = call.out_id;
  *fd = call.out_fd;
  return 0;
}

static int alloc_queue(u32 viommu, u32 type, u32 index, u64 iova, u64 length, u32* out) {
  struct hw_queue_alloc call = {sizeof call, 0, viommu, type, index, 0, iova, length};
  if (ioctl(node, HW_QUEUE_ALLOC, &call)) return -1;
  *out = call.out_id;
  return 0;
}

static int trigger_event(u32 dev) {
  struct test_command call = {0};
  call.u.w[0] = dev;
  return test_command(17, 0, &call);
}

TEST(page_tables_of_two_kinds) {
  u32 data[2] = {0, 1}, hwpt, dummy;
  set_up();
  REQUIRE_OK(map_at(ioas, buffer, 4 * PAGE, MOCK_START));
  EXPECT_OK(check_map(parent, MOCK_START, 4 * PAGE, buffer));
  EXPECT_OK(check_refs(buffer, 4 * PAGE, 1));
  EXPECT_OK(alloc_hwpt(mock.idev, ioas, 0, MOCK_HWPT_TYPE, data, 8, 0, &hwpt));
  EXPECT_OK(check_map(hwpt, MOCK_START, 4 * PAGE, buffer));
  EXPECT_ERRNO(EINVAL, check_map(hwpt, MOCK_START, MOCK_PAGE, buffer)); /* its pages are of 4 KiB */
  EXPECT_OK(mock_replace(mock.stdev, hwpt));
  EXPECT_ERRNO(EBUSY, destroy(hwpt));
  EXPECT_OK(mock_replace(mock.stdev, parent));
  EXPECT_OK(destroy(hwpt));
  data[1] = 2;
  EXPECT_ERRNO(EOPNOTSUPP, alloc_hwpt(mock.idev, ioas, 0, MOCK_HWPT_TYPE, data, 8, 0, &dummy));
  EXPECT_ERRNO(EOPNOTSUPP, alloc_hwpt(mock.idev, ioas, 16, 0, 0, 0, 0, &dummy));
  EXPECT_ERRNO(EINVAL, alloc_hwpt(mock.idev, ioas, 0, MOCK_HWPT_TYPE, data, 0, 0, &dummy));
  EXPECT_ERRNO(EINVAL, alloc_hwpt(mock.idev, ioas, 0, 0, data, 8, 0, &dummy));
  EXPECT_ERRNO(EINVAL, alloc_hwpt(mock.idev, 999, 0, 0, 0, 0, 0, &dummy));
  EXPECT_ERRNO(ENOENT, alloc_hwpt(999, ioas, 0, 0, 0, 0, 0, &dummy));
}

TEST(large_leaves_hold_small_copies) {
  u32 data[2] = {0, 1}, hwpt;
  u64 megabyte = 1 << 20;
  unsigned char* raw = memory(4 * megabyte);
  unsigned char* big = raw + (megabyte - address(raw) % megabyte);
  set_up();
  REQUIRE_OK(alloc_hwpt(mock.idev, ioas, 0, MOCK_HWPT_TYPE, data, 8, 0, &hwpt));
  REQUIRE_OK(map_at(ioas, big, 2 * megabyte, 32 * megabyte));
  EXPECT_OK(check_map(hwpt, 32 * megabyte, 2 * megabyte, big));
  EXPECT_OK(check_map(parent, 32 * megabyte, 2 * megabyte, big));
  EXPECT_OK(check_refs(big, 2 * megabyte, 1));
  EXPECT_OK(unmap(ioas, 32 * megabyte, 2 * megabyte));
  EXPECT_ERRNO(EINVAL, check_map(hwpt, 32 * megabyte, PAGE, big));
}

TEST(information) {
  u32 data[4] = {7, 7, 7, 7};
  struct hw_info call = {sizeof call, 0, 0, sizeof data, 0, 0, 9, {0}, 0};
  struct mock other;
  set_up();
  call.dev = mock.idev;
  call.data = address(data);
  EXPECT_OK(ioctl(node, GET_HW_INFO, &call));
  EXPECT_EQ(call.type, MOCK_INFO_TYPE);
  EXPECT_EQ(call.data_len, 8);
  EXPECT_EQ(data[0], 0);
  EXPECT_EQ(data[1], 0xdeadbeef);
  EXPECT_EQ(data[2], 0);
  EXPECT_EQ(call.pasid_log2, 0);
  EXPECT_EQ(call.caps, 1);
  call.flags = 1;
  call.type = 1;
  EXPECT_ERRNO(EOPNOTSUPP, ioctl(node, GET_HW_INFO, &call));
  call.type = MOCK_INFO_TYPE;
  EXPECT_OK(ioctl(node, GET_HW_INFO, &call));
  EXPECT_OK(mock_domain(ioas, ONLY_NO_DIRTY | WITH_PASID, &other));
  call.flags = 0;
  call.dev = other.idev;
  call.data_len = 0;
  call.data = 0;
  EXPECT_OK(ioctl(node, GET_HW_INFO, &call));
  EXPECT_EQ(call.pasid_log2, 20);
  EXPECT_EQ(call.caps & 1, 0);
}

TEST(nested_page_tables) {
  u32 nested[2], dummy, words[2] = {MOCK_WORD, 0};
  int i;
  set_up();
  EXPECT_ERRNO(EINVAL, alloc_nested(mock.idev, mock.hwpt, 0, 0, &dummy));
  EXPECT_ERRNO(EOPNOTSUPP, alloc_hwpt(mock.idev, parent, 0, 0, 0, 0, 0, &dummy));
  EXPECT_ERRNO(EOPNOTSUPP, alloc_hwpt(mock.idev, parent, DIRTY_TRACKING, MOCK_HWPT_TYPE, words, 8, 0, &dummy));
  EXPECT_ERRNO(EOPNOTSUPP, alloc_hwpt(mock.idev, parent, 0, 1, words, 8, 0, &dummy));
  EXPECT_ERRNO(EINVAL, alloc_hwpt(mock.idev, parent, 0, MOCK_HWPT_TYPE, words, 3, 0, &dummy));
  EXPECT_ERRNO(EINVAL, alloc_hwpt(mock.idev, parent, 0, MOCK_HWPT_TYPE, words, 9, 0, &dummy));
  for (i = 0; i < 2; i++) REQUIRE_OK(alloc_nested(mock.idev, parent, 0, 0, &nested[i]));
  EXPECT_ERRNO(EINVAL, alloc_nested(mock.idev, nested[0], 0, 0, &dummy));
  for (i = 0; i < 4; i++) EXPECT_OK(check_iotlb(nested[0], (u32)i, MOCK_WORD));
  EXPECT_ERRNO(EINVAL, check_iotlb(nested[0], 4, MOCK_WORD));
  EXPECT_ERRNO(EINVAL, check_iotlb(nested[0], 0, 0));
  EXPECT_ERRNO(ENOENT, check_iotlb(parent, 0, MOCK_WORD));
  EXPECT_ERRNO(EBUSY, destroy(parent));
  EXPECT_OK(mock_replace(mock.stdev, nested[0]));
  EXPECT_ERRNO(EBUSY, destroy(nested[0]));
  EXPECT_OK(mock_replace(mock.stdev, nested[1]));
  EXPECT_OK(destroy(nested[0]));
  EXPECT_OK(mock_replace(mock.stdev, ioas));
  EXPECT_OK(destroy(nested[1]));
  EXPECT_OK(destroy(parent));
}

TEST(invalidations_of_a_nested_page_table) {
  struct hwpt_entry entries[3] = {{0, 0}, {0, 2}, {1, 0}};
  u32 nested, count = 0;
  int i;
  set_up();
  REQUIRE_OK(alloc_nested(mock.idev, parent, 0, 0, &nested));
  EXPECT_OK(invalidate(nested, MOCK_TYPE, 0, 0, &count));
  EXPECT_ERRNO(EINVAL, invalidate(nested, 0xdadbeef, 0, 0, &count));
  count = 1;
  EXPECT_ERRNO(EINVAL, invalidate(nested, MOCK_TYPE, 0, 8, &count));
  EXPECT_EQ(count, 0);
  count = 1;
  EXPECT_ERRNO(EINVAL, invalidate(nested, MOCK_TYPE, entries, 0, &count));
  EXPECT_EQ(count, 0);
  count = 1;
  EXPECT_ERRNO(EINVAL, invalidate(nested, MOCK_TYPE, entries, 12, &count));
  count = 1;
  EXPECT_ERRNO(ENOENT, invalidate(999, MOCK_TYPE, entries, 8, &count));
  EXPECT_EQ(count, 0);
  count = 1;
  EXPECT_ERRNO(EINVAL, invalidate(parent, MOCK_TYPE, entries, 8, &count));
  count = 2;
  EXPECT_OK(invalidate(nested, MOCK_TYPE, entries, 8, &count));
  EXPECT_EQ(count, 2);
  EXPECT_OK(check_iotlb(nested, 0, 0));
  EXPECT_OK(check_iotlb(nested, 1, MOCK_WORD));
  EXPECT_OK(check_iotlb(nested, 2, 0));
  entries[0].index = 1;
  entries[1].flags = 2;
  count = 3;
  EXPECT_ERRNO(EOPNOTSUPP, invalidate(nested, MOCK_TYPE, entries, 8, &count));
  EXPECT_EQ(count, 1);
  EXPECT_OK(check_iotlb(nested, 3, MOCK_WORD));
  entries[1].flags = 0;
  entries[1].index = 4;
  count = 3;
  EXPECT_ERRNO(EINVAL, invalidate(nested, MOCK_TYPE, entries, 8, &count));
  EXPECT_EQ(count, 1);
  count = 1;
  EXPECT_OK(invalidate(nested, MOCK_TYPE, &entries[2], 8, &count));
  for (i = 0; i < 4; i++) EXPECT_OK(check_iotlb(nested, (u32)i, 0));
}

TEST(a_viommu_and_its_region) {
  struct viommu_data data = {0x1234, 0, 0, 0};
  u32 viommu, dummy;
  u32* seen;
  set_up();
  EXPECT_ERRNO(EOPNOTSUPP, alloc_viommu(0, parent, 0, 0, &dummy));
  EXPECT_ERRNO(EOPNOTSUPP, alloc_viommu(1, parent, 0, 0, &dummy));
  EXPECT_ERRNO(ENOENT, alloc_viommu(MOCK_TYPE, 999, 0, 0, &dummy));
  EXPECT_ERRNO(EINVAL, alloc_viommu(MOCK_TYPE, mock.hwpt, 0, 0, &dummy));
  EXPECT_ERRNO(EINVAL, alloc_viommu(MOCK_TYPE, parent, &data, 7, &dummy));
  EXPECT_ERRNO(EINVAL, alloc_viommu(MOCK_TYPE, parent, &data, 25, &dummy));
  EXPECT_ERRNO(EFAULT, alloc_viommu(MOCK_TYPE, parent, (void*)PAGE, 24, &dummy));
  REQUIRE_OK(alloc_viommu(MOCK_TYPE, parent, &data, sizeof data, &viommu));
  EXPECT_EQ(data.out, 0x1234);
  EXPECT_EQ(data.length, 2 * PAGE);
  EXPECT(data.offset != 0 && data.offset % PAGE == 0);
  EXPECT_ERRNO(EBUSY, destroy(parent));
  EXPECT_ERRNO(ENXIO, mmap(0, PAGE, PROT_READ, MAP_SHARED, node, (off_t)data.offset));
  EXPECT_ERRNO(ENXIO, mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED, node, (off_t)(data.offset + PAGE)));
  EXPECT_ERRNO(ENXIO, mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED, node, 0));
  EXPECT_ERRNO(EINVAL, mmap(0, 2 * PAGE, PROT_READ, MAP_PRIVATE, node, (off_t)data.offset));
  EXPECT_ERRNO(EPERM, mmap(0, 2 * PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, node, (off_t)data.offset));
  seen = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, node, (off_t)data.offset);
  EXPECT(seen != MAP_FAILED);
  if (seen == MAP_FAILED) return;
  EXPECT_EQ(seen[0], 0x1234);
  EXPECT_ERRNO(EBUSY, destroy(viommu));
  EXPECT_OK(munmap(seen, 2 * PAGE));
  EXPECT_OK(destroy(viommu));
  EXPECT_ERRNO(ENXIO, mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED, node, (off_t)data.offset));
}

TEST(devices_of_a_guest) {
  u32 viommu, second, nested, vdevice, dummy;
  struct mock other;
  set_up();
  REQUIRE_OK(alloc_viommu(MOCK_TYPE, parent, 0, 0, &viommu));
  REQUIRE_OK(alloc_viommu(MOCK_TYPE, parent, 0, 0, &second));
  REQUIRE_OK(mock_domain(ioas, 0, &other));
  REQUIRE_OK(alloc_nested(mock.idev, viommu, 0, 0, &nested));
  EXPECT_ERRNO(EBUSY, destroy(viommu));
  EXPECT_ERRNO(ENOENT, mock_replace(mock.stdev, nested)); /* it has no vDEVICE */
  EXPECT_ERRNO(ENOENT, alloc_vdevice(999, mock.idev, 5, &dummy));
  EXPECT_ERRNO(ENOENT, alloc_vdevice(viommu, 999, 5, &dummy));
  EXPECT_OK(alloc_vdevice(viommu, mock.idev, 0x99, &vdevice));
  EXPECT_ERRNO(EEXIST, alloc_vdevice(viommu, mock.idev, 0x98, &dummy));
  EXPECT_ERRNO(EEXIST, alloc_vdevice(second, mock.idev, 0x99, &dummy));
  EXPECT_ERRNO(EEXIST, alloc_vdevice(viommu, other.idev, 0x99, &dummy));
  EXPECT_OK(mock_replace(mock.stdev, nested));
  EXPECT_OK(mock_replace(mock.stdev, ioas));
  EXPECT_OK(destroy(vdevice));
  EXPECT_OK(alloc_vdevice(viommu, mock.idev, 0x99, &vdevice));
  EXPECT_OK(destroy(nested));
  EXPECT_ERRNO(EBUSY, destroy(viommu));
  EXPECT_OK(destroy(mock.stdev));
  EXPECT_ERRNO(ENOENT, destroy(vdevice)); /* went with its device */
  EXPECT_OK(destroy(viommu));
  {
    u32 next = new_ioas();
    u32 more = new_ioas();
    EXPECT(next != vdevice && more != vdevice && new_ioas() != vdevice);
  }
}

TEST(invalidations_of_a_viommu) {
  struct cache_entry entries[2] = {{0, 0x99, 1}, {0, 0x98, 0}};
  u32 viommu, vdevice, count = 0;
  u32 wide[8] = {0, 0x99, 0, 0, 0, 0x99, 1, 1};
  int i;
  set_up();
  REQUIRE_OK(alloc_viommu(MOCK_TYPE, parent, 0, 0, &viommu));
  REQUIRE_OK(alloc_vdevice(viommu, mock.idev, 0x99, &vdevice));
  for (i = 0; i < 4; i++) EXPECT_OK(check_cache(mock.idev, (u32)i, 0xbaddad));
  EXPECT_ERRNO(EINVAL, check_cache(mock.idev, 4, 0xbaddad));
  EXPECT_ERRNO(EINVAL, check_cache(mock.idev, 0, 0));
  EXPECT_ERRNO(ENOENT, check_cache(mock.stdev, 0, 0));
  EXPECT_OK(invalidate(viommu, MOCK_TYPE, 0, 0, &count));
  count = 1;
  EXPECT_ERRNO(EINVAL, invalidate(viommu, 0xdadbeef, entries, 12, &count));
  EXPECT_EQ(count, 0);
  count = 2;
  EXPECT_ERRNO(E2BIG, invalidate(viommu, MOCK_TYPE, wide, 16, &count));
  EXPECT_EQ(count, 0);
  EXPECT_OK(check_cache(mock.idev, 0, 0xbaddad));
  count = 2;
  EXPECT_ERRNO(EINVAL, invalidate(viommu, MOCK_TYPE, entries, 12, &count));
  EXPECT_EQ(count, 1);
  EXPECT_OK(check_cache(mock.idev, 1, 0));
  entries[0].flags = 2;
  count = 1;
  EXPECT_ERRNO(EOPNOTSUPP, invalidate(viommu, MOCK_TYPE, entries, 12, &count));
  EXPECT_EQ(count, 0);
  count = 1;
  EXPECT_OK(invalidate(viommu, MOCK_TYPE, wide, 8, &count)); /* zero-extended */
  EXPECT_OK(check_cache(mock.idev, 0, 0));
  EXPECT_OK(check_cache(mock.idev, 2, 0xbaddad));
  entries[0].flags = 1;
  count = 1;
  EXPECT_OK(invalidate(viommu, MOCK_TYPE, entries, 12, &count));
  for (i = 0; i < 4; i++) EXPECT_OK(check_cache(mock.idev, (u32)i, 0));
}

TEST(events_for_a_guest) {
  u32 viommu, nested, vdevice, queue, dummy;
  u32 out[9];
  int fd, other, i;
  struct pollfd ready;
  set_up();
  REQUIRE_OK(alloc_viommu(MOCK_TYPE, parent, 0, 0, &viommu));
  REQUIRE_OK(alloc_nested(mock.idev, viommu, 0, 0, &nested));
  EXPECT_ERRNO(EOPNOTSUPP, alloc_veventq(viommu, 0, 4, &dummy, &other));
  EXPECT_ERRNO(EINVAL, alloc_veventq(viommu, MOCK_EVENT_TYPE, 0, &dummy, &other));
  EXPECT_ERRNO(ENOENT, alloc_veventq(999, MOCK_EVENT_TYPE, 4, &dummy, &other));
  EXPECT_ERRNO(ENOENT, trigger_event(999));
  EXPECT_ERRNO(ENOENT, trigger_event(mock.idev));
  REQUIRE_OK(alloc_vdevice(viommu, mock.idev, 0x99, &vdevice));
  EXPECT_ERRNO(ENOENT, trigger_event(mock.idev)); /* not attached inside */
  REQUIRE_OK(mock_replace(mock.stdev, nested));
  EXPECT_ERRNO(EOPNOTSUPP, trigger_event(mock.idev));
  REQUIRE_OK(alloc_veventq(viommu, MOCK_EVENT_TYPE, 2, &queue, &fd));
  EXPECT_ERRNO(EEXIST, alloc_veventq(viommu, MOCK_EVENT_TYPE, 2, &dummy, &other));
  ready.fd = fd;
  ready.events = POLLIN | POLLOUT;
  EXPECT_EQ(poll(&ready, 1, 0), 0);
  EXPECT_EQ(read(fd, out, sizeof out), 0);
  EXPECT_OK(trigger_event(mock.idev));
  EXPECT_EQ(poll(&ready, 1, 100), 1);
  EXPECT_EQ(ready.revents, POLLIN);
  EXPECT_EQ(read(fd, out, 11), 0);
  EXPECT_EQ(read(fd, out, sizeof out), 12);
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[1], 0);
  EXPECT_EQ(out[2], 0x99);
  for (i = 0; i < 4; i++) EXPECT_OK(trigger_event(mock.idev)); /* two are lost */
  EXPECT_EQ(read(fd, out, sizeof out), 32);
  EXPECT_EQ(out[1], 1);
  EXPECT_EQ(out[4], 2);
  EXPECT_EQ(out[6], 1); /* lost events */
  EXPECT_EQ(out[7], 4);
  EXPECT_OK(trigger_event(mock.idev));
  EXPECT_EQ(read(fd, out, sizeof out), 12);
  EXPECT_EQ(out[1], 5);
  EXPECT_ERRNO(EINVAL, write(fd, out, 8));
  EXPECT_ERRNO(EBUSY, destroy(queue));
  EXPECT_ERRNO(EBUSY, destroy(viommu));
  EXPECT_OK(close(fd));
  EXPECT_OK(destroy(queue));
  EXPECT_ERRNO(EOPNOTSUPP, trigger_event(mock.idev));
}

TEST(queues_in_guest_memory) {
  u32 viommu, first, second, dummy;
  u64 at = MOCK_START;
  set_up();
  REQUIRE_OK(alloc_viommu(MOCK_TYPE, parent, 0, 0, &viommu));
  EXPECT_ERRNO(EOPNOTSUPP, alloc_queue(viommu, 0, 0, at, PAGE, &dummy));
  EXPECT_ERRNO(EINVAL, alloc_queue(viommu, MOCK_TYPE, 0, at, 0, &dummy));
  EXPECT_ERRNO(EOVERFLOW, alloc_queue(viommu, MOCK_TYPE, 0, ~0ULL, PAGE, &dummy));
  EXPECT_ERRNO(ENOENT, alloc_queue(999, MOCK_TYPE, 0, at, PAGE, &dummy));
  EXPECT_ERRNO(EOPNOTSUPP, alloc_queue(viommu, 1, 0, at, PAGE, &dummy));
  EXPECT_ERRNO(ENOENT, alloc_queue(viommu, MOCK_TYPE, 0, at, PAGE, &dummy));
  REQUIRE_OK(map_at(ioas, buffer, 2 * PAGE, at));
  EXPECT_ERRNO(EINVAL, alloc_queue(viommu, MOCK_TYPE, 2, at, PAGE, &dummy));
  EXPECT_ERRNO(EIO, alloc_queue(viommu, MOCK_TYPE, 1, at, PAGE, &dummy));
  EXPECT_OK(alloc_queue(viommu, MOCK_TYPE, 0, at, PAGE, &first));
  EXPECT_ERRNO(EEXIST, alloc_queue(viommu, MOCK_TYPE, 0, at, PAGE, &dummy));
  EXPECT_OK(alloc_queue(viommu, MOCK_TYPE, 1, at + PAGE, PAGE, &second));
  EXPECT_EQ(second, first + 2); /* each takes an id for its access, too */
  EXPECT_ERRNO(EBUSY, destroy(first + 1));
  EXPECT_ERRNO(EBUSY, destroy(first));
  EXPECT_ERRNO(EBUSY, destroy(viommu));
  EXPECT_ERRNO(EBUSY, unmap(ioas, at, 2 * PAGE));
  EXPECT_OK(destroy(second));
  EXPECT_ERRNO(EBUSY, unmap(ioas, at, 2 * PAGE));
  EXPECT_OK(destroy(first));
  EXPECT_OK(unmap(ioas, at, 2 * PAGE));
}
