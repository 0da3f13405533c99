// SPDX-License-Identifier: Apache-2.0
// System memory of a machine under exec as its kernel reaches it: memory of the host, that the simulated hardware uses
// too (SparseStore::back_with). Words are written and read at once, in the order of the program. What an access costs
// is owed, and passes with the next time that is spent.
#pragma once

#include <cstring>

#include "base/error.h"
#include "hal/hardware.h"
#include "hal_systemc/sim_driver.h"

namespace iommusim::platform {

class RamMemory final : public hal::Memory {
 public:
  RamMemory(std::uint8_t* base, std::uint64_t bytes, std::uint64_t line_ns, hal::SimDriver& driver)
      : base_(base), bytes_(bytes), line_ps_(line_ns * 1000), driver_(driver) {}

  void read(std::uint64_t spa, void* out, std::size_t bytes) override { std::memcpy(out, at(spa, bytes), bytes); }
  void write(std::uint64_t spa, const void* in, std::size_t bytes) override { std::memcpy(at(spa, bytes), in, bytes); }
  std::uint64_t load64(std::uint64_t spa) override { return __atomic_load_n(word(spa), __ATOMIC_ACQUIRE); }
  void store64(std::uint64_t spa, std::uint64_t value) override {
    __atomic_store_n(word(spa), value, __ATOMIC_RELEASE);
  }
  bool compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) override {
    return __atomic_compare_exchange_n(word(spa), &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
  }
  void barrier() override { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

 private:
  std::uint8_t* at(std::uint64_t spa, std::size_t bytes) {
    base::ensure(spa < bytes_ && bytes <= bytes_ - spa, "an access of the processor beyond memory");
    if (line_ps_ != 0 && bytes != 0) driver_.owe_ps(((spa + bytes - 1) / 64 - spa / 64 + 1) * line_ps_);
    return base_ + spa;
  }
  std::uint64_t* word(std::uint64_t spa) { return reinterpret_cast<std::uint64_t*>(at(spa, 8)); }

  std::uint8_t* const base_;
  const std::uint64_t bytes_, line_ps_;
  hal::SimDriver& driver_;
};

}  // namespace iommusim::platform
