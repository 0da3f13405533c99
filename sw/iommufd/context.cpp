// SPDX-License-Identifier: Apache-2.0
// Begin and end of a context. Its calls are in dispatch.cpp.
#include "iommufd/context.h"

#include <cerrno>
#include <mutex>

#include "iommufd/device_group.h"
#include "iommufd/no_memory.h"
#include "pagetable/undo.h"

namespace iommusim::iommufd {

std::shared_ptr<Context> Context::open(Host& host, const ContextOptions& options) {
  return std::shared_ptr<Context>(new Context(host, options));
}

Context::Context(Host& host, const ContextOptions& options)
    : host_(host),
      options_(options),
      account_(options.account),
      objects_(host.os, options.destroy, host.observer),
      mmap_regions_(host.os, objects_),
      msi_pages_(host.os),
      groups_lock_(host.os.make_mutex()) {}

Context::~Context() { objects_.release(); }

int Context::mmap(std::uint64_t offset, std::uint64_t bytes, unsigned prot, bool shared, hal::MappedRegion& out) {
  constexpr unsigned kProtExec = 4;
  if (!shared) return -EINVAL;
  if ((prot & kProtExec) != 0) return -EPERM;
  struct Hold {  // the context outlives the owner's reference
    std::shared_ptr<Context> context;
    UsersRef<Object> owner;
  };
  return -or_enomem([&] {
    auto hold = std::make_shared<Hold>();
    hold->context = shared_from_this();
    if (const int error = mmap_regions_.map(offset, bytes, out.spa, hold->owner)) return error;
    out.hold = std::move(hold);
    return 0;
  });
}

int Context::get_group(domain::Group& group, std::shared_ptr<DeviceGroup>& out) {
  const std::lock_guard guard(*groups_lock_);
  std::weak_ptr<DeviceGroup>& known = groups_[&group];
  out = known.lock();
  if (out) return 0;
  if (const int error = host_.ownership.claim(group, this)) return error;
  pagetable::Undo give_back([&] { host_.ownership.release(group); });
  known = out = std::make_shared<DeviceGroup>(*this, group);  // from here on its end gives back
  give_back.keep();
  return 0;
}

}  // namespace iommusim::iommufd
