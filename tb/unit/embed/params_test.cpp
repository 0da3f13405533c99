// SPDX-License-Identifier: Apache-2.0
// Configurations: what is taken, and that each refusal says where and what was expected.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <functional>

#include "embedded.h"

namespace iommusim::embed::test {

namespace {

iommusim_memory_status refuse_read(void*, std::uint64_t, std::uint32_t, void*) { return IOMMUSIM_MEMORY_ACCESS_FAULT; }
iommusim_memory_status refuse_write(void*, std::uint64_t, std::uint32_t, const void*) {
  return IOMMUSIM_MEMORY_ACCESS_FAULT;
}
constexpr iommusim_host kDeafHost = {
    sizeof(iommusim_host), nullptr, refuse_read, refuse_write, nullptr, nullptr, nullptr, nullptr};

/// The error of a configuration; "" when it is taken.
std::string error_of(const char* yaml) {
  char* error = nullptr;
  iommusim_iommu* const iommu = iommusim_create(yaml, &kDeafHost, &error);
  EXPECT_NE(iommu == nullptr, error == nullptr);
  const std::string text = error == nullptr ? "" : error;
  iommusim_free(error);
  iommusim_destroy(iommu);
  return text;
}

}  // namespace

TEST(Params, AreTaken) {
  EXPECT_EQ(error_of(nullptr), "");
  EXPECT_EQ(error_of(""), "");
  EXPECT_EQ(error_of("mode: cycle\nengine: {iotlb: {entries: 16, ways: 4}}\nmemory: {cycles: 50}\nseed: 3\n"), "");
  EXPECT_EQ(error_of("mode: cycle                # or functional, the default\nseed: 1\nimplementation: {sv57: false}\n"
                     "engine: {iotlb: {entries: 32, ways: 4}}\n"
                     "memory: {cycles: 80, jitter_cycles: 0, forward_cycles: 100}\n"),
            "")
      << "as in docs/embedding.md";
  EXPECT_EQ(error_of("implementation: {ats: true, pd20: true, dbg: true, hpm: true, num_hpm: 8}"), "");
}

TEST(Params, ReachTheImplementation) {
  Embedded embedded("implementation: {sv57: false}");
  spec::Implementation implementation;
  implementation.sv57 = false;
  EXPECT_EQ(embedded.get(spec::kCapabilitiesOffset, 8), implementation.capabilities());
}

TEST(Params, RefusalsSayWhere) {
  EXPECT_EQ(error_of("mode: cycle\nengine:\n  iotlb: {entrys: 4}").find("yaml:3:11: "), 0U);
  EXPECT_EQ(error_of("mode: slow").find("yaml:1:7: "), 0U) << error_of("mode: slow");
  EXPECT_EQ(error_of("mode: [").find("yaml:"), 0U);
  EXPECT_EQ(error_of("mode: cycle\nmemory:\n  cycles: 0\n").find("yaml:3:11: "), 0U);
}

TEST(Params, ContradictionsSayWhere) {
  EXPECT_EQ(error_of("mode: cycle\nengine:\n  iotlb: {entries: 10, ways: 4}"),
            "yaml:3:30: engine.iotlb.ways: ways must divide entries");
  EXPECT_EQ(
      error_of("mode: cycle\nengine:\n  walk_cache:\n    second_stage:\n      level3: {entries: 3, policy: plru}"),
      "yaml:5:15: engine.walk_cache.second_stage.level3.ways: policy plru needs a power of two of ways");
  EXPECT_EQ(error_of("implementation:\n  sv48: false\n").find("yaml:2:3: implementation: "), 0U);
}

TEST(Params, EveryCacheIsChecked) {
  std::vector<std::string> caches = {"ddt_cache", "pdt_cache", "directory_cache", "iotlb"};
  for (const char* stage : {"walk_cache.first_stage.level", "walk_cache.second_stage.level"})
    for (const char* level : {"1", "2", "3", "4"}) caches.push_back(std::string(stage) + level);
  for (const std::string& cache : caches) {
    std::string yaml = "{entries: 10, ways: 4}";
    for (std::size_t end = cache.size(), dot; end != 0; end = dot == std::string::npos ? 0 : dot) {
      dot = cache.rfind('.', end - 1);
      const std::size_t begin = dot == std::string::npos ? 0 : dot + 1;
      yaml = "{" + cache.substr(begin, end - begin) + ": " + yaml + "}";
    }
    EXPECT_NE(error_of(("{mode: cycle, engine: " + yaml + "}").c_str()).find(" engine." + cache + ".ways: "),
              std::string::npos)
        << cache;
  }
}

TEST(Params, OfAFile) {
  const std::string path = testing::TempDir() + "iommusim_params_test.yaml";
  std::ofstream(path) << "mode: cycle\nseed: many\n";
  char* error = nullptr;
  EXPECT_EQ(iommusim_create_from_file(path.c_str(), &kDeafHost, &error), nullptr);
  EXPECT_EQ(std::string(error).find(path + ":2:7: "), 0U) << error;
  iommusim_free(error);
  std::ofstream(path) << "mode: cycle\nseed: 4\n";
  iommusim_iommu* const iommu = iommusim_create_from_file(path.c_str(), &kDeafHost, nullptr);
  EXPECT_NE(iommu, nullptr);
  iommusim_destroy(iommu);
  std::remove(path.c_str());
  EXPECT_EQ(iommusim_create_from_file(path.c_str(), &kDeafHost, &error), nullptr);
  EXPECT_NE(std::string(error).find(path), std::string::npos);
  iommusim_free(error);
  EXPECT_EQ(iommusim_create_from_file(nullptr, &kDeafHost, nullptr), nullptr);
}

TEST(Params, AreDescribed) {
  char* const text = iommusim_describe_parameters();
  for (const char* name : {"mode", "memory.cycles", "engine.iotlb.entries", "implementation.sv57"})
    EXPECT_NE(std::string(text).find(name), std::string::npos) << name;
  iommusim_free(text);
}

}  // namespace iommusim::embed::test
