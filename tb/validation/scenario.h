// SPDX-License-Identifier: Apache-2.0
// A scenario of a file of cycle counts, by its name: what is cached before a request comes, and how the request is
// translated; or a fault, a command, a register access. docs/validation.md has the grammar.
#pragma once

#include <string>

namespace iommusim::validation {

enum class Cached { kNotUsed, kHit, kMiss };

/// Levels of leaf PTEs: 0 is 4 KiB, 1 is 2 MiB, 2 is 1 GiB.
struct Scenario {
  enum class Kind { kTranslation, kFault, kCommand, kRegister };
  Kind kind = Kind::kTranslation;
  std::string name;

  bool mode_bare = false;  ///< ddtp.iommu_mode Bare
  Cached device = Cached::kHit;
  unsigned directory_levels = 1;
  Cached process = Cached::kNotUsed;
  unsigned process_levels = 0;            ///< 1 to 3: PD8, PD17, PD20
  bool process_nested = false;            ///< the process directory lies under a second stage
  Cached translation = Cached::kNotUsed;  ///< kNotUsed: both stages Bare
  bool first_stage = false, second_stage = false;
  unsigned first_level = 0, second_level = 0;
  bool is_write = false;
  bool is_msi = false;
};

/// InputError that says what is not understood.
Scenario parse_scenario(const std::string& name);

}  // namespace iommusim::validation
