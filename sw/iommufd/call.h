// SPDX-License-Identifier: Apache-2.0
// One ioctl at work, as its handler sees it. Everything that a handler builds or holds through it is finished by the
// dispatcher: published if the handler succeeded and its reply reached user space, else taken back; protections are
// dropped last. So no handler can forget, and nothing is protected across the return to user space.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "hal/contradiction.h"
#include "hal/file.h"
#include "iommufd/context.h"
#include "pagetable/mapping.h"
#include "uapi/ioctls.h"

namespace iommusim::iommufd {

class Call {
 public:
  Call(Context& context, hal::Process& caller) : context_(context), caller_(caller) {}
  /// Takes back what was not committed.
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Context& context() { return context_; }
  hal::Process& caller() { return caller_; }

  /// The object, protected until the end of the call; nullptr when the id names no such object.
  template <class T>
  T* hold(ObjectId id) {
    CallHold<T> hold = context_.objects().hold<T>(id);
    T* const object = hold.get();
    if (object) keep(std::move(hold));
    return object;
  }
  /// A new object, visible once the call has succeeded.
  template <class T>
  T& create(std::unique_ptr<T> object) {
    T& made = *object;
    created_.push_back(context_.objects().reserve(std::move(object)));
    return made;
  }
  // For reservations that a handler made itself.
  void adopt(Reservation&& reservation) { created_.push_back(std::move(reservation)); }
  /// Published as the kernel's own; taken back after those adopted later.
  void adopt_owned(Reservation&& reservation) { owned_.push_back(std::move(reservation)); }
  /// A new descriptor of the calling process, open once the call has succeeded. 0, EMFILE, ENOMEM. One a call.
  int open(std::shared_ptr<hal::File> file, std::uint32_t& fd_out, bool close_on_exec = true);
  /// Runs first of all if the call does not succeed in the end, say because its reply cannot be written. One a call.
  void on_failure(std::function<void()> undo) { on_failure_ = std::move(undo); }
  /// A new mapping, real once the call has succeeded. One a call.
  pagetable::Mapping& begin_mapping(pagetable::IoPagetable& space) { return mapping_.emplace(space); }

  /// The struct goes back to user space even if the handler fails.
  void reply_even_on_error() { reply_on_error_ = true; }
  bool replies_on_error() const { return reply_on_error_; }
  /// For a command whose reply depends on what it was asked: in place of what its row says.
  void reply_with(uapi::Reply reply) { reply_ = reply; }
  uapi::Reply reply(const uapi::IoctlRow& row) const { return reply_.value_or(row.reply); }
  /// What the program gets in place of 0.
  void set_result(int result) { result_ = result; }
  int result() const { return result_; }

  void commit() noexcept;

 private:
  static constexpr std::size_t kMaxHolds = 4;

  void keep(Protection&& hold) {
    hal::ensure(holds_used_ < kMaxHolds, "an ioctl holds too many objects");
    holds_[holds_used_++] = std::move(hold);
  }

  Context& context_;
  hal::Process& caller_;
  bool reply_on_error_ = false;
  std::optional<uapi::Reply> reply_;
  int result_ = 0;
  std::array<Protection, kMaxHolds> holds_;
  std::size_t holds_used_ = 0;
  std::vector<Reservation> owned_;
  std::vector<Reservation> created_;
  int fd_ = -1;
  std::function<void()> on_failure_;
  std::optional<pagetable::Mapping> mapping_;
};

}  // namespace iommusim::iommufd
