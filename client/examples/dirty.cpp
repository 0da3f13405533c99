// SPDX-License-Identifier: Apache-2.0
// Which pages did the device write? With the C++ half of the library. dirty [/dev/vfio/devices/vfio0]
#include <cstdio>
#include <exception>

#include "examples.h"
#include "ioc.hpp"
#include "test_device.h"

namespace {

constexpr unsigned kPages = 64;
alignas(4096) unsigned char memory[kPages][kBytes];

int run(const ioc_system* system, const char* path) {
  ioc::Context context(system);
  ioc::Device device(context, path);
  std::uint64_t capabilities = 0;
  ioc::check(ioc_capabilities(context.get(), device.id(), &capabilities), "GET_HW_INFO");
  if ((capabilities & IOC_CAN_TRACK_DIRTY) == 0) {
    std::puts("dirty: the IOMMU cannot tell");
    return 0;
  }
  ioc::AddressSpace space(context);
  ioc::PageTable table(context, device, space, IOC_HWPT_DIRTY);
  ioc::Mapping buffer = space.map(memory, sizeof memory);
  device.attach(table);
  device.bus_master(true);
  table.track_dirty(true);
  transfer(device.get(), buffer.iova(), true);  // reads page 0
  for (const unsigned page : {3U, 17U, 63U}) transfer(device.get(), buffer.iova() + page * kBytes, false);
  const std::uint64_t first = table.dirty(buffer.iova(), buffer.bytes()).at(0);
  const std::uint64_t then = table.dirty(buffer.iova(), buffer.bytes()).at(0);
  table.track_dirty(false);
  device.detach();
  std::printf("dirty: %016llx, then %016llx\n", static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(then));
  return first == (1ULL << 3 | 1ULL << 17 | 1ULL << 63) && then == 0 ? 0 : 1;
}

}  // namespace

int example_dirty(const ioc_system* system, const char* path) {
  try {
    return run(system, path);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
