// SPDX-License-Identifier: Apache-2.0
#include "spec/causes.h"

#include <gtest/gtest.h>

#include <set>

namespace iommusim::spec {

TEST(Causes, ThoseReportedWithDtfAreTheSpecificationsYesRows) {
  std::set<unsigned> reported;
  for (const CauseInfo& row : kCauses)
    if (row.reported_with_dtf) reported.insert(static_cast<unsigned>(row.cause));
  EXPECT_EQ(reported, (std::set<unsigned>{256, 257, 258, 259, 268, 272, 273}));
}

TEST(Causes, AtsAnswersAreTheListsOfTheSpecification) {
  std::set<unsigned> unsupported;
  std::set<unsigned> no_permission;
  for (const CauseInfo& row : kCauses) {
    if (row.ats_answer == AtsAnswer::kUnsupportedRequest) unsupported.insert(static_cast<unsigned>(row.cause));
    if (row.ats_answer == AtsAnswer::kNoPermission) no_permission.insert(static_cast<unsigned>(row.cause));
  }
  EXPECT_EQ(unsupported, (std::set<unsigned>{256, 257, 258, 259, 260}));
  EXPECT_EQ(no_permission, (std::set<unsigned>{12, 13, 15, 20, 21, 23, 262, 266}));
}

// IOMMU 3.2: what no row of the table names is reserved, up to 2047.
TEST(Causes, NoneIsReserved) {
  std::set<unsigned> named = {1, 4, 5, 6, 7, 12, 13, 15, 20, 21, 23};
  for (unsigned cause = 256; cause <= 274; ++cause) named.insert(cause);
  std::set<unsigned> used;
  for (const CauseInfo& row : kCauses) used.insert(static_cast<unsigned>(row.cause));
  EXPECT_EQ(used, named);
}

TEST(Causes, AreFoundByNumberOnce) {
  for (const CauseInfo& row : kCauses) EXPECT_EQ(find_cause(row.cause), &row) << row.name;
  EXPECT_EQ(find_cause(static_cast<Cause>(22)), nullptr);
}

}  // namespace iommusim::spec
