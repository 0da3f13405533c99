// SPDX-License-Identifier: Apache-2.0
// IOMMU_GET_INFO of a container: page sizes, and a chain of capabilities whose size the caller may not know yet. All of
// the chain is written, or none of it; the reply never exceeds what the caller gave room for.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "iommufd/compat_ioas.h"
#include "uapi/vfio.h"
#include "vfio/type1.h"
#include "vfio/user_copy.h"

namespace iommusim::vfio {
namespace {

constexpr std::uint64_t kPage = 4096;

template <class T>
void append(std::vector<std::uint8_t>& to, const T& part) {
  const std::size_t at = to.size();
  to.resize(at + sizeof part);
  std::memcpy(to.data() + at, &part, sizeof part);
}

// Offsets count from the start of the information that the chain follows.
std::vector<std::uint8_t> capability_chain(const std::vector<pagetable::Interval>& ranges) {
  constexpr std::uint32_t kStart = sizeof(uapi::VfioIommuType1Info);
  std::vector<std::uint8_t> chain;
  const std::uint32_t second = kStart + 16;  // the first is 12 bytes, aligned to 8
  append(chain, uapi::VfioType1CapDmaAvail{{uapi::kVfioType1CapDmaAvail, 1, second}, 0xFFFF'FFFF});
  chain.resize(16);
  append(chain, uapi::VfioType1CapIovaRange{
                    {uapi::kVfioType1CapIovaRange, 1, 0}, static_cast<std::uint32_t>(ranges.size()), 0});
  for (const pagetable::Interval& range : ranges) append(chain, uapi::IommuIovaRange{range.start, range.last});
  return chain;
}

}  // namespace

int type1_get_info(iommufd::Context& context, hal::Process& caller, std::uint64_t arg) {
  uapi::VfioIommuType1Info info{};
  if (const int error = copy_in(caller, info, arg, uapi::kVfioIommuInfoMinSize)) return error;
  const std::uint32_t room = info.argsz;
  if (room < uapi::kVfioIommuInfoMinSize) return -EINVAL;
  const iommufd::CallHold<iommufd::Ioas> ioas = iommufd::compat_ioas_hold(context);
  if (!ioas) return -ENODEV;
  std::uint64_t alignment = 1;
  const std::vector<std::uint8_t> chain = capability_chain(ioas->space().unreserved(alignment));
  std::uint64_t sizes = ioas->space().common_page_sizes();
  if ((sizes & (kPage - 1)) != 0) sizes = (sizes & ~(kPage - 1)) | kPage;
  info.flags = uapi::kVfioIommuInfoPgsizes | uapi::kVfioIommuInfoCaps;
  info.iova_pgsizes = std::max(sizes, alignment);
  info.pad = 0;
  info.argsz = static_cast<std::uint32_t>(sizeof info + chain.size());
  const bool fits = room >= info.argsz;
  info.cap_offset = fits ? sizeof info : 0;
  if (fits)
    if (const int error = copy_out(caller, arg + sizeof info, chain.data(), chain.size())) return error;
  return copy_out(caller, arg, &info, std::min<std::size_t>(room, sizeof info));
}

}  // namespace iommusim::vfio
