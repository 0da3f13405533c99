// SPDX-License-Identifier: Apache-2.0
// The IOMMU under replay, whichever engine is behind it. Every member returns when the IOMMU has finished all that it
// started and can finish without another message (FORMAT.md section 6, rule 2).
#pragma once

#include <memory>

#include "timing/params.h"
#include "translate/functional.h"

namespace iommusim::conformance {

/// What the functional engine is replayed with; by default it remembers nothing.
struct FunctionalParams {
  translate::FunctionalCacheParams functional = translate::FunctionalCacheParams::none();

  template <class V>
  static constexpr void describe(V&& v) {
    v.group("functional", &FunctionalParams::functional, "what is remembered");
  }
};

/// What the cycle engine is replayed with: its defaults, but translations of ATS requests are left to devices. The
/// vectors were recorded so (`cache_ats` in their `reset`), and some change tables between two such requests without a
/// command.
struct CycleParams {
  static timing::EngineParams recorded_choice() {
    timing::EngineParams params;
    params.keep_ats = false;
    return params;
  }
  timing::EngineParams engine = recorded_choice();
  std::uint32_t memory_cycles = 20;
  std::uint32_t memory_jitter = 0;

  template <class V>
  static constexpr void describe(V&& v) {
    using params::Range;
    using params::Unit;
    v.group("engine", &CycleParams::engine, "the IOMMU's micro-architecture");
    v("memory_cycles", &CycleParams::memory_cycles, Unit::kCycle, Range{0, 1 << 20}, "latency of memory");
    v("memory_jitter", &CycleParams::memory_jitter, Unit::kCycle, Range{0, 1 << 20},
      "random extra latency of an access, 0 to this");
  }
};

class Subject {
 public:
  virtual ~Subject() = default;
  virtual translate::Outcome translate(const translate::Request& request) = 0;
  virtual void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) = 0;
  virtual std::uint64_t read_register(std::uint32_t offset, unsigned bytes) = 0;
  /// One command at most.
  virtual void process_command() = 0;
  virtual void page_request(const translate::PageRequest& request) = 0;
  /// false: no outstanding invalidation request is answered by it.
  virtual bool invalidation_completion(const translate::InvalidationCompletion& message) = 0;
  virtual void invalidation_time_out(std::uint32_t itag_vector) = 0;
};

/// Makes the IOMMU of a section, in its reset state. `memory` and `messages` outlive it.
class SubjectMaker {
 public:
  virtual ~SubjectMaker() = default;
  virtual std::unique_ptr<Subject> make(const spec::Implementation& implementation, translate::MemoryPort& memory,
                                        translate::MessagePort& messages) const = 0;
};

/// base::InputError, in both, for a geometry that cannot be.
std::unique_ptr<SubjectMaker> functional_subjects(const FunctionalParams& params = {});
std::unique_ptr<SubjectMaker> cycle_subjects(const CycleParams& params);

}  // namespace iommusim::conformance
