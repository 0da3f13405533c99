// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "platform/system.h"
#include "platform/system_file.h"
#include "stats/report.h"

namespace iommusim::program {

namespace {

using Definitions = std::vector<stats::Definition>;

std::string stats_as_text(const Definitions& rows) {
  std::size_t width = 0;
  for (const stats::Definition& row : rows) width = std::max(width, row.path.size());
  std::string out;
  for (const stats::Definition& row : rows) {
    std::string path = row.path;
    path.resize(width, ' ');
    out += path + "  " + row.kind + ", " + row.unit + ": " + row.definition + '\n';
  }
  return out;
}

std::string stats_as_markdown(const Definitions& rows) {
  std::string out = "| Statistic | Kind | Unit | Definition |\n|---|---|---|---|\n";
  for (const stats::Definition& row : rows)
    out += "| `" + row.path + "` | " + row.kind + " | " + row.unit + " | " + row.definition + " |\n";
  return out;
}

std::string stats_as_json(const Definitions& rows) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const stats::Definition& row : rows)
    out.push_back({{"path", row.path}, {"kind", row.kind}, {"unit", row.unit}, {"definition", row.definition}});
  return out.dump(1) + '\n';
}

}  // namespace

int list_statistics(const StatsOptions& options) {
  const platform::SystemFile file(options.system, options.sets, std::nullopt);
  const Definitions rows = file.located([&] {
    platform::System system(file.params());
    return stats::list_definitions(system.statistics());
  });
  const std::string text = options.format == "json"       ? stats_as_json(rows)
                           : options.format == "markdown" ? stats_as_markdown(rows)
                                                          : stats_as_text(rows);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace iommusim::program
