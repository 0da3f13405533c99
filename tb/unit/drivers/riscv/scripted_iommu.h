// SPDX-License-Identifier: Apache-2.0
// A scripted stand-in for the register window of an IOMMU, for tests of the driver: it answers as told, takes commands
// from memory when the tail moves, and writes everything it sees into one list of events. No translation happens here.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "hal/sparse_memory.h"
#include "iommu_hw/iommu_hw.h"

namespace iommusim::drivers::riscv::test {

using Events = std::vector<std::string>;

/// Memory that notes the 64-bit stores into a watched range.
class WatchedMemory final : public hal::Memory {
 public:
  explicit WatchedMemory(std::function<void(const std::string&)> note) : note_(std::move(note)) {}
  void watch(std::uint64_t start, std::uint64_t bytes, const std::string& name) { watched_ = {start, bytes, name}; }

  void read(std::uint64_t spa, void* out, std::size_t bytes) override { memory_.read(spa, out, bytes); }
  void write(std::uint64_t spa, const void* in, std::size_t bytes) override {
    unsettled_ = true;
    memory_.write(spa, in, bytes);
  }
  std::uint64_t load64(std::uint64_t spa) override { return memory_.load64(spa); }
  void store64(std::uint64_t spa, std::uint64_t value) override;
  bool compare_exchange64(std::uint64_t spa, std::uint64_t& expected, std::uint64_t desired) override {
    unsettled_ = true;
    return memory_.compare_exchange64(spa, expected, desired);
  }
  void barrier() override {
    unsettled_ = false;
    memory_.barrier();
  }
  /// A store that no barrier has followed yet: hardware need not see it.
  bool unsettled() const { return unsettled_; }

 private:
  struct Watch {
    std::uint64_t start = 0;
    std::uint64_t bytes = 0;
    std::string name;
  };
  std::function<void(const std::string&)> note_;
  hal::SparseMemory memory_;
  std::atomic<bool> unsettled_{false};
  Watch watched_;
};

class ScriptedIommu final : public hal::Mmio {
 public:
  /// What the hardware is like.
  struct Script {
    std::uint64_t capabilities = 0x10 | iommu_hw::capabilities::kSv39Mask | iommu_hw::capabilities::kSv48Mask |
                                 (iommu_hw::igs::kBoth << iommu_hw::capabilities::kIgsShift);
    std::uint32_t fctl = 0;
    std::uint64_t ddtp = 0;
    std::uint64_t fixed_root = 0;     ///< page number that ddtp.PPN is stuck at
    std::uint64_t fixed_queue = 0;    ///< page number that cqb.PPN is stuck at
    unsigned max_directory_mode = 4;  ///< deeper modes read back `refused_mode`
    std::uint64_t refused_mode = 0;
    unsigned largest_queue_log2 = 16;
    std::uint64_t icvec_mask = 0xFFFF;
    unsigned csr_busy_reads = 0;  ///< reads of a queue CSR that show busy after a write
    unsigned ddtp_busy_reads = 0;
    bool queue_comes_on = true;
    unsigned silent_invalidations = 0;  ///< ATS.INVAL that no device answers: the fence after one times out
  };

  ScriptedIommu() : ScriptedIommu(Script()) {}
  explicit ScriptedIommu(const Script& script);

  std::uint32_t read32(std::uint32_t offset) override;
  std::uint64_t read64(std::uint32_t offset) override;
  void write32(std::uint32_t offset, std::uint32_t value) override;
  void write64(std::uint32_t offset, std::uint64_t value) override;

  WatchedMemory& memory() { return memory_; }
  std::uint64_t tail_writes() const { return tail_writes_; }
  /// The command tail moved while a store was not settled (of no meaning when threads store).
  bool tail_overtook_a_store() const { return tail_overtook_a_store_; }
  /// Commands that the hardware finds illegal.
  void refuse(std::function<bool(std::uint64_t word0, std::uint64_t word1)> refuses);
  /// The next `count` fetches of commands from [start, start + bytes) fail.
  void fail_fetches(std::uint64_t start, std::uint64_t bytes, unsigned count);
  /// While paused, commands stay in the queue.
  void pause(bool paused);
  /// Executes at most `count` commands although paused.
  void step(unsigned count);
  /// Appends a record to the fault queue as hardware would: full sets fqof, either sets ipsr.fip.
  void fault(std::uint32_t cause, std::uint32_t device_id, std::uint64_t iova);
  /// Appends a record to the page-request queue as hardware would: full sets pqof, either sets ipsr.pip.
  void page_request(std::uint64_t word0, std::uint64_t word1);
  /// Sets bits of a register as if hardware had done so.
  void set_bits(std::uint32_t offset, std::uint32_t bits);
  std::uint64_t peek(std::uint32_t offset);

  /// Called without locks when ipsr gets a new bit.
  void on_interrupt(std::function<void(std::uint32_t bits)> callback) { interrupt_ = std::move(callback); }

  /// Events since the last call. Reads only when asked for.
  Events take(bool with_reads = false);

 private:
  std::uint64_t get(std::uint32_t offset) { return registers_[offset]; }
  void note(const std::string& event);
  void write(std::uint32_t offset, std::uint64_t value);
  void write_csr(std::uint32_t offset, std::uint32_t value, std::uint32_t errors);
  void run_commands(std::uint64_t count);
  void stop_commands(std::uint64_t error);
  std::uint64_t read(std::uint32_t offset);

  const Script script_;
  unsigned silent_left_ = 0;
  bool timed_out_ = false;  // since the last fence
  std::mutex lock_;         // guards what follows
  std::map<std::uint32_t, std::uint64_t> registers_;
  Events events_;
  std::atomic<bool> tail_overtook_a_store_{false};
  std::atomic<std::uint64_t> tail_writes_{0};
  bool paused_ = false;
  unsigned csr_busy_ = 0;
  unsigned ddtp_busy_ = 0;
  std::function<void(std::uint32_t)> interrupt_;
  std::function<bool(std::uint64_t, std::uint64_t)> refuses_;
  std::uint64_t bad_start_ = 0, bad_bytes_ = 0;
  unsigned bad_fetches_ = 0;
  WatchedMemory memory_;
};

/// "INVAL_DDT did=5", "IOTINVAL.VMA pscid=1 addr=0x1000", "IOFENCE.C pr pw".
std::string describe_command(std::uint64_t word0, std::uint64_t word1);

}  // namespace iommusim::drivers::riscv::test
