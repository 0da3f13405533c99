// SPDX-License-Identifier: Apache-2.0
// Several devices behind one IOMMU: each has an address space and buffers of its own, so what one sees does not depend
// on who else is there.
#include <gtest/gtest.h>

#include "program.h"

namespace iommusim::system_test {
namespace {

const char* const kGenerator =
    "{kind: uniform, uniform: {bdf: \"00:07.0\", count: 3000, window_bytes: 256 KiB, read_percent: 20}}";

std::string replay() { return "{kind: replay, trace: " + sample("mixed-nvme-nic.strict") + "}"; }

std::uint64_t number(const std::string& hexadecimal) { return std::stoull(hexadecimal, nullptr, 16); }

TEST(MultiDevice, GeneratorAndTraceDoNotDisturbEachOther) {
  const Folder folder;
  const std::string software = "\nsoftware: {buffer_digest: true}\n";
  const Stats both =
      run(folder.write("both.yaml", "devices: {a: " + std::string(kGenerator) + ", b: " + replay() + "}" + software));
  const Stats generator =
      run(folder.write("generator.yaml", "devices: {a: " + std::string(kGenerator) + "}" + software));
  const Stats trace = run(folder.write("trace.yaml", "devices: {b: " + replay() + "}" + software));
  EXPECT_EQ(both["run.failed_transfers"], 0U);
  EXPECT_EQ(both["run.transfers"], generator["run.transfers"] + trace["run.transfers"]);
  EXPECT_EQ(both["iommu.requests.accepted"], both["run.transfers"]);
  EXPECT_EQ(both["software.ioas_alloc.calls"], 3U);                 // one for the generator, one for each source
  for (const char* const part : {"responses", "reads", "buffers"})  // sums over the devices
    EXPECT_EQ(number(both.digest(part)), number(generator.digest(part)) + number(trace.digest(part))) << part;
}

TEST(MultiDevice, SourcesOfATraceArePortsOfTheBus) {
  const Folder folder;
  const Stats stats = run(folder.write("s.yaml", "devices: {m: " + replay() + "}"));
  EXPECT_EQ(stats["bus.m_00_03_0.requests"], 565U + 492U);  // R and W lines of the sample, by source
  EXPECT_EQ(stats["bus.m_00_04_0.requests"], 1423U + 2155U);
  EXPECT_EQ(stats["software.destroy.calls"], 2U);
}

TEST(MultiDevice, FourGeneratorsShareTheBusFairly) {
  const Folder folder;
  std::string text = "devices:\n";
  for (const char* const n : {"1", "2", "3", "4"})
    text += "  g" + std::string(n) + ": {kind: uniform, uniform: {bdf: \"00:0" + n + ".0\", count: 2000}}\n";
  const Stats stats = run(folder.write("s.yaml", text));
  EXPECT_EQ(stats["run.transfers"], 8000U);
  for (const char* const n : {"1", "2", "3", "4"}) EXPECT_EQ(stats["bus.g" + std::string(n) + ".requests"], 2000U) << n;
}

}  // namespace
}  // namespace iommusim::system_test
