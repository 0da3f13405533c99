// SPDX-License-Identifier: Apache-2.0
// Bad input of every kind: exit code 2, exactly one line that says where, what is wrong and what was expected, and
// nothing written.
#include <gtest/gtest.h>

#include <algorithm>

#include "program.h"

namespace iommusim::system_test {
namespace {

/// Runs in a folder with the given files and checks the one line: it begins with `place` and contains `words`.
class BadInput : public testing::Test {
 protected:
  BadInput() { folder.write("good.csv", "0,00:03.0,M,0x10000000,4096,0x1000\n1,00:03.0,R,0x10000000,64,0x1000\n"); }

  void expect_refused(const std::vector<std::string>& arguments, const std::string& place, const std::string& words) {
    const std::string output = folder.path("out");
    std::vector<std::string> all{"run"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.insert(all.end(), {"-o", output});
    const Outcome outcome = call(all);
    EXPECT_EQ(outcome.exit, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(outcome.err.rfind(place, 0), 0U) << "expected '" << place << "', got " << outcome.err;
    EXPECT_NE(outcome.err.find(words), std::string::npos) << "expected '" << words << "', got " << outcome.err;
    EXPECT_FALSE(exists(output));
  }
  void expect_system_refused(const std::string& text, const std::string& place, const std::string& words) {
    SCOPED_TRACE(text);
    const std::string system = folder.write("s.yaml", text);
    expect_refused({system}, system + ":" + place + ": ", words);
  }
  void expect_trace_refused(const std::string& text, const std::string& place, const std::string& words) {
    SCOPED_TRACE(text.substr(0, text.find('\0')));
    const std::string trace = folder.write("t.csv", text);
    const std::string system = folder.write("s.yaml", "devices: {d: {kind: replay, trace: t.csv}}\n");
    expect_refused({system}, trace + ":" + place + ": ", words);
  }
  void expect_set_refused(const std::string& set, const std::string& words) {
    SCOPED_TRACE(set);
    const std::string system = folder.write("s.yaml", "devices: {d: {kind: replay, trace: good.csv}}\n");
    expect_refused({system, "--set", set}, "--set " + set + ": ", words);
  }

  const std::string good = "devices: {d: {kind: replay, trace: good.csv}}\n";
  Folder folder;
};

TEST_F(BadInput, TheFilesAreGoodWhenNothingIsWrong) {
  EXPECT_EQ(run(folder.write("s.yaml", good))["run.transfers"], 1U);
}

TEST_F(BadInput, SystemFileThatIsNoYaml) {
  expect_system_refused("devices: {d: {kind: replay\n", "2:1", "not valid YAML");
  expect_system_refused(good + "iommu:\n\tengine: 3\n", "3:8", "not valid YAML");
  expect_system_refused(good + "name: a\nname: b\n", "3:1", "duplicate key 'name'; the first is in line 2");
  expect_system_refused(good + "name: *x\n", "2:7", "the referenced anchor is not defined");
  expect_system_refused("", "1:1", "devices: there is none, expected at least one");
  expect_system_refused("- a\n- b\n", "1:1", "expected a map of parameters");
}

TEST_F(BadInput, SystemFileWithBadKeysAndValues) {
  expect_system_refused(good + "iommu: {engine: {iotbl: {entries: 4}}}\n", "2:18", "did you mean 'iotlb'?");
  expect_system_refused(good + "memroy: {}\n", "2:1", "did you mean 'memory'?");
  expect_system_refused(good + "iommu: {engine: {iotlb: {entries: 2000000}}}\n", "2:35", "expected 0..1048576 (count)");
  expect_system_refused(good + "iommu: {engine: {iotlb: {entries: -1}}}\n", "2:35", "expected 0..1048576 (count)");
  expect_system_refused(good + "memory:\n  latency_ns: 3 MHz\n", "3:15", "expected ns, us, ms or s");
  expect_system_refused(good + "memory: {latency_ns: fast}\n", "2:22", "'fast' is not a number");
  expect_system_refused(good + "memory: {latency_ns: 1.5}\n", "2:22", "is not a whole number of ns");
  expect_system_refused(good + "memory: [1, 2]\n", "2:9", "expected a map of parameters, found a list");
  expect_system_refused(good + "software: {buffer_digest: maybe}\n", "2:27", "expected true or false");
  expect_system_refused("devices: {d: {kind: replya}}\n", "1:21", "did you mean 'replay'?");
  expect_system_refused("devices: {\"a b\": {kind: replay}}\n", "1:11", "expected letters, digits");
}

TEST_F(BadInput, ParametersThatContradictEachOther) {
  expect_system_refused(good + "iommu: {engine: {iotlb: {entries: 64, ways: 5}}}\n", "2:45",
                        "ways must divide entries");
  expect_system_refused(good + "iommu: {engine: {iotlb: {ways: 5}}}\n", "2:32", "ways must divide entries");
  expect_system_refused(good + "iommu: {engine: {ddt_cache: {entries: 12, ways: 3, policy: plru}}}\n", "2:49",
                        "power of two of ways");
  expect_system_refused(good + "iommu: {engine: {walk_cache: {second_stage: {level3: {entries: 9, ways: 2}}}}}\n",
                        "2:73", "second_stage.level3.ways: ways must divide entries");
  expect_system_refused(good + "iommu: {implementation: {sv39: false}}\n", "2:25", "sv48 needs sv39");
  expect_system_refused(good + "memory: {physical_bits: 56}\niommu: {implementation: {pas: 40}}\n", "2:25",
                        "expected at most iommu.implementation.pas, 40");
  expect_system_refused(good + "memory: {physical_bits: 20}\n", "2:25", "expected at least 26");
  expect_system_refused(good + "memory: {physical_bits: 30}\n", "1:1", "software.kernel_memory_bytes: does not fit");
  expect_system_refused(good + "software: {address_bits: 40}\n", "2:26", "expected 39, 48 or 57");
  expect_system_refused(good + "software: {largest_page_bytes: 5000}\n", "2:32", "expected a power of two");
}

TEST_F(BadInput, Devices) {
  expect_system_refused("name: x\n", "1:1", "devices: there is none, expected at least one");
  expect_system_refused("devices: {d: {kind: replay}}\n", "1:14", "kind replay needs a trace");
  expect_system_refused("devices: {d: {trace: none.csv}}\n", "1:22", "none.csv cannot be read: No such file");
  expect_system_refused("devices: {d: {trace: .}}\n", "1:22", "Is a directory, expected a trace");
  expect_system_refused("devices: {d: {trace: good.csv, replay: {split_bytes: 100}}}\n", "1:54",
                        "expected a power of two from 64 to 4096");
  expect_system_refused("devices: {iommu: {trace: good.csv}}\n", "1:18", "expected another name");
  expect_system_refused("devices: {a: {trace: good.csv}, b: {trace: good.csv}}\n", "1:44",
                        "device id 24 is that of another device too");
  const auto uniform = [](const std::string& text) { return "devices: {d: {kind: uniform, " + text + "}}\n"; };
  for (const char* const bdf : {"\"00:99.0\"", "x", "\"00:01.8\"", "\"\"", "\"1:2:3:4\"", "\"00:1F.0\""})
    expect_system_refused(uniform("uniform: {bdf: " + std::string(bdf) + "}"), "1:45", "expected bb:dd.f");
  expect_system_refused(uniform("uniform: {request_bytes: 2 MiB}"), "1:55", "expected at most 1048576");
  expect_system_refused(uniform("uniform: {window_bytes: 2 TiB}"), "1:14", "buffers do not fit into memory");
  expect_system_refused(uniform("window: {iova: 100}"), "1:45", "expected a multiple of 4096");
  expect_system_refused(uniform("window: {chunk_bytes: 5000}"), "1:52", "expected a multiple of 4096");
}

/// Found only when the driver meets the hardware: in the middle of a run, which must end cleanly all the same.
TEST_F(BadInput, WhatTheDriverRefuses) {
  const std::string uniform = "devices: {d: {kind: uniform, uniform: {bdf: \"ff:01.0\"}, window: {iova: 4 GiB}}}\n";
  expect_system_refused(uniform + "iommu: {implementation: {max_mode: 1lvl}}\n", "1:45", "does not fit into");
  expect_system_refused(uniform + "iommu: {implementation: {version: 32}}\n", "2:25", "refuses this IOMMU: ENODEV");
  expect_system_refused(uniform + "iommu: {implementation: {sv39: false, sv48: false, sv57: false}}\n", "1:14",
                        "cannot be attached");
  expect_system_refused("devices: {d: {kind: uniform, window: {iova: 0x7ffffffff000}}}\n", "1:45", "cannot be mapped");
}

TEST_F(BadInput, Traces) {
  const std::string map = "0,00:03.0,M,0x10000000,4096,0x1000\n";
  expect_trace_refused("", "1:1", "expected at least one event");
  expect_trace_refused(map + "1,00:03.0,R,0x10000000,64\n", "2:26", "5 columns, expected 6");
  expect_trace_refused(map + "1,00:03.0,Q,0x10000000,64,\n", "2:11", "expected R, W, X, M, U or I");
  expect_trace_refused(map + "1,00:03.0,R,10000000,64,\n", "2:13", "expected 0x and 1 to 16");
  expect_trace_refused(map + "1,00:3.0,R,0x10000000,64,\n", "2:3", "expected a PCI address");
  expect_trace_refused("5" + map.substr(1) + "4,00:03.0,R,0x10000000,64,\n", "2:1", "time runs backwards");
  expect_trace_refused("# iommusim-trace 9\n" + map, "1:18", "expected 1");
  expect_trace_refused(map + "1,00:03.0,U,0x10000800,4096,\n", "2:13", "4096");
  const std::string packed = read_file(sample("nvme-randread-4k.strict"));
  expect_trace_refused(packed.substr(0, packed.size() / 2), "3087:18", "truncated zstd frame, expected more");
}

/// Traces that keep the format and say what cannot be.
TEST_F(BadInput, TracesThatSoftwareCannotExecute) {
  const std::string map = "0,00:03.0,M,0x10000000,4096,0x1000\n";
  expect_trace_refused(map + map, "2:1", "IOAS_MAP fails with EEXIST");
  expect_trace_refused("0,00:03.0,U,0x10000000,4096,\n", "1:1", "IOAS_UNMAP fails with ENOENT");
  expect_trace_refused("0,00:03.0,M,0xffffff0000000000,4096,0x1000\n", "1:1", "IOAS_MAP fails with EINVAL");
  expect_trace_refused("0,00:03.0,M,0x10000000,4096,0xffffff00000000\n", "1:1", "IOAS_MAP fails with EFAULT");
  expect_trace_refused(map + "1,00:03.0,R,0x20000000,64,\n", "2", "an access to what no M line maps");
}

TEST_F(BadInput, Sets) {
  expect_set_refused("name", "expected path=value");
  expect_set_refused("=3", "expected names separated by dots");
  expect_set_refused("iommu.engnie.iotlb.entries=4", "did you mean 'engine'?");
  expect_set_refused("iommu.engine.iotlb.entries=4G", "unit");
  expect_set_refused("iommu.engine.iotlb.entries=many", "'many' is not a number");
  expect_set_refused("iommu.engine.iotlb.ways=7", "ways must divide entries");
  expect_set_refused("memory.latency_ns=3 MHz", "expected ns, us, ms or s");
  expect_set_refused("devices.d.kind=unifrom", "did you mean 'uniform'?");
  expect_set_refused("devices.d.trace=none.csv", "cannot be read");
  expect_set_refused("seed=3", "expected a map of parameters");
  expect_set_refused("memory.latency_ns.x=3", "latency_ns");
  expect_set_refused("iommu={engine: [", "not");
}

TEST_F(BadInput, FilesAndOptions) {
  expect_refused({folder.path("none.yaml")}, folder.path("none.yaml") + ": ", "No such file");
  expect_refused({folder.path(".")}, folder.path(".") + ": ", "Is a directory");
  const std::string system = folder.write("s.yaml", good);
  expect_refused({system, "--seed", "x"}, "iommusim: ", "--seed");
  expect_refused({system, "--sed", "3"}, "iommusim: ", "--sed");
  expect_refused({}, "iommusim: ", "system is required");
  const Outcome into_a_file = call({"run", system, "-o", folder.path("good.csv") + "/x"});
  EXPECT_EQ(into_a_file.exit, 2);
  EXPECT_NE(into_a_file.err.find("no folder that can be written to"), std::string::npos) << into_a_file.err;
  EXPECT_EQ(call({}).exit, 2);
  EXPECT_EQ(call({"frobnicate"}).exit, 2);
  EXPECT_EQ(call({"--help"}).exit, 0);
}

}  // namespace
}  // namespace iommusim::system_test
