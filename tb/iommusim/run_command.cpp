// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "base/error.h"
#include "commands.h"
#include "params/echo.h"
#include "platform/results.h"
#include "platform/summary.h"
#include "platform/system_file.h"
#include "platform/system_parts.h"
#include "record/database_sink.h"
#include "record/file_sink.h"

namespace iommusim::program {

namespace {

/// One line on the terminal, redrawn at most ten times a second.
class Progress {
 public:
  void show(double fraction, const char* phase) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    constexpr int kWidth = 40;
    const int filled = static_cast<int>(fraction * kWidth);
    std::fprintf(stderr, "\r[%-*s] %3.0f %%  %-9s", kWidth, std::string(static_cast<std::size_t>(filled), '#').c_str(),
                 fraction * 100, phase);
    shown_ = true;
  }
  ~Progress() {
    if (shown_) std::fprintf(stderr, "\r%60s\r", "");
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  bool shown_ = false;
};

/// The sinks that the options ask for, attached to the system's IOMMU.
void start_recording(platform::System& system, const RunOptions& options, record::Recorder& recorder) {
  const bool wanted = !options.database.empty() || !options.text.empty() || !options.jsonl.empty();
  if (!wanted) return;
  if (system.params().iommu.mode != bus::IommuMode::kCycle)
    throw base::InputError(
        "iommu.mode is functional, which has no time to record; expected cycle with --db and "
        "--record-*");
  record::Filter filter;
  filter.start = options.record_from_ns * 1000;
  if (options.record_to_ns) filter.end = *options.record_to_ns * 1000;
  filter.sample = options.record_sample;
  if (!options.database.empty()) {
    record::DatabaseOptions database;
    database.meta = {{"system", system.params().name},
                     {"config", params::to_yaml(system.params())},
                     {"iommu_clock_mhz", std::to_string(system.params().iommu.engine.clock_mhz)}};
    recorder.attach(record::make_database_sink(options.database, database), filter);
  }
  if (!options.text.empty()) recorder.attach(record::make_text_sink(options.text, ~0ULL), filter);
  if (!options.jsonl.empty()) recorder.attach(record::make_json_lines_sink(options.jsonl, ~0ULL), filter);
  system.parts().iommu.record(recorder);
}

/// A run that ends by bad input leaves no records; those of a contradiction are kept, for they show the way to it.
void run_recorded(platform::System& system, const RunOptions& options, record::Recorder& recorder,
                  const std::function<void(double, const char*)>& show) {
  try {
    start_recording(system, options, recorder);
    system.run(show);
  } catch (const base::InputError&) {
    recorder.abandon();
    throw;
  }
  recorder.close();
}

int run_system(const platform::SystemParams& params, const RunOptions& options) {
  platform::System system(params);
  record::Recorder recorder;
  const auto start = std::chrono::steady_clock::now();
  {
    Progress progress;
    std::function<void(double, const char*)> show;
    if (!options.quiet && isatty(STDERR_FILENO) != 0)
      show = [&](double fraction, const char* phase) { progress.show(fraction, phase); };
    run_recorded(system, options, recorder, show);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!options.output.empty()) platform::write_results(system, options.output);
  if (options.json) {
    std::fputs(platform::stats_json_of(system).c_str(), stdout);
    return 0;
  }
  std::fputs(platform::summary_of(system).c_str(), stdout);
  // Not in the files: they are the same bits for the same run on any machine.
  std::printf("host\n  %-24s%.2f s\n", "run time", seconds);
  if (!options.output.empty()) std::printf("  %-24s%s\n", "written to", options.output.c_str());
  return 0;
}

}  // namespace

int run(const RunOptions& options) {
  const platform::SystemFile file(options.system, options.sets, options.seed);
  if (!options.output.empty()) platform::check_results_folder(options.output);
  return file.located([&] { return run_system(file.params(), options); });
}

int export_records(const std::string& database, const std::string& table) {
  record::export_database(database, table, stdout);
  return 0;
}

}  // namespace iommusim::program
