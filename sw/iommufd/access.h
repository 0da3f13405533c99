// SPDX-License-Identifier: Apache-2.0
// An in-kernel user of an address space: an emulated device, a mediated one, a queue in guest memory (R6). It pins and
// copies pages by IOVA, and gives pins back when a program unmaps them. Its owner, a driver of the kernel, created it
// and destroys it, uses it by reference in between, and does not use it after access_destroy(); a program sees an id
// that it cannot destroy. Errors are positive errno numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "iommufd/context.h"
#include "iommufd/ioas.h"

namespace iommusim::iommufd {

struct AccessOptions {
  /// kRevocable needs `unmapping`; kLocking (an internal access) has none and forbids the unmap instead (R6.7).
  pagetable::AccessPins pins = pagetable::AccessPins::kNone;
  /// Pins inside [iova, iova + bytes) must be given back, soon. (0, 2^64 - 1): all of them, before returning. May be
  /// called from any thread, without locks.
  std::function<void(std::uint64_t iova, std::uint64_t bytes)> unmapping;
};

class Access final : public Object, private pagetable::AccessListener {
 public:
  static constexpr ObjectType kType = ObjectType::kAccess;

  /// `keeps`: the access keeps its context open.
  Access(Context& context, bool keeps, AccessOptions options);
  /// Not attached any more.
  ~Access() override;

  Context& context() { return context_; }

  /// EINVAL when attached. ENOENT: no such IOAS. EADDRINUSE: a pinning access does not fit the areas there. EBUSY:
  /// another attach or detach runs.
  int attach(ObjectId ioas_id);
  /// The same with an address space that is known already, of an access that has none.
  int attach_to(UsersRef<Ioas> ioas);
  /// As attach(), for an access that is attached (else ENOENT). The callback gives back all pins of the old IOAS.
  int replace(ObjectId ioas_id);
  int detach();

  /// Physical addresses of the pages of the range, appended to `spas`. EINVAL, EOVERFLOW, ENOENT, EPERM, EFAULT,
  /// ENOMEM.
  int pin(std::uint64_t iova, std::uint64_t bytes, bool write, std::vector<std::uint64_t>& spas);
  /// Names a range that was pinned, as a whole.
  void unpin(std::uint64_t iova, std::uint64_t bytes);
  int read(std::uint64_t iova, void* to, std::uint64_t bytes) { return copy(iova, to, bytes, false); }
  int write(std::uint64_t iova, const void* from, std::uint64_t bytes) {
    return copy(iova, const_cast<void*>(from), bytes, true);
  }
  /// IoPagetable::area_start() of the address space that it is attached to.
  bool area_start(std::uint64_t number, std::uint64_t& iova_out);

 private:
  bool try_enter() override;
  void leave() override;
  void unmapping(std::uint64_t iova, std::uint64_t bytes) override;

  int change_locked(std::unique_lock<hal::Mutex>& guard, UsersRef<Ioas> to);
  int copy(std::uint64_t iova, void* buffer, std::uint64_t bytes, bool write);
  int range_of(std::uint64_t iova, std::uint64_t bytes, pagetable::Interval& out) const;

  Context& context_;
  const std::shared_ptr<Context> keep_;
  const AccessOptions options_;
  std::unique_ptr<hal::Mutex> lock_;  // guards everything below; held while pinning and copying
  UsersRef<Ioas> ioas_;               // while changing, the old one: pins are given back to it
  bool changing_ = false;
  std::uint64_t key_ = 0;  // membership in ioas_
  std::uint64_t pins_ = 0;
};

int access_create(Context& context, AccessOptions options, Access*& out);
/// Detaches if need be, and waits for callbacks in flight; not to be called from one.
void access_destroy(Access& access);

}  // namespace iommusim::iommufd
