// SPDX-License-Identifier: Apache-2.0
// replay_vectors FILE|DIRECTORY...: replays conformance vectors and prints every mismatch with its line. The last line
// counts sections. Exit code 1 when a section failed.
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "conformance/replayer.h"

namespace {

struct Totals {
  std::size_t passed = 0;
  std::size_t failed = 0;
};

void run_file(const std::string& file, Totals& totals) {
  for (const auto& section : iommusim::conformance::replay(file).sections) {
    ++(section.mismatches.empty() ? totals.passed : totals.failed);
    for (const auto& mismatch : section.mismatches)
      std::printf("%s: %s\n", mismatch.place.c_str(), mismatch.text.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  Totals totals;
  try {
    for (int i = 1; i < argc; ++i) {
      if (!std::filesystem::is_directory(argv[i])) {
        run_file(argv[i], totals);
        continue;
      }
      for (const std::string& file : iommusim::conformance::vector_files(argv[i])) run_file(file, totals);
    }
  } catch (const iommusim::base::InputError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  std::printf("%zu passed, %zu failed (sections)\n", totals.passed, totals.failed);
  return totals.failed == 0 ? 0 : 1;
}
