// SPDX-License-Identifier: Apache-2.0
// The commands of the program, behind the parser of the command line. Each returns the exit code; bad input is thrown
// as base::InputError, a contradiction as base::Contradiction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace iommusim::program {

struct RunOptions {
  std::string system;
  std::vector<std::string> sets;  ///< path=value
  std::string output;             ///< folder, created; empty: nothing is written
  std::optional<std::uint64_t> seed;
  bool json = false;                  ///< print stats.json instead of the summary
  bool quiet = false;                 ///< no progress
  std::string database, text, jsonl;  ///< files of records; empty: none
  std::uint64_t record_from_ns = 0;
  std::optional<std::uint64_t> record_to_ns;
  std::uint64_t record_sample = 1;
};
int run(const RunOptions& options);

/// `format`: text, json, markdown, schema, yaml. The last gives the values that a system with `preset` begins with.
int list_params(const std::string& format, const std::string& preset);

/// Prints a table of a database of records as CSV.
int export_records(const std::string& database, const std::string& table);

struct StatsOptions {
  std::string system;
  std::vector<std::string> sets;  ///< path=value
  std::string format = "text";    ///< text, json, markdown
};
/// The statistics that a run of this system would give: built, not run.
int list_statistics(const StatsOptions& options);

struct ConformOptions {
  std::vector<std::string> inputs;  ///< files and directories of conformance vectors
  std::string engine = "functional";
  std::vector<std::string> sets;               ///< path=value
  std::vector<std::string> expected_failures;  ///< lists of places
  bool json = false;
};
/// Replays the vectors; 1 when one of them fails, passes unexpectedly or is skipped.
int conform(const ConformOptions& options);

struct ExecOptions {
  std::string machine = "simulated";
  std::vector<std::string> machine_arguments;  ///< NAME=VALUE
  std::string destroy = "wait";                ///< or "busy": what DESTROY does while a call uses the object
  // Of the simulated machine.
  std::string system, output, ioctl_log;
  std::vector<std::string> sets;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> program;  ///< with its arguments
};
/// Runs a real program on the machine; its exit status.
int exec(const ExecOptions& options);

struct ConvertCommand {
  std::string in, out;
  std::uint64_t from_ns = 0;
  std::optional<std::uint64_t> to_ns, events;
  std::vector<std::string> sources;
  int level = 12;
};
int trace_info(const std::string& path, bool json);
int trace_convert(const ConvertCommand& command);

}  // namespace iommusim::program
