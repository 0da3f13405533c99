// SPDX-License-Identifier: Apache-2.0
// A simulated process whose calls a test can watch, park or fail. Pins and charges are counted by SimProcess
// underneath.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "hal/process.h"
#include "hal/sim_process.h"

namespace iommusim::pagetable {

enum class ProcessCall { kCopyFromUser, kCopyToUser, kPin, kUnpin, kCharge, kUncharge };

class HookedProcess final : public hal::Process {
 public:
  /// Runs before the call, without locks, with its user address, physical address (unpin) or page count. A non-zero
  /// result is the errno of a call that can fail.
  using Hook = std::function<int(ProcessCall, std::uint64_t)>;

  explicit HookedProcess(hal::SimProcess& below) : below_(below) {}

  void set_hook(Hook hook) {
    const std::lock_guard guard(lock_);
    hook_ = hook ? std::make_shared<const Hook>(std::move(hook)) : nullptr;
  }

  int copy_from_user(void* to, std::uint64_t user_va, std::size_t bytes) override {
    const int error = enter(ProcessCall::kCopyFromUser, user_va);
    return error ? error : below_.copy_from_user(to, user_va, bytes);
  }
  int copy_to_user(std::uint64_t user_va, const void* from, std::size_t bytes) override {
    const int error = enter(ProcessCall::kCopyToUser, user_va);
    return error ? error : below_.copy_to_user(user_va, from, bytes);
  }
  int pin_page(std::uint64_t user_va, bool write, std::uint64_t& spa_out) override {
    const int error = enter(ProcessCall::kPin, user_va);
    return error ? error : below_.pin_page(user_va, write, spa_out);
  }
  void unpin_page(std::uint64_t spa) override {
    (void)enter(ProcessCall::kUnpin, spa);
    below_.unpin_page(spa);
  }
  int charge_locked(std::uint64_t pages, hal::LockedAccount account) override {
    const int error = enter(ProcessCall::kCharge, pages);
    return error ? error : below_.charge_locked(pages, account);
  }
  void uncharge_locked(std::uint64_t pages, hal::LockedAccount account) override {
    (void)enter(ProcessCall::kUncharge, pages);
    below_.uncharge_locked(pages, account);
  }
  int pins_of_page(std::uint64_t user_va, std::uint64_t& pins) override { return below_.pins_of_page(user_va, pins); }
  bool capable(hal::ProcessCapability capability) const override { return below_.capable(capability); }
  const void* user_identity() const override { return below_.user_identity(); }
  const void* mm_identity() const override { return below_.mm_identity(); }
  hal::Files* files() override { return below_.files(); }

 private:
  int enter(ProcessCall call, std::uint64_t value) {
    std::shared_ptr<const Hook> hook;
    {
      const std::lock_guard guard(lock_);
      hook = hook_;
    }
    return hook ? (*hook)(call, value) : 0;
  }

  hal::SimProcess& below_;
  std::mutex lock_;
  std::shared_ptr<const Hook> hook_;
};

}  // namespace iommusim::pagetable
