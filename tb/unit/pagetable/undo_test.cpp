// SPDX-License-Identifier: Apache-2.0
#include "pagetable/undo.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace iommusim::pagetable {
namespace {

TEST(Undo, RunsUnlessKept) {
  int runs = 0;
  {
    Undo undo([&] { ++runs; });
  }
  EXPECT_EQ(runs, 1);
  {
    Undo undo([&] { ++runs; });
    undo.keep();
  }
  EXPECT_EQ(runs, 1);
}

TEST(Undo, RunsWhenAnExceptionPasses) {
  int runs = 0;
  const auto fails = [&] {
    Undo undo([&] { ++runs; });
    throw std::runtime_error("x");
  };
  EXPECT_THROW(fails(), std::runtime_error);
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace iommusim::pagetable
