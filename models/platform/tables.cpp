// SPDX-License-Identifier: Apache-2.0
#include "platform/tables.h"

#include <algorithm>

#include "platform/address_map.h"
#include "platform/checks.h"
#include "spec/context_checks.h"
#include "spec/registers.h"

namespace iommusim::platform {

Tables::Space::Space(Tables& owner, unsigned first_mode, unsigned second_mode, unsigned second_leaf)
    : tables(owner.memory_, owner.frames_, owner.guest_frames_, owner.guest_offset(), first_mode, second_mode,
             second_leaf) {}

Tables::Tables(const SystemParams& params, bus::SparseStore& store)
    : params_(params.software),
      implementation_(params.iommu.implementation),
      physical_bits_(params.memory.physical_bits),
      buffers_(user_memory(physical_bits_)),
      memory_(store),
      frames_(kKernelMemory),
      guest_frames_(kKernelMemory),
      directory_(memory_, frames_, levels(), implementation_.msi_flat, frames_.take()) {}

unsigned Tables::levels() const {
  const auto deepest = static_cast<unsigned>(implementation_.max_mode);
  const auto bare = static_cast<unsigned>(spec::DdtMode::kBare);
  return std::max(1U, std::min(params_.directory_levels, deepest > bare ? deepest - bare : 1));
}

std::optional<base::ProcessId> Tables::process() const {
  if (!translating() || params_.tables.process_directory == spec::pdtp_mode::kBare) return std::nullopt;
  return base::ProcessId(params_.tables.process);
}

void Tables::attach(std::uint32_t device, const std::string& bdf_path, bool ats) {
  if (!translating()) return;
  const TablesParams& tables = params_.tables;
  if (device >> spec::device_directory_bits(levels(), implementation_.msi_flat) != 0)
    throw ParameterError(bdf_path, "device id " + std::to_string(device) + " is beyond a directory of " +
                                       std::to_string(levels()) + " levels, expected a smaller one");
  const auto [place, fresh] = spaces_.emplace(
      device, std::make_unique<Space>(*this, tables.first_stage, tables.second_stage, tables.second_leaf));
  if (!fresh)
    throw ParameterError(
        bdf_path, "device id " + std::to_string(device) + " is that of another device too, expected one of its own");
  Space& space = *place->second;
  const auto number = static_cast<unsigned>(spaces_.size());
  spec::DeviceContext context;
  context.words[0] = spec::dc_tc::kV.mask() | (ats ? spec::dc_tc::kEnAts.mask() : 0);
  context.words[1] = space.tables.iohgatp(space.tables.second.bare() ? 0 : number);
  if (tables.process_directory == spec::pdtp_mode::kBare) {
    context.words[2] = spec::dc_ta::kPscid.of(number);
    context.words[3] = space.tables.fsc();
  } else {
    space.processes.emplace(memory_, space.tables, tables.process_directory);
    space.processes->set(tables.process,
                         {{spec::pc_ta::kV.mask() | spec::pc_ta::kPscid.of(number), space.tables.fsc()}});
    context.words[0] |= spec::dc_tc::kPdtv.mask();
    context.words[3] = space.processes->fsc();
  }
  if (spec::misconfigured(context, implementation_, implementation_.fctl))
    throw ParameterError("software.tables",
                         "iommu.implementation lacks one of the modes, or ATS, expected all of them");
  directory_.set(device, context);
}

std::uint64_t Tables::map(std::uint32_t device, const std::string& path, std::uint64_t iova, std::uint64_t buffer,
                          std::uint64_t bytes, unsigned leaf_level) {
  const std::uint64_t spa = buffers_ + buffer;
  if (!translating()) return spa;
  spec::PageTables<Memory>& tables = spaces_.at(device)->tables;
  const std::uint64_t gpa = tables.second.bare() ? spa : spa - guest_offset();
  const auto refuse = [&](const std::string& what) { throw ParameterError(path + ".iova", what); };
  if (!tables.first.bare()) {
    const std::uint64_t page = 1ULL << tables.first.shift(leaf_level);
    if ((iova - gpa) % page != 0) refuse("expected a multiple of the pages of the first stage");
    if (!spec::first_stage_accepts(tables.first, iova + bytes - 1))
      refuse("expected a window that fits the first stage");
    for (std::uint64_t at = base::align_down(iova, page); at < iova + bytes; at += page) {
      tables.map_first(at, at - iova + gpa, leaf_level);
      check_room();
    }
  }
  if (!tables.second.bare()) {
    if (!spec::second_stage_accepts(tables.second, gpa + bytes - 1))
      throw ParameterError(spa >> physical_bits_ == 0 ? "memory.physical_bits" : path,
                           "more than the second stage reaches, expected less");
    const std::uint64_t page = 1ULL << tables.second.shift(tables.second_leaf_level());
    for (std::uint64_t at = base::align_down(gpa, page); at < gpa + bytes; at += page) {
      tables.map_guest(at);
      check_room();
    }
  }
  return tables.first.bare() ? gpa : iova;
}

void Tables::check_room() const {
  if (frames_.next() > kKernelMemory + params_.kernel_memory_bytes)
    throw ParameterError("software.kernel_memory_bytes", "too little for the page tables, expected more");
  if (guest_frames_.next() > guest_offset())
    throw ParameterError("memory.physical_bits", "too little memory for the guest's page tables, expected more");
}

void Tables::enable(hal::Mmio& mmio, hal::Os& os) const {
  const auto bare = static_cast<std::uint64_t>(spec::DdtMode::kBare);
  const std::uint64_t mode = translating() ? bare + levels() : bare;
  const std::uint64_t root = translating() ? directory_.root() >> base::kPageShift : 0;
  mmio.write64(spec::kDdtpOffset, spec::ddtp::kIommuMode.of(mode) | spec::ddtp::kPpn.of(root));
  while (spec::ddtp::kBusy.is_set(mmio.read64(spec::kDdtpOffset))) os.spend_ns(params_.cost.poll_ns);
  if (spec::ddtp::kIommuMode.get(mmio.read64(spec::kDdtpOffset)) != mode)
    throw ParameterError("iommu.implementation.max_mode", "the IOMMU has no such mode, expected a deeper one");
}

}  // namespace iommusim::platform
