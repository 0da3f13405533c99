// SPDX-License-Identifier: Apache-2.0
#include "platform/mapping_groups.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "traces/reader.h"

namespace iommusim::platform {
namespace {

TEST(MappingGroups, WhatOneUnmapRemovesIsOneRange) {
  const std::string path = testing::TempDir() + "/mapping-groups.csv";
  std::ofstream(path) << "0,00:03.0,M,0x10000,4096,0x1000\n"
                         "0,00:04.0,M,0x11000,4096,0x9000\n"  // of another device
                         "0,00:03.0,M,0x11000,8192,0x7000\n"
                         "0,00:03.0,M,0x20000,4096,0x1000\n"
                         "1,00:03.0,U,0x10000,12288,\n"
                         "2,00:03.0,M,0x10000,4096,0x1000\n"  // alone this time
                         "3,00:03.0,U,0x10000,4096,\n"
                         "4,00:04.0,U,0x11000,4096,\n"
                         "5,00:03.0,M,0x21000,4096,0x1000\n"
                         "5,00:03.0,M,0x23000,4096,0x1000\n"
                         "6,00:03.0,U,0x20000,16384,\n"  // with a hole: two ranges
                         "7,00:03.0,M,0x50000,4096,0x1000\n";
  const MappingGroups groups(path);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
  traces::Reader reader(path);
  for (traces::Event event; reader.next(event);)
    if (event.op == traces::Op::kMap) found.emplace_back(groups.of(event).iova, groups.of(event).bytes);
  EXPECT_EQ(found, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0x10000, 0x3000},
                                                                         {0x11000, 0x1000},
                                                                         {0x10000, 0x3000},
                                                                         {0x20000, 0x2000},
                                                                         {0x10000, 0x1000},
                                                                         {0x20000, 0x2000},
                                                                         {0x23000, 0x1000},
                                                                         {0x50000, 0x1000}}));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace iommusim::platform
