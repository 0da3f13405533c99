// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "commands.h"
#include "traces/convert.h"
#include "traces/summary.h"

namespace iommusim::program {

int trace_info(const std::string& path, bool json) {
  const traces::Summary summary = traces::summarize(path);
  std::fputs((json ? traces::to_json(summary) : traces::to_text(summary)).c_str(), stdout);
  return 0;
}

int trace_convert(const ConvertCommand& command) {
  traces::ConvertOptions options;
  options.from_ns = command.from_ns;
  if (command.to_ns) options.to_ns = *command.to_ns;
  if (command.events) options.events = *command.events;
  for (const std::string& source : command.sources) options.sources.push_back(traces::parse_source(source));
  options.level = command.level;
  const traces::ConvertResult result = traces::convert(command.in, command.out, options);
  std::printf("%s: %llu mappings at time 0, %llu events\n", command.out.c_str(),
              static_cast<unsigned long long>(result.snapshot_maps), static_cast<unsigned long long>(result.events));
  return 0;
}

}  // namespace iommusim::program
