// SPDX-License-Identifier: Apache-2.0
// The place where models tell what happened. With no sink attached an emission is one branch; the arguments are plain
// structures on the caller's stack. Records are for people and tools: nothing in a model depends on them.
#pragma once

#include <memory>
#include <vector>

#include "record/sink.h"

namespace iommusim::record {

/// One translation, told when it ends. Times are absolute; base::kNever for a stage that was not passed.
struct Translation {
  std::uint64_t id = 0;
  std::uint32_t device = 0;
  std::uint32_t process = kNoProcess;
  std::uint64_t iova = 0;
  std::uint32_t bytes = 0;
  Access access = Access::kRead;
  Outcome outcome = Outcome::kCompleted;
  Found found = Found::kNothing;
  std::uint8_t page_shift = 0;
  std::uint32_t cause = 0;  ///< of its fault; 0: none
  std::uint32_t reads = 0;  ///< memory accesses of its walk
  std::uint64_t spa = 0;    ///< of what was completed
  Picoseconds accepted = 0;
  Picoseconds device_context = base::kNever;
  Picoseconds process_context = base::kNever;
  Picoseconds iotlb = base::kNever;
  Picoseconds walk_start = base::kNever;
  Picoseconds walk_end = base::kNever;
  Picoseconds done = base::kNever;
  Picoseconds picked = base::kNever;
  Picoseconds answered = base::kNever;
};

/// A fault record was reported. `id` is that of the translation.
struct Fault {
  std::uint64_t id = 0;
  std::uint32_t device = 0;
  std::uint32_t process = kNoProcess;
  Access access = Access::kRead;
  std::uint64_t iova = 0;
  Picoseconds time = 0;
  std::uint64_t cause = 0;
  std::uint64_t iotval = 0;
  std::uint64_t iotval2 = 0;
};

/// A command left the command queue. `id` is its index, counted from the start.
struct Command {
  std::uint64_t id = 0;
  Picoseconds fetched = 0;
  Picoseconds done = 0;
  std::uint64_t word0 = 0;
  std::uint64_t word1 = 0;
};

struct RegisterAccess {
  std::uint64_t id = 0;
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;
  bool write = false;
  Picoseconds start = 0;
  Picoseconds done = 0;
  std::uint64_t data = 0;
};

/// Software mapped or unmapped a range. `space` is the IOAS or domain.
struct Mapping {
  bool unmap = false;
  std::uint64_t space = 0;
  std::uint64_t iova = 0;
  std::uint64_t length = 0;
  Picoseconds start = 0;
  Picoseconds done = 0;
};

/// A page request arrived. `payload` is its second word.
struct PageRequest {
  std::uint64_t id = 0;
  std::uint32_t device = 0;
  std::uint32_t process = kNoProcess;
  Picoseconds time = 0;
  std::uint64_t payload = 0;
};

class Recorder {
 public:
  Recorder() = default;
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void attach(std::unique_ptr<Sink> sink, const Filter& filter = {});
  bool active() const { return active_; }

  void emit(const Translation& translation) {
    if (active_) take(translation);
  }
  void emit(const Fault& fault) {
    if (active_) take(fault);
  }
  void emit(const Command& command) {
    if (active_) take(command);
  }
  void emit(const RegisterAccess& access) {
    if (active_) take(access);
  }
  void emit(const Mapping& mapping) {
    if (active_) take(mapping);
  }
  void emit(const PageRequest& request) {
    if (active_) take(request);
  }
  /// Ends all sinks without close(): the run is not worth keeping.
  void abandon();
  /// Ends all sinks. Errors of a sink (a full disk) come out here or at an emission as base::InputError; the destructor
  /// closes what was not closed and drops errors.
  void close();

 private:
  struct Attached {
    std::unique_ptr<Sink> sink;
    Filter filter;
    Closing closing;
    std::uint64_t seen[16] = {};  ///< by Kind, inside the window
  };
  void take(const Translation& translation);
  void take(const Fault& fault);
  void take(const Command& command);
  void take(const RegisterAccess& access);
  void take(const Mapping& mapping);
  void take(const PageRequest& request);
  void send(const Row& row);

  bool active_ = false;
  std::vector<Attached> sinks_;
};

}  // namespace iommusim::record
