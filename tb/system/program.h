// SPDX-License-Identifier: Apache-2.0
// The program under test, as a user meets it: a process with arguments, an exit code and two streams. SystemC
// elaborates once a process, so every run of a system is one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace iommusim::system_test {

struct Outcome {
  int exit = -1;  ///< 128 + signal when it was killed
  std::string out, err;
};

/// Runs `iommusim arguments...` to its end. `terminal`: its standard error is a terminal.
Outcome call(const std::vector<std::string>& arguments, bool terminal = false);

/// A folder of its own, gone with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file; its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

std::string read_file(const std::string& path);
bool exists(const std::string& path);

/// A sample of traces/samples, by name without endings.
std::string sample(const std::string& name);
/// A file of the folder systems.
std::string example_system(const std::string& name);
/// The folder of the shared traces, or "" when this machine has none.
std::string shared_traces();

/// stats.json of a run.
class Stats {
 public:
  explicit Stats(const std::string& json);
  /// A counter ("iommu.iotlb.misses"), a number of the run ("run.transfers"), or a part of a statistic
  /// ("iommu.requests.latency.count"). A path that does not exist fails the test.
  std::uint64_t operator[](const std::string& path) const;
  /// The four digests of the run, as text.
  std::string digest() const;
  std::string digest(const std::string& part) const;

 private:
  struct Tree;
  std::shared_ptr<const Tree> tree_;
};

/// Runs a system file and fails the test unless it ends well. Results as `--json` prints them.
Stats run(const std::string& system, const std::vector<std::string>& sets = {});
/// The same for a system of one device, `d`, with pages of 4 KiB only.
Stats run_device(const std::string& device, const std::vector<std::string>& sets = {});

}  // namespace iommusim::system_test
