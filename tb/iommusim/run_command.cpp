// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "commands.h"
#include "platform/results.h"
#include "platform/summary.h"
#include "platform/system_file.h"

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

int run_system(const platform::SystemParams& params, const RunOptions& options) {
  platform::System system(params);
  const auto start = std::chrono::steady_clock::now();
  {
    Progress progress;
    std::function<void(double, const char*)> show;
    if (!options.quiet && isatty(STDERR_FILENO) != 0)
      show = [&](double fraction, const char* phase) { progress.show(fraction, phase); };
    system.run(show);
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

}  // namespace iommusim::program
