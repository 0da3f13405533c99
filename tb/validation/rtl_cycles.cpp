// SPDX-License-Identifier: Apache-2.0
#include "validation/rtl_cycles.h"

#include <fstream>

#include "base/error.h"
#include "validation/serial_bench.h"

namespace iommusim::validation {
namespace {

constexpr const char* kHeader = "scenario,L,reads,cycles,r_beats,measure,config";

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::size_t begin = 0;
  for (std::size_t comma = line.find(','); comma != std::string::npos; comma = line.find(',', begin)) {
    cells.push_back(line.substr(begin, comma - begin));
    begin = comma + 1;
  }
  cells.push_back(line.substr(begin));
  return cells;
}

std::int64_t number(const std::string& cell, const char* column) {
  std::size_t used = 0;
  std::int64_t value = 0;
  try {
    value = std::stoll(cell, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != cell.size())
    throw base::InputError(std::string("column ") + column + " is '" + cell + "', expected an integer");
  return value;
}

/// The smaller machine that some rows were measured on.
Preset minimal(Preset preset) {
  preset.iommu.engine.iotlb.entries = preset.iommu.engine.ddt_cache.entries = 4;
  preset.iommu.engine.memory_port.device_context_beats = 0;
  preset.iommu.implementation.msi_flat = false;
  return preset;
}

/// The measured machine moves the head before the fence's data is written; IOMMU 3.1.2 wants it the other way round.
bool is_illegal(const CycleRow& row) {
  return row.scenario == "cmd_iofence_c_av" &&
         (row.measure == "tail_aw_valid->cqh_reg" || row.measure == "cqt_reg->cqh_reg");
}

CycleRow parse(const std::string& line) {
  const std::vector<std::string> cells = cells_of(line);
  if (cells.size() != 7) throw base::InputError("a row of " + std::to_string(cells.size()) + " cells, expected 7");
  CycleRow row;
  row.scenario = cells[0];
  row.latency = static_cast<std::uint64_t>(number(cells[1], "L"));
  if (number(cells[1], "L") < 1) throw base::InputError("L is " + cells[1] + ", expected 1 or more");
  row.reads = number(cells[2], "reads");
  row.cycles = number(cells[3], "cycles");
  row.beats = number(cells[4], "r_beats");
  row.measure = cells[5];
  row.config = cells[6];
  if (row.config != "full" && row.config != "min")
    throw base::InputError("config is '" + row.config + "', expected full or min");
  return row;
}

void measure(CycleRow& row, const Preset& preset) {
  const Preset machine = row.config == "min" ? minimal(preset) : preset;
  const Scenario scenario = parse_scenario(row.scenario);
  unsigned levels = scenario.directory_levels;
  if (scenario.name.find("_2lvl_root") != std::string::npos) levels = 2;
  if (scenario.name.find("_3lvl_root") != std::string::npos) levels = 3;
  SerialBench bench(machine.iommu.engine, machine.iommu.implementation, row.latency, levels);
  const Observation seen = bench.run(scenario);
  const auto found = seen.cycles.find(row.measure);
  if (found == seen.cycles.end()) {
    std::string known;
    for (const auto& entry : seen.cycles) known += (known.empty() ? "" : ", ") + entry.first;
    throw base::InputError("measure '" + row.measure + "' is unknown for this scenario, expected one of " + known);
  }
  row.found_cycles = found->second;
  row.found_reads = seen.reads;
  row.found_beats = seen.beats;
  const bool exact = row.found_cycles == row.cycles && row.found_reads == row.reads && row.found_beats == row.beats;
  row.verdict = is_illegal(row) ? CycleRow::Verdict::kIllegal
                : exact         ? CycleRow::Verdict::kExact
                                : CycleRow::Verdict::kDiffers;
}

}  // namespace

std::vector<CycleRow> compare_cycles(const std::string& file, const Preset& preset) {
  std::ifstream in(file);
  if (!in) throw base::InputError(file + ": cannot be read");
  std::vector<CycleRow> rows;
  std::string line;
  for (unsigned number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    try {
      if (number == 1) {
        if (line != kHeader) throw base::InputError("'" + line + "', expected '" + kHeader + "'");
        continue;
      }
      CycleRow row = parse(line);
      row.line = number;
      measure(row, preset);
      rows.push_back(row);
    } catch (const base::InputError& error) {
      throw base::InputError(file + ":" + std::to_string(number) + ": " + error.what());
    }
  }
  return rows;
}

}  // namespace iommusim::validation
