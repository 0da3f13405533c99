// SPDX-License-Identifier: Apache-2.0
// IOAS_MAP, IOAS_MAP_FILE, IOAS_COPY, IOAS_UNMAP (uapi 3.4 to 3.7). Numbers in comments are the rows of the tables
// there.
#include <cerrno>

#include "hal/file.h"
#include "iommufd/call.h"
#include "iommufd/handlers.h"
#include "iommufd/ioas.h"
#include "iommufd/map_user.h"
#include "uapi/test_command.h"

namespace iommusim::iommufd {
namespace {

using pagetable::kMaxAddress;
using pagetable::kPage;

constexpr std::uint32_t kMapFlags =
    uapi::kIommuIoasMapFixedIova | uapi::kIommuIoasMapReadable | uapi::kIommuIoasMapWriteable;

unsigned prot_of(std::uint32_t flags) {
  return (flags & uapi::kIommuIoasMapReadable ? domain::kRead : 0U) |
         (flags & uapi::kIommuIoasMapWriteable ? domain::kWrite : 0U);
}

int map_slices(Call& call, Ioas& ioas, const std::vector<pagetable::Slice>& slices, unsigned prot, bool fixed,
               std::uint64_t& iova) {
  pagetable::Mapping& mapping = call.begin_mapping(ioas.space());
  if (const int error = mapping.place(slices, prot, fixed, iova)) return error;
  return mapping.fill();
}

int map_slices(Call& call, Ioas& ioas, const std::vector<pagetable::Slice>& slices, std::uint32_t flags,
               std::uint64_t& iova) {
  return map_slices(call, ioas, slices, prot_of(flags), (flags & uapi::kIommuIoasMapFixedIova) != 0, iova);
}

/// What MAP_FILE maps. EBADF, EINVAL, ENODEV, EOPNOTSUPP.
int file_pages(Call& call, const uapi::IommuIoasMapFile& argument, std::shared_ptr<pagetable::PageArray>& out) {
  const bool writable = (argument.flags & uapi::kIommuIoasMapWriteable) != 0;
  hal::Os& os = call.context().os();
  hal::Process& caller = call.caller();
  hal::Files* const files = caller.files();
  std::shared_ptr<hal::File> file;
  if (!files || files->find(argument.fd, file) != 0) return EBADF;
  if (file && file->dma_buf()) {
    auto window = std::make_unique<pagetable::DmaWindow>(os, std::move(file), argument.start, argument.length);
    if (const int error = window->open()) return error;
    out = std::make_shared<pagetable::PageArray>(os, caller, std::move(window), argument.length, writable);
    return 0;
  }
  std::shared_ptr<hal::MemoryFile> memory;
  if (files->find_memory(argument.fd, memory) != 0) return EBADF;
  if (argument.length > kMaxAddress - kPage) return EINVAL;
  out = std::make_shared<pagetable::PageArray>(os, caller, std::move(memory), argument.start, argument.length, writable,
                                               call.context().account_of(caller));
  return 0;
}

// On machines with the test command a fuzzer may name the source by the number of its area and an offset in it, since
// it cannot know IOVAs that were chosen for it.
void find_fuzzed_source(Call& call, uapi::IommuIoasCopy& argument) {
  if (!call.context().host().extra || (argument.flags & uapi::kTestSyz) == 0) return;
  argument.flags &= ~uapi::kTestSyz;
  const CallHold<Ioas> source = call.context().objects().hold<Ioas>(argument.src_ioas_id);
  if (!source) return;
  const auto number = static_cast<std::uint32_t>(argument.src_iova);
  std::uint64_t start = 0;
  argument.src_iova = source->space().area_start(number, start) ? start + (argument.src_iova >> 32) : 0;
}

}  // namespace

int map_user(Call& call, Ioas& ioas, MapUser& map) {
  if (map.user_va + map.length < map.user_va) return EOVERFLOW;            // 5
  if (map.length == 0 || map.length > kMaxAddress - kPage) return EINVAL;  // 6
  std::vector<pagetable::Slice> slices(1);
  slices[0].pages = std::make_shared<pagetable::PageArray>(call.context().os(), call.caller(), map.user_va, map.length,
                                                           (map.prot & domain::kWrite) != 0,
                                                           call.context().account_of(call.caller()));
  slices[0].offset = map.user_va % kPage;
  slices[0].length = map.length;
  return map_slices(call, ioas, slices, map.prot, map.fixed, map.iova);  // 7 to 12
}

int handle(Call& call, uapi::IommuIoasMap& argument) {
  if ((argument.flags & ~kMapFlags) != 0 || argument.reserved != 0) return EOPNOTSUPP;   // 1
  if (argument.iova == kMaxAddress || argument.length == kMaxAddress) return EOVERFLOW;  // 2
  if (prot_of(argument.flags) == 0) return EINVAL;                                       // 3
  Ioas* const ioas = call.hold<Ioas>(argument.ioas_id);
  if (!ioas) return ENOENT;  // 4
  MapUser map{argument.user_va, argument.length, prot_of(argument.flags),
              (argument.flags & uapi::kIommuIoasMapFixedIova) != 0, argument.iova};
  const int error = map_user(call, *ioas, map);
  argument.iova = map.iova;
  return error;
}

int handle(Call& call, uapi::IommuIoasMapFile& argument) {
  if ((argument.flags & ~kMapFlags) != 0) return EOPNOTSUPP;
  if (argument.iova == kMaxAddress || argument.length == kMaxAddress) return EOVERFLOW;
  if (prot_of(argument.flags) == 0) return EINVAL;
  Ioas* const ioas = call.hold<Ioas>(argument.ioas_id);
  if (!ioas) return ENOENT;
  if (argument.length == 0) return EINVAL;
  if (argument.start + (argument.length - 1) < argument.start) return EOVERFLOW;
  std::vector<pagetable::Slice> slices(1);
  slices[0].offset = argument.start % kPage;
  slices[0].length = argument.length;
  if (const int error = file_pages(call, argument, slices[0].pages)) return error;
  return map_slices(call, *ioas, slices, argument.flags, argument.iova);  // 7 to 12 of MAP
}

int handle(Call& call, uapi::IommuIoasCopy& argument) {
  find_fuzzed_source(call, argument);
  if ((argument.flags & ~kMapFlags) != 0) return EOPNOTSUPP;
  if (argument.length == kMaxAddress || argument.src_iova == kMaxAddress || argument.dst_iova == kMaxAddress)
    return EOVERFLOW;
  if (prot_of(argument.flags) == 0) return EINVAL;
  Ioas* const source = call.hold<Ioas>(argument.src_ioas_id);
  if (!source) return ENOENT;
  if (argument.length == 0) return EINVAL;
  const pagetable::Interval range{argument.src_iova, argument.src_iova + (argument.length - 1)};
  if (range.last < range.start) return EOVERFLOW;
  std::vector<pagetable::Slice> slices;
  if (const int error = source->space().slices_of(range, slices)) return error;
  Ioas* const destination = call.hold<Ioas>(argument.dst_ioas_id);
  if (!destination) return ENOENT;
  return map_slices(call, *destination, slices, argument.flags, argument.dst_iova);
}

int handle(Call& call, uapi::IommuIoasUnmap& argument) {
  Ioas* const ioas = call.hold<Ioas>(argument.ioas_id);
  if (!ioas) return ENOENT;                                                      // 1
  const bool everything = argument.iova == 0 && argument.length == kMaxAddress;  // 2
  if (!everything) {
    if (argument.iova == kMaxAddress || argument.length == kMaxAddress) return EOVERFLOW;  // 3
    if (argument.length == 0) return EINVAL;                                               // 4
    if (argument.iova + (argument.length - 1) < argument.iova) return EOVERFLOW;           // 5
  }
  const std::uint64_t last = everything ? kMaxAddress : argument.iova + (argument.length - 1);
  std::uint64_t removed = 0;
  if (const int error = ioas->space().unmap({argument.iova, last}, removed)) return error;  // 6 to 9
  if (removed == 0 && !everything) return ENOENT;                                           // 10
  argument.length = removed;
  return 0;
}

}  // namespace iommusim::iommufd
