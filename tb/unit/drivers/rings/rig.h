// SPDX-License-Identifier: Apache-2.0
// What queue drivers run on in tests, in one thread: memory that a scripted device reaches by the IOVAs that the driver
// mapped, registers that call the device, and a clock that moves only when the driver spends time or waits.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <vector>

#include "drivers/rings/buffer_port.h"
#include "hal/hardware.h"
#include "hal/os.h"

namespace iommusim::drivers::rings::test {

/// Nobody else holds anything: there is one thread.
struct FreeMutex final : hal::Mutex {
  void lock() override {}
  bool try_lock() override { return true; }
  void unlock() override {}
};

struct SteppedOs final : hal::Os {
  std::uint64_t now = 0;
  std::uint64_t waits = 0;
  std::function<void()> idle;  ///< the driver waits: the device may do something

  struct Queue final : hal::WaitQueue {
    explicit Queue(SteppedOs& owner) : os(owner) {}
    SteppedOs& os;
    bool woken = false;
    void wait(hal::Mutex& mutex) override { wait_for(mutex, 1); }
    bool wait_for(hal::Mutex&, std::uint64_t ns) override {
      woken = false;
      os.pause();
      if (!woken) os.now += ns;
      return woken;
    }
    void wake_all() override { woken = true; }
  };

  std::unique_ptr<hal::Mutex> make_mutex() override { return std::make_unique<FreeMutex>(); }
  std::unique_ptr<hal::RwLock> make_rwlock() override { throw std::logic_error("no queue driver has one"); }
  std::unique_ptr<hal::WaitQueue> make_wait_queue() override { return std::make_unique<Queue>(*this); }
  std::uint64_t now_ns() override { return now; }
  void sleep_ns(std::uint64_t ns) override { now += ns; }
  void relax() override { pause(); }
  void spend_ns(std::uint64_t ns) override { now += ns; }
  void start_thread(const std::string&, std::function<void()>) override { throw std::logic_error("one thread"); }
  void log(const std::string&) override {}

 private:
  void pause() {
    if (++waits > 1'000'000) throw std::logic_error("the driver waits for ever");
    if (idle) idle();
  }
};

/// The n-th map may fail. The device reaches what is mapped and nothing else.
class MappedMemory final : public BufferPort {
 public:
  explicit MappedMemory(std::size_t bytes) : bytes_(bytes) {}

  unsigned maps = 0, fail_at = 0;
  const std::map<std::uint64_t, std::uint64_t>& mapped() const { return mapped_; }

  void read(std::uint64_t offset, void* out, std::size_t bytes) override { std::memcpy(out, at(offset, bytes), bytes); }
  void write(std::uint64_t offset, const void* in, std::size_t bytes) override {
    std::memcpy(at(offset, bytes), in, bytes);
  }
  int map(std::uint64_t offset, std::uint64_t bytes, unsigned, unsigned, std::uint64_t& iova_out) override {
    if (++maps == fail_at) return ENOMEM;
    iova_out = kFirst + offset;
    EXPECT_TRUE(mapped_.emplace(iova_out, bytes).second) << "mapped twice";
    return 0;
  }
  void unmap(std::uint64_t iova, std::uint64_t bytes, unsigned) override {
    EXPECT_EQ(mapped_.at(iova), bytes);
    mapped_.erase(iova);
  }

  /// DMA; false: a fault.
  bool reaches(std::uint64_t iova, std::size_t bytes) const {
    const auto after = mapped_.upper_bound(iova);
    if (after == mapped_.begin()) return false;
    const auto& [first, size] = *std::prev(after);
    return iova + bytes <= first + size;
  }
  bool dma_read(std::uint64_t iova, void* out, std::size_t bytes) {
    if (!reaches(iova, bytes)) return false;
    read(iova - kFirst, out, bytes);
    return true;
  }
  bool dma_write(std::uint64_t iova, const void* in, std::size_t bytes) {
    if (!reaches(iova, bytes)) return false;
    write(iova - kFirst, in, bytes);
    return true;
  }

 private:
  static constexpr std::uint64_t kFirst = 0x1000'0000;
  std::uint8_t* at(std::uint64_t offset, std::size_t bytes) {
    if (offset + bytes > bytes_.size()) throw std::out_of_range("beyond the driver's memory");
    return bytes_.data() + offset;
  }
  std::vector<std::uint8_t> bytes_;
  std::map<std::uint64_t, std::uint64_t> mapped_;  ///< IOVA -> bytes
};

/// Registers that keep what is written, and tell the device of it.
struct KeptRegisters final : hal::Mmio {
  std::map<std::uint32_t, std::uint64_t> values;
  std::function<void(std::uint32_t offset, std::uint32_t value)> written;

  std::uint32_t read32(std::uint32_t offset) override { return static_cast<std::uint32_t>(values[offset]); }
  std::uint64_t read64(std::uint32_t offset) override { return values[offset]; }
  void write32(std::uint32_t offset, std::uint32_t value) override {
    values[offset] = value;
    if (written) written(offset, value);
  }
  void write64(std::uint32_t offset, std::uint64_t value) override { values[offset] = value; }
};

}  // namespace iommusim::drivers::rings::test
