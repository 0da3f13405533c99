// SPDX-License-Identifier: Apache-2.0
// A queue of events of one type for the guest of a vIOMMU (R10.3, R10.4). Its depth bounds it: an event that does not
// fit is lost, and the loss is marked, at most once, at the tail. Sequence numbers count all events, so a reader sees
// how many it missed. Holds `users` of the vIOMMU.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "hal/file.h"
#include "iommufd/viommu.h"

namespace iommusim::iommufd {

class VeventFile;

class Veventq final : public Object {
 public:
  static constexpr ObjectType kType = ObjectType::kVeventq;

  Veventq(UsersRef<Viommu> viommu, std::uint32_t type, std::uint32_t depth);
  ~Veventq() override;

  /// The vIOMMU finds it from here on. EEXIST.
  int join();
  std::uint32_t kind() const { return type_; }

  /// Does not wait. 0, ENOMEM (and the loss is marked).
  int report(const void* data, std::size_t bytes) noexcept;
  /// Of a program (uapi 6.2): bytes done or a negative errno.
  std::int64_t read(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes);
  void set_file(VeventFile* file);

 private:
  struct Event {
    std::uint32_t sequence = 0;
    bool lost = false;  ///< the mark; it has no data
    std::vector<unsigned char> data;
  };
  using Events = std::list<Event>;

  int copy_front(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t& done);
  void queue_changed_locked();

  UsersRef<Viommu> viommu_;
  const std::uint32_t type_;
  const std::uint32_t depth_;
  bool joined_ = false;
  std::unique_ptr<hal::Mutex> read_lock_;  // one reader at a time (R13.5); taken before lock_
  std::unique_ptr<hal::Mutex> lock_;       // for moments; guards what follows
  Events queue_;
  Events mark_;  // the record of a loss while it is not in the queue, so that marking needs no memory
  std::uint32_t stored_ = 0;
  std::uint32_t sequence_ = 0;
  VeventFile* file_ = nullptr;
};

class VeventFile final : public hal::File {
 public:
  VeventFile(std::shared_ptr<Context> context, Veventq& queue)
      : File("anon_inode:[iommufd-viommu-event]", hal::Pollable::kReadable),
        context_(std::move(context)),
        queue_(context_->objects().add_users(queue)) {
    queue_->set_file(this);
  }
  ~VeventFile() override { queue_->set_file(nullptr); }

  std::int64_t read(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes,
                    std::uint64_t& position) override {
    return position != 0 ? -ESPIPE : queue_->read(caller, user_va, bytes);
  }
  void tell(bool readable) { set_readable(readable); }

 private:
  const std::shared_ptr<Context> context_;
  UsersRef<Veventq> queue_;  // ends first
};

}  // namespace iommusim::iommufd
