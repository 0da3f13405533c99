// SPDX-License-Identifier: Apache-2.0
// rtl_cycles PRESET.yaml FILE.csv: one line a row that differs or is illegal, the totals last. Exit code 1 if a row
// differs, 2 for bad input.
#include <cstdio>

#include "base/error.h"
#include "validation/rtl_cycles.h"

namespace {

using iommusim::validation::CycleRow;

void show(const char* file, const CycleRow& row) {
  std::printf(
      "%s:%u: %s, L = %llu, %s, %s: %s\n    cycles %lld, reads %lld, beats %lld in the file; %lld, %lld, %lld here\n",
      file, row.line, row.scenario.c_str(), static_cast<unsigned long long>(row.latency), row.measure.c_str(),
      row.config.c_str(), row.verdict == CycleRow::Verdict::kIllegal ? "illegal, and not reproduced" : "differs",
      static_cast<long long>(row.cycles), static_cast<long long>(row.reads), static_cast<long long>(row.beats),
      static_cast<long long>(row.found_cycles), static_cast<long long>(row.found_reads),
      static_cast<long long>(row.found_beats));
}

int compare(const char* preset_file, const char* file) {
  const auto preset = iommusim::validation::load_preset(preset_file);
  unsigned counts[3] = {0, 0, 0};
  for (const CycleRow& row : iommusim::validation::compare_cycles(file, preset)) {
    ++counts[static_cast<unsigned>(row.verdict)];
    if (row.verdict != CycleRow::Verdict::kExact) show(file, row);
  }
  std::printf("%u rows exact, %u differ, %u illegal\n", counts[0], counts[1], counts[2]);
  return counts[1] == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: rtl_cycles PRESET.yaml FILE.csv\n");
    return 2;
  }
  try {
    return compare(argv[1], argv[2]);
  } catch (const iommusim::base::InputError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
