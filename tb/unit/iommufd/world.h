// SPDX-License-Identifier: Apache-2.0
// A machine with /dev/iommu: the rig of the mapping core, one context, and the calls of a program in few words. A
// call's struct travels through the memory of the process, each call in a slot of its own, so several threads can call.
#pragma once

#include <atomic>
#include <memory>

#include "../pagetable/rig.h"
#include "iommufd/access.h"
#include "iommufd/context.h"
#include "iommufd/device.h"
#include "uapi/ioctls.h"

namespace iommusim::iommufd {

using pagetable::kHeap;
using pagetable::kLinear;
using pagetable::kLinearSpa;
using pagetable::kPage;
using pagetable::kReadOnly;
using pagetable::ProcessCall;

inline constexpr std::uint64_t kArguments = 0x7000000;  ///< 64 slots of a page each: 32 for call(), then 32 for slot()
inline constexpr std::uint32_t kFixed = uapi::kIommuIoasMapFixedIova;
inline constexpr std::uint32_t kReadWrite = uapi::kIommuIoasMapReadable | uapi::kIommuIoasMapWriteable;

struct World : pagetable::Rig {
  explicit World(const ContextOptions& options = {}, CallObserver* observer = nullptr,
                 const drivers::MockOptions& hardware = {})
      : Rig(hardware), host(os, memory, observer), context(Context::open(host, options)) {
    user.map_frames(kArguments, 64 * kPage, hal::kUserRead | hal::kUserWrite);
    const std::uint32_t zero = 0;
    for (std::uint64_t i = 0; i < 64; ++i)  // no frame is missing later
      user.copy_to_user(kArguments + i * kPage, &zero, sizeof zero);
  }

  /// Descriptors keep the context; the machine is here until they are closed.
  ~World() { close_all(); }
  void close_all() {
    for (int fd = 3; user.descriptors().open_count() != 0 && fd < 1024; ++fd) user.descriptors().close(fd);
  }

  /// A place for an argument that a test passes by itself; the same again after 32 times.
  std::uint64_t slot() { return kArguments + (32 + next_slot_++ % 32) * kPage; }

  /// The ioctl with `argument`, which receives the reply; the errno, 0 for success.
  template <class T>
  int call(std::uint32_t command, T& argument) {
    argument.size = sizeof argument;
    const std::uint64_t at = take_slot();
    hal::ensure(user.copy_to_user(at, &argument, sizeof argument) == 0, "no memory for an argument");
    const int result = context->ioctl(process, command, at);
    user.copy_from_user(&argument, at, sizeof argument);
    give_slot(at);
    return -result;
  }

  int ioas_alloc(ObjectId& id) {
    uapi::IommuIoasAlloc argument{};
    const int error = call(uapi::kIommuIoasAlloc, argument);
    id = argument.out_ioas_id;
    return error;
  }
  ObjectId ioas() {
    ObjectId id = 0;
    hal::ensure(ioas_alloc(id) == 0, "IOAS_ALLOC failed");
    return id;
  }
  int ioas_map(ObjectId ioas, std::uint64_t va, std::uint64_t length, std::uint64_t iova,
               std::uint32_t flags = kReadWrite) {
    uapi::IommuIoasMap argument{0, flags | kFixed, ioas, 0, va, length, iova};
    return call(uapi::kIommuIoasMap, argument);
  }
  int ioas_unmap(ObjectId ioas, std::uint64_t iova, std::uint64_t length) {
    uapi::IommuIoasUnmap argument{0, ioas, iova, length};
    return call(uapi::kIommuIoasUnmap, argument);
  }
  int destroy(ObjectId id) {
    uapi::IommuDestroy argument{0, id};
    return call(uapi::kIommuDestroy, argument);
  }
  /// Whether the id is an IOAS that look-ups find.
  bool sees_ioas(ObjectId id) {
    uapi::IommuOption argument{0, uapi::kIommuOptionHugePages, uapi::kIommuOptionOpGet, 0, id, 0};
    return call(uapi::kIommuOption, argument) == 0;
  }
  ObjectId bound(domain::Device& which) {
    ObjectId id = 0;
    hal::ensure(device_bind(*context, which, id) == 0, "bind failed");
    return id;
  }
  /// The page table, or 0.
  ObjectId attached(ObjectId device_id, ObjectId pt_id) {
    return device_attach(*context, device_id, pt_id) == 0 ? pt_id : 0;
  }
  std::uint64_t pages_held() const { return user.pinned_pages() + user.locked_pages(); }

  Host host;
  std::shared_ptr<Context> context;

 protected:
  /// A page of the program that no other call has meanwhile.
  std::uint64_t take_slot() {
    std::uint32_t used = used_slots_;
    for (;;) {
      unsigned free = 0;
      while ((used >> free & 1) != 0) ++free;
      if (used_slots_.compare_exchange_weak(used, used | 1U << free)) return kArguments + free * kPage;
    }
  }
  void give_slot(std::uint64_t at) { used_slots_ &= ~(1U << (at - kArguments) / kPage); }

 private:
  std::atomic<std::uint64_t> next_slot_{0};
  std::atomic<std::uint32_t> used_slots_{0};  // a bit a call under way
};

}  // namespace iommusim::iommufd
