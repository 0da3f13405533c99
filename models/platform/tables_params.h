// SPDX-License-Identifier: Apache-2.0
// What the tables hold that a system begins with when it has no driver (software.stack: tables).
#pragma once

#include <cstdint>

#include "params/describe.h"
#include "spec/formats.h"

namespace iommusim::platform {

enum class Translation : std::uint8_t { kTables, kBare };
inline constexpr base::Choice<Translation> kTranslations[] = {
    {"tables", "ddtp points to a device directory", Translation::kTables},
    {"bare", "ddtp.iommu_mode is Bare: nothing is translated", Translation::kBare},
};

/// Values are encodings of DC.fsc.MODE with PDTV, DC.fsc.MODE without, and DC.iohgatp.MODE.
inline constexpr base::Choice<std::uint8_t> kProcessDirectories[] = {
    {"none", "no process directory", spec::pdtp_mode::kBare},
    {"pd8", "one level", spec::pdtp_mode::kPd8},
    {"pd17", "two levels", spec::pdtp_mode::kPd17},
    {"pd20", "three levels", spec::pdtp_mode::kPd20},
};
inline constexpr base::Choice<std::uint8_t> kFirstStages[] = {
    {"bare", "no first stage", spec::iosatp_mode::kBare},
    {"sv39", "three levels", spec::iosatp_mode::kSv39},
    {"sv48", "four levels", spec::iosatp_mode::kSv48},
    {"sv57", "five levels", spec::iosatp_mode::kSv57},
};
inline constexpr base::Choice<std::uint8_t> kSecondStages[] = {
    {"bare", "no second stage", spec::iohgatp_mode::kBare},
    {"sv39x4", "three levels", spec::iohgatp_mode::kSv39x4},
    {"sv48x4", "four levels", spec::iohgatp_mode::kSv48x4},
    {"sv57x4", "five levels", spec::iohgatp_mode::kSv57x4},
};
/// Values are levels of the leaf.
inline constexpr base::Choice<std::uint8_t> kLeafSizes[] = {
    {"4KiB", "leaves of level 0", 0}, {"2MiB", "leaves of level 1", 1}, {"1GiB", "leaves of level 2", 2}};

struct TablesParams {
  Translation translation = Translation::kTables;
  std::uint8_t process_directory = spec::pdtp_mode::kBare;
  std::uint32_t process = 1;
  std::uint8_t first_stage = spec::iosatp_mode::kSv39;
  std::uint8_t first_leaf = 0;
  std::uint8_t second_stage = spec::iohgatp_mode::kBare;
  std::uint8_t second_leaf = 0;

  template <class V>
  static constexpr void describe(V&& v) {
    using params::Range;
    using params::Unit;
    using P = TablesParams;
    v("translation", &P::translation, kTranslations, "whether the IOMMU translates");
    v("process_directory", &P::process_directory, kProcessDirectories,
      "directory of processes; with one, DMA carries a PASID");
    v("process", &P::process, Unit::kCount, Range{0, (1 << 20) - 1}, "the PASID");
    v("first_stage", &P::first_stage, kFirstStages, "mode of the first stage");
    v("first_leaf", &P::first_leaf, kLeafSizes, "size of its pages");
    v("second_stage", &P::second_stage, kSecondStages, "mode of the second stage");
    v("second_leaf", &P::second_leaf, kLeafSizes, "size of its pages, those under tables of the first stage too");
  }
};

}  // namespace iommusim::platform
