// SPDX-License-Identifier: Apache-2.0
// The sample traces of the repository stand on their own: valid, without contradictions, small, with their provenance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trace_fixture.h"
#include "traces/summary.h"

namespace iommusim::traces {
namespace {

TEST(Samples, EachIsSoundAndTellsItsOrigin) {
  std::size_t samples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(IOMMUSIM_SOURCE_DIR "/traces/samples")) {
    const std::string path = entry.path().string();
    if (entry.path().extension() != ".zst") continue;
    SCOPED_TRACE(path);
    ++samples;
    EXPECT_LT(entry.file_size(), 60U * 1024);
    EXPECT_THAT(Reader(path).head(), testing::AllOf(testing::Contains(testing::HasSubstr("captured with:")),
                                                    testing::Contains(testing::StartsWith(" cut from "))));
    const Summary s = summarize(path);
    for (const Op op : {Op::kRead, Op::kWrite, Op::kMap, Op::kUnmap, Op::kInvalidate})
      EXPECT_GT(s.counts.events_of(op), 500U);
    EXPECT_GT(s.snapshot_maps, 0U);
    EXPECT_EQ(s.unmapped_accesses + s.wrong_pa_accesses, 0U);
    EXPECT_EQ(s.mapped_over + s.unmapped_unmapped + s.remapped_stale, 0U);
  }
  EXPECT_GE(samples, 2U);
}

}  // namespace
}  // namespace iommusim::traces
