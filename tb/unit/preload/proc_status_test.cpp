// SPDX-License-Identifier: Apache-2.0
// Which paths are status files, and what is added to them.
#include "preload/proc_status.h"

namespace iommusim::preload {
namespace {

TEST(ProcStatus, RecognisesItsFiles) {
  EXPECT_EQ(status_process("/proc/self/status"), 0);
  EXPECT_EQ(status_process("/proc/thread-self/status"), 0);
  EXPECT_EQ(status_process("/proc/12/status"), 12);
  EXPECT_EQ(status_process("/proc/12/task/13/status"), 12);
  for (const char* const path : {"/proc/self/maps", "/proc/self/statusx", "/proc/x/status", "/proc/self/status/"})
    EXPECT_EQ(status_process(path), -1) << path;
}

TEST(ProcStatus, AddsToItsLines) {
  const std::string text = patched_status(0, 12, 8);
  EXPECT_NE(text.find("VmPin:\t      12 kB\n"), std::string::npos) << text;
  EXPECT_NE(text.find("VmLck:\t       8 kB\n"), std::string::npos) << text;
  EXPECT_EQ(read_status_kb(0, "VmPin:"), 0U);
}

}  // namespace
}  // namespace iommusim::preload
