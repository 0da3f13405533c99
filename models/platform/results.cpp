// SPDX-License-Identifier: Apache-2.0
#include "platform/results.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "params/echo.h"
#include "platform/summary.h"
#include "platform/system_parts.h"
#include "stats/report.h"

namespace iommusim::platform {

namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& text) {
  fs::path temporary = path;
  temporary += ".part";
  std::ofstream out(temporary, std::ios::binary);
  out << text;
  out.close();
  std::error_code error;
  if (out) fs::rename(temporary, path, error);
  if (!out || error)
    throw base::InputError(path.string() + ": cannot be written, expected a folder that can be written to");
}

}  // namespace

void check_results_folder(const std::string& folder) {
  fs::path at = fs::absolute(folder).lexically_normal();
  std::error_code error;
  while (!fs::exists(at, error) && at.has_relative_path()) at = at.parent_path();
  if (!fs::is_directory(at, error) || access(at.c_str(), W_OK | X_OK) != 0)
    throw base::InputError(folder + ": " + at.string() + " is no folder that can be written to, expected one");
}

namespace {

RunResults results_of(System& system, std::string summary) {
  const auto& injector = system.parts().injector;
  return {system.params(),   system.statistics(), system.totals(), system.digest(), injector ? injector->log() : "",
          std::move(summary)};
}

}  // namespace

std::string stats_json_of(System& system) { return stats_json_of(results_of(system, {})); }
void write_results(System& system, const std::string& folder) {
  write_results(results_of(system, summary_of(system)), folder);
}

std::string stats_json_of(const RunResults& results) {
  const RunTotals& totals = results.totals;
  nlohmann::ordered_json run;
  run["name"] = results.params.name;
  run["simulated_ps"] = totals.simulated_ps;
  run["workload_ps"] = totals.workload_ps;
  run["transfers"] = totals.transfers;
  run["failed_transfers"] = totals.failed_transfers;
  run["bytes_moved"] = totals.bytes_moved;
  // Hexadecimal text: a JSON number of 64 bits is not safe with every reader.
  const auto hex = [](std::uint64_t value) {
    char text[19];
    std::snprintf(text, sizeof text, "0x%016llx", static_cast<unsigned long long>(value));
    return std::string(text);
  };
  if (results.digest)
    run["digest"] = {{"responses", hex(results.digest->responses)},
                     {"reads", hex(results.digest->reads)},
                     {"buffers", hex(results.digest->buffers)},
                     {"faults", hex(results.digest->faults)}};
  const stats::Snapshot snapshot(results.statistics);
  auto json = nlohmann::ordered_json::parse(stats::to_json({{"measured", &snapshot}}));
  nlohmann::ordered_json out;
  out["schema_version"] = json["schema_version"];
  out["run"] = run;
  for (auto& [key, value] : json.items())
    if (key != "schema_version") out[key] = value;
  return out.dump(1) + "\n";
}

void make_results_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw base::InputError(folder + ": cannot be created: " + error.message());
}

void write_results(const RunResults& results, const std::string& folder) {
  make_results_folder(folder);
  SystemParams echo = results.params;
  for (auto& [name, device] : echo.devices)
    if (!device.trace.empty()) device.trace = fs::absolute(device.trace).lexically_normal().string();
  write_file(fs::path(folder) / "config.yaml", params::to_yaml(echo));
  write_file(fs::path(folder) / "stats.json", stats_json_of(results));
  if (!results.injections.empty()) write_file(fs::path(folder) / "injections.csv", results.injections);
  write_file(fs::path(folder) / "summary.txt", results.summary);
}

}  // namespace iommusim::platform
