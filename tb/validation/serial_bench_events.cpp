// SPDX-License-Identifier: Apache-2.0
// The scenarios that are no successful translation: faults, commands, register accesses.
#include <map>

#include "base/error.h"
#include "validation/serial_bench.h"

namespace iommusim::validation {
namespace {

constexpr std::uint32_t kDevice = 5;
constexpr std::uint64_t kIova = 0x40000000;
constexpr unsigned kSv39 = 8;

std::int64_t since(base::Cycle start, base::Cycle event) {
  return event == base::kNever ? -1 : static_cast<std::int64_t>(event - start);
}

[[noreturn]] void unknown(const std::string& name, const char* expected) {
  throw base::InputError("scenario '" + name + "' is unknown, expected one of " + expected);
}

}  // namespace

template <class Look>
void SerialBench::watch(Look&& look) {
  look();
  for (unsigned idle = 0; idle < 2;) {
    driver_.advance(driver_.now() + 1);
    look();
    idle = engine_.idle() && engine_.next_event() == base::kNever ? idle + 1 : 0;
  }
}

/// The tables are whole first, so that what the name calls a hit is cached; then they are broken.
Observation SerialBench::fault(const Scenario& scenario) {
  using translate::test::Machine;
  const std::string& name = scenario.name;
  const bool second_only = name == "fault_s2only_pte_invalid_leaf(ddtc_hit)";
  auto space = tables_.space(second_only ? 0 : kSv39, second_only ? kSv39 : 0);
  space.map(kIova, second_only ? kIova : 0x80000000);
  tables_.attach(kDevice, space);
  translate::Request request = Machine::request(kDevice, kIova);
  translate(request);
  if (name == "fault_pte_invalid_at_leaf_level(ddtc_hit)")
    tables_.memory.store(space.first_entry(kIova, 0), 0);
  else if (name == "fault_pte_invalid_at_root(ddtc_hit)")
    tables_.memory.store(space.first_entry(kIova, 2), 0);
  else if (second_only)
    tables_.memory.store(space.second_entry(kIova, 0), 0);
  else if (name == "fault_dc_invalid_1lvl")
    tables_.memory.store(tables_.directory_entry(kDevice), 0);
  else if (name == "fault_ddt_nonleaf_invalid_2lvl_root")
    tables_.memory.store(tables_.directory_entry(kDevice, 1), 0);
  else if (name == "fault_ddt_nonleaf_invalid_3lvl_root")
    tables_.memory.store(tables_.directory_entry(kDevice, 2), 0);
  else if (name == "fault_pv_without_pdtv(ddtc_hit;no_read)")
    request.process_valid = true;
  else
    unknown(name,
            "fault_pte_invalid_at_leaf_level(ddtc_hit), fault_pte_invalid_at_root(ddtc_hit), fault_dc_invalid_1lvl, "
            "fault_ddt_nonleaf_invalid_{2,3}lvl_root, fault_s2only_pte_invalid_leaf(ddtc_hit), "
            "fault_pv_without_pdtv(ddtc_hit;no_read)");
  execute(spec::opcode::kIotinval);
  execute(spec::opcode::kIotinval | spec::iotinval_w0::kFunc3.of(spec::iotinval_func3::kGvma));
  if (name.find("ddtc_hit") == std::string::npos) execute(spec::opcode::kIodir);

  begin_observation();
  const base::Cycle start = driver_.now();
  const std::uint64_t tail = driver_.read_register(spec::kFqtOffset, 4);
  base::Cycle moved = base::kNever;
  if (!driver_.offer(request, 0)) base::contradiction("the IOMMU holds back");
  watch([&] {
    if (moved == base::kNever && driver_.read_register(spec::kFqtOffset, 4) != tail) moved = driver_.now();
  });
  const timing::Finished& done = driver_.finished().at(0);
  seen_.cycles["req_valid->req_ready(error slave takes it)"] = since(start, done.released);
  seen_.cycles["req_valid->error_r_beat"] = since(start, done.done);
  seen_.cycles["req_valid->fault_record_last_w"] = since(start, written_.at(translate::Structure::kFaultQueue));
  seen_.cycles["req_valid->fqt_updated"] = since(start, moved);
  return seen_;
}

std::uint64_t SerialBench::executed_invalidations() const {
  const auto& commands = engine_.stats().commands;
  return commands.iodir.value() + commands.iotinval_all.value() + commands.iotinval_page.value() +
         commands.iotinval_space.value();
}

Observation SerialBench::command(const Scenario& scenario) {
  using namespace spec;
  const std::uint64_t device = iodir_w0::kDv.mask() | iodir_w0::kDid.of(kDevice);
  const std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> commands = {
      {"cmd_iotinval_vma_all", {opcode::kIotinval, 0}},
      {"cmd_iotinval_vma_addr_pscid",
       {opcode::kIotinval | iotinval_w0::kAv.mask() | iotinval_w0::kPscv.mask() | iotinval_w0::kPscid.of(2),
        kIova >> 2}},
      {"cmd_iotinval_gvma_all", {opcode::kIotinval | iotinval_w0::kFunc3.of(iotinval_func3::kGvma), 0}},
      {"cmd_iodir_inval_ddt_all", {opcode::kIodir, 0}},
      {"cmd_iodir_inval_ddt_did", {opcode::kIodir | device, 0}},
      {"cmd_iodir_inval_pdt", {opcode::kIodir | iodir_w0::kFunc3.of(iodir_func3::kInvalPdt) | device, 0}},
      {"cmd_iofence_c", {opcode::kIofence, 0}},
      {"cmd_iofence_c_av", {opcode::kIofence | iofence_w0::kAv.mask() | iofence_w0::kData.of(7), 0x7000 >> 2}},
  };
  const auto found = commands.find(scenario.name);
  if (found == commands.end())
    unknown(scenario.name,
            "cmd_iotinval_vma_{all,addr_pscid}, cmd_iotinval_gvma_all, cmd_iodir_inval_{ddt_all,ddt_did,pdt}, "
            "cmd_iofence_c, cmd_iofence_c_av");
  tables_.memory.store(tables_.command_address(tail_), found->second.first);
  tables_.memory.store(tables_.command_address(tail_) + 8, found->second.second);

  begin_observation();
  const base::Cycle start = driver_.now();
  const std::uint64_t head = driver_.read_register(kCqhOffset, 4);
  const std::uint64_t invalidations = executed_invalidations();
  base::Cycle tail_moved = base::kNever, head_moved = base::kNever, flushed = base::kNever;
  driver_.advance(start + params_.registers.write_effect_cycles());
  driver_.write_register(kCqtOffset, 4, ++tail_);
  watch([&] {
    const base::Cycle now = driver_.now();
    if (tail_moved == base::kNever && driver_.read_register(kCqtOffset, 4) == tail_) tail_moved = now;
    if (head_moved == base::kNever && driver_.read_register(kCqhOffset, 4) != head) head_moved = now;
    if (flushed == base::kNever && executed_invalidations() != invalidations) flushed = now;
  });
  const auto data = written_.find(translate::Structure::kFenceData);
  seen_.cycles["tail_aw_valid->cqt_reg"] = since(start, tail_moved);
  seen_.cycles["tail_aw_valid->cqh_reg"] = since(start, head_moved);
  seen_.cycles["cqt_reg->cqh_reg"] = since(tail_moved, head_moved);
  seen_.cycles["cqt_reg->flush_pulse"] = since(tail_moved, flushed);
  seen_.cycles["cqt_reg->fence_data_w"] = since(tail_moved, data == written_.end() ? base::kNever : data->second);
  return seen_;
}

/// The register port of the SystemC module takes the parameter's time (its unit test); there is no other way to it.
Observation SerialBench::register_access(const Scenario& scenario) const {
  Observation seen;
  const std::int64_t cycles = params_.registers.access_cycles;
  if (scenario.name == "reg_write32" || scenario.name == "reg_write64")
    seen.cycles["aw_valid->b(incl)"] = cycles;
  else if (scenario.name == "reg_read32" || scenario.name == "reg_read64")
    seen.cycles["ar_valid->r(incl)"] = cycles;
  else
    unknown(scenario.name, "reg_{read,write}{32,64}");
  return seen;
}

}  // namespace iommusim::validation
