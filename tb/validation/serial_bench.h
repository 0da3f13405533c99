// SPDX-License-Identifier: Apache-2.0
// One cycle engine under the plain driver, observed in every cycle: when requests are released and answered, when
// registers change, when its accesses leave and what their data costs in beats.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "machine.h"
#include "process_tables.h"
#include "timing/plain_driver.h"
#include "validation/scenario.h"

namespace iommusim::validation {

/// What was measured, by the names of the file's column "measure"; -1: it did not happen.
using Measures = std::map<std::string, std::int64_t>;

struct Observation {
  Measures cycles;
  unsigned reads = 0;  ///< requests
  unsigned beats = 0;  ///< of their data
};

class SerialBench : translate::MemoryPort {
 public:
  /// `latency`: of memory, in cycles, to the first data.
  SerialBench(const timing::EngineParams& params, const spec::Implementation& implementation, std::uint64_t latency,
              unsigned directory_levels);

  Observation run(const Scenario& scenario);

 private:
  translate::MemoryAnswer read(const translate::MemoryAsk& ask) override;
  translate::MemoryStatus write(const translate::MemoryAsk& ask) override;
  translate::MemoryAnswer compare_swap(const translate::MemoryAsk& ask) override {
    return tables_.memory.compare_swap(ask);
  }

  Observation translation(const Scenario& scenario);
  Observation fault(const Scenario& scenario);
  Observation command(const Scenario& scenario);
  Observation register_access(const Scenario& scenario) const;

  translate::Request prepare(const Scenario& scenario);
  void prepare_msi(spec::DeviceContext& context);
  void invalidate(const Scenario& scenario);
  void execute(std::uint64_t word0, std::uint64_t word1 = 0);
  timing::Finished translate(const translate::Request& request);
  /// Goes on cycle by cycle until nothing moves, calling `look` in each.
  template <class Look>
  void watch(Look&& look);
  void begin_observation();
  std::uint64_t executed_invalidations() const;

  timing::EngineParams params_;
  translate::test::Machine tables_;
  stats::Group root_{"validation"};
  timing::Engine engine_;
  timing::PlainDriver driver_;
  std::optional<translate::test::AddressSpace> space_;
  std::optional<timing::test::ProcessTables> processes_;
  std::uint64_t tail_ = 0;
  Observation seen_;
  std::map<translate::Structure, base::Cycle> written_;  ///< when the last write of each kind left
};

}  // namespace iommusim::validation
