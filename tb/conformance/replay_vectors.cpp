// SPDX-License-Identifier: Apache-2.0
// replay_vectors EXPECTED_FAILURES FILE...: the files on the functional engine, in a program that links no more than
// they need. Exit status 0 when nothing but what the list names fails. For scripts/mutants; people use `iommusim
// conform`.
#include <cstdio>
#include <exception>

#include "conformance/verdict.h"

int main(int count, char** arguments) {
  using namespace iommusim;
  try {
    if (count < 3) {
      std::fprintf(stderr, "usage: replay_vectors EXPECTED_FAILURES FILE...\n");
      return 2;
    }
    const auto expected = conformance::read_expected_failures(arguments[1]);
    const auto subjects = conformance::functional_subjects();
    conformance::Totals totals;
    for (int i = 2; i < count; ++i)
      totals.add(conformance::judge(conformance::replay(arguments[i], *subjects), expected));
    std::printf("%s\n", totals.text().c_str());
    return totals.good() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
