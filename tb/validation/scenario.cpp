// SPDX-License-Identifier: Apache-2.0
#include "validation/scenario.h"

#include <regex>
#include <vector>

#include "base/error.h"

namespace iommusim::validation {
namespace {

unsigned level_of(const std::string& size) { return size == "2m" ? 1 : size == "1g" ? 2 : 0; }

/// Takes `pattern` off the front of `rest` and gives its groups; false: it does not stand there.
bool take(std::string& rest, const char* pattern, std::vector<std::string>& groups) {
  std::smatch found;
  if (!std::regex_search(rest, found, std::regex(std::string("^(?:") + pattern + ")"))) return false;
  groups.clear();
  for (std::size_t i = 1; i < found.size(); ++i) groups.push_back(found[i].str());
  rest = found.suffix().str();
  return true;
}

void take_device(std::string& rest, Scenario& scenario) {
  std::vector<std::string> groups;
  if (!take(rest, "ddtc_(?:hit|miss_([123])lvl)[+_]?", groups) || groups[0].empty()) return;
  scenario.device = Cached::kMiss;
  scenario.directory_levels = static_cast<unsigned>(groups[0][0] - '0');
}

/// `nested`: what follows "_nested" belongs to the directory, and is not the beginning of "nested_4k".
void take_process(std::string& rest, Scenario& scenario, bool nested) {
  std::vector<std::string> groups;
  const char* const pattern = nested ? "pdtc_(hit|miss)_pd(8|17|20)_nested[+_]?" : "pdtc_(hit|miss)_pd(8|17|20)[+_]?";
  if (!take(rest, pattern, groups)) return;
  scenario.process = groups[0] == "hit" ? Cached::kHit : Cached::kMiss;
  scenario.process_levels = groups[1] == "8" ? 1 : groups[1] == "17" ? 2 : 3;
  scenario.process_nested = nested;
}

/// How the address is translated; the rest of the name.
bool take_translation(std::string& rest, Scenario& scenario) {
  std::vector<std::string> match;
  scenario.translation = Cached::kMiss;
  if (take(rest, "iotlb_hit(_write|_s2only|_nested_g_(4k|2m|1g))?", match)) {
    scenario.translation = Cached::kHit;
    scenario.is_write = match[0] == "_write";
    scenario.second_stage = !match[0].empty() && !scenario.is_write;
    scenario.first_stage = match[0] != "_s2only";
    scenario.second_level = level_of(match[1]);
  } else if (take(rest, "(?:iotlb_miss_)?sv39_(4k|2m|1g)", match)) {
    scenario.first_stage = true;
    scenario.first_level = level_of(match[0]);
  } else if (take(rest, "s2only_(4k|2m|1g)", match)) {
    scenario.second_stage = true;
    scenario.second_level = level_of(match[0]);
  } else if (take(rest, "nested_(?:s1_(4k|2m|1g)_g_(4k|2m|1g)|4k)", match)) {
    scenario.first_stage = scenario.second_stage = true;
    scenario.first_level = level_of(match[0]);
    scenario.second_level = level_of(match[1]);
  } else if (take(rest, "msi_flat_(hit|miss)\\(s1_bare\\)", match)) {
    scenario.translation = match[0] == "hit" ? Cached::kHit : Cached::kMiss;
    scenario.second_stage = scenario.is_msi = scenario.is_write = true;
  } else {
    scenario.translation = Cached::kNotUsed;
    return take(rest, "bare", match);
  }
  return true;
}

}  // namespace

Scenario parse_scenario(const std::string& name) {
  Scenario scenario;
  scenario.name = name;
  if (name == "iommu_mode_bare") {
    scenario.mode_bare = true;
    return scenario;
  }
  if (name.rfind("fault_", 0) == 0 || name.rfind("cmd_", 0) == 0 || name.rfind("reg_", 0) == 0) {
    scenario.kind = name[0] == 'f'   ? Scenario::Kind::kFault
                    : name[0] == 'c' ? Scenario::Kind::kCommand
                                     : Scenario::Kind::kRegister;
    return scenario;
  }
  std::string rest;
  bool understood = false;
  for (const bool nested : {true, false}) {
    if (understood) break;
    scenario = {};
    scenario.name = rest = name;
    take_device(rest, scenario);
    take_process(rest, scenario, nested);
    understood = take_translation(rest, scenario) && rest.empty();
  }
  if (!understood)
    throw base::InputError("scenario '" + name + "' is not understood from '" + rest +
                           "' on, expected contexts and a translation as in ddtc_hit+iotlb_miss_sv39_4k");
  if (scenario.device == Cached::kMiss && scenario.process == Cached::kHit)
    throw base::InputError("scenario '" + name + "' cannot be: a process context goes with its device's");
  return scenario;
}

}  // namespace iommusim::validation
