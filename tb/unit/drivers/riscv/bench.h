// SPDX-License-Identifier: Apache-2.0
// A test bench for the driver: an operating system whose time passes only while somebody waits, interrupts that the
// test delivers by hand, and the scripted IOMMU. Single-threaded tests are exact on it; threads use hal::ThreadOs
// instead.
#pragma once

#include <memory>

#include "drivers/riscv/riscv_iommu.h"
#include "hal/buddy_frames.h"
#include "hal/thread_os.h"
#include "scripted_iommu.h"

namespace iommusim::drivers::riscv::test {

/// Locks of the host; time by hand.
class ManualOs final : public hal::Os {
 public:
  std::unique_ptr<hal::Mutex> make_mutex() override { return os_.make_mutex(); }
  std::unique_ptr<hal::RwLock> make_rwlock() override { return os_.make_rwlock(); }
  std::unique_ptr<hal::WaitQueue> make_wait_queue() override { return os_.make_wait_queue(); }
  std::uint64_t now_ns() override { return now_ns_; }
  void sleep_ns(std::uint64_t ns) override { pass(ns); }
  void relax() override { pass(100); }
  void spend_ns(std::uint64_t ns) override { now_ns_ += ns; }
  void start_thread(const std::string& name, std::function<void()> body) override { os_.start_thread(name, body); }
  void log(const std::string& line) override { lines.push_back(line); }

  /// Called in each pause of a polling loop.
  std::function<void()> while_waiting;
  std::vector<std::string> lines;

 private:
  void pass(std::uint64_t ns) {
    now_ns_ += ns;
    if (while_waiting) while_waiting();
  }
  std::uint64_t now_ns_ = 0;
  hal::ThreadOs os_;
};

class ManualInterrupts final : public hal::Interrupts {
 public:
  explicit ManualInterrupts(unsigned vectors, bool messages = false) : handlers_(vectors), messages_(messages) {}
  unsigned vectors() const override { return static_cast<unsigned>(handlers_.size()); }
  void set_handler(unsigned vector, std::function<void()> handler) override { handlers_[vector] = std::move(handler); }
  bool message_of(unsigned vector, std::uint64_t& address, std::uint32_t& data) override {
    address = 0x28000000;
    data = 32 + vector;
    return messages_;
  }
  void fire(unsigned vector) { handlers_[vector](); }
  bool connected(unsigned vector) const { return static_cast<bool>(handlers_[vector]); }

 private:
  std::vector<std::function<void()>> handlers_;
  bool messages_;
};

/// Small queues, one page each, so that a test fills them quickly.
inline RiscvIommuOptions small_queues() {
  RiscvIommuOptions options;
  options.command_queue_log2 = 3;
  options.fault_queue_log2 = 2;
  return options;
}

struct Bench {
  explicit Bench(const ScriptedIommu::Script& script = {}, unsigned vectors = 4, bool messages = false)
      : hardware(script), interrupts(vectors, messages) {}

  static constexpr std::uint64_t kFramesStart = 0x80000000;
  ManualOs os;
  ScriptedIommu hardware;
  hal::BuddyFrames frames{os, hardware.memory(), kFramesStart, 16ULL << 20};
  ManualInterrupts interrupts;
  Ports ports{os, hardware, hardware.memory(), frames, interrupts};
  RiscvSystem system{os};
};

}  // namespace iommusim::drivers::riscv::test
