// SPDX-License-Identifier: Apache-2.0
// Implementation <-> capabilities register: one list of (field, member) pairs serves both directions.
#include "spec/parameters.h"

namespace iommusim::spec {
namespace {

struct CapabilityBit {
  Field field;
  bool Implementation::*member;
};
constexpr CapabilityBit kCapabilityBits[] = {
    {capabilities::kSv32, &Implementation::sv32},
    {capabilities::kSv39, &Implementation::sv39},
    {capabilities::kSv48, &Implementation::sv48},
    {capabilities::kSv57, &Implementation::sv57},
    {capabilities::kSvrsw60t59b, &Implementation::svrsw60t59b},
    {capabilities::kSvpbmt, &Implementation::svpbmt},
    {capabilities::kSv32x4, &Implementation::sv32x4},
    {capabilities::kSv39x4, &Implementation::sv39x4},
    {capabilities::kSv48x4, &Implementation::sv48x4},
    {capabilities::kSv57x4, &Implementation::sv57x4},
    {capabilities::kAmoMrif, &Implementation::amo_mrif},
    {capabilities::kMsiFlat, &Implementation::msi_flat},
    {capabilities::kMsiMrif, &Implementation::msi_mrif},
    {capabilities::kAmoHwad, &Implementation::amo_hwad},
    {capabilities::kAts, &Implementation::ats},
    {capabilities::kT2gpa, &Implementation::t2gpa},
    {capabilities::kEnd, &Implementation::end},
    {capabilities::kHpm, &Implementation::hpm},
    {capabilities::kDbg, &Implementation::dbg},
    {capabilities::kPd8, &Implementation::pd8},
    {capabilities::kPd17, &Implementation::pd17},
    {capabilities::kPd20, &Implementation::pd20},
    {capabilities::kQosid, &Implementation::qosid},
    {capabilities::kNl, &Implementation::nl},
    {capabilities::kS, &Implementation::s},
};

}  // namespace

std::uint64_t Implementation::capabilities() const {
  std::uint64_t value = capabilities::kVersion.of(version) | capabilities::kPas.of(pas) |
                        capabilities::kIgs.of(static_cast<std::uint64_t>(igs));
  for (const CapabilityBit& bit : kCapabilityBits) value |= bit.field.of(this->*bit.member ? 1 : 0);
  return value;
}

void Implementation::set_capabilities(std::uint64_t value) {
  version = static_cast<std::uint32_t>(capabilities::kVersion.get(value));
  pas = static_cast<std::uint32_t>(capabilities::kPas.get(value));
  igs = static_cast<InterruptSupport>(capabilities::kIgs.get(value));
  for (const CapabilityBit& bit : kCapabilityBits) this->*bit.member = bit.field.is_set(value);
}

const char* Implementation::contradiction() const {
  if (sv48 && !sv39) return "sv48 needs sv39";
  if (sv57 && !sv48) return "sv57 needs sv48";
  if (reset_mode > DdtMode::kBare) return "reset_mode must be off or bare";
  if (max_mode < DdtMode::k1Lvl) return "max_mode must be 1lvl, 2lvl or 3lvl";
  if (hpm && num_hpm < 2) return "hpm needs num_hpm of 2 or more (iohpmcycles and iohpmctr1)";
  if (hpm && hpm_counter_bits < 32) return "hpm needs hpm_counter_bits of 32 or more";
  if (!hpm && num_hpm != 0) return "num_hpm must be 0 without hpm";
  if (t2gpa && !ats) return "t2gpa needs ats";
  if (msi_mrif && !msi_flat) return "msi_mrif needs msi_flat";
  if (igs > InterruptSupport::kBoth) return "igs must be msi, wsi or both";
  if (igs == InterruptSupport::kWsi && !fctl::kWsi.is_set(fctl)) return "igs wsi needs fctl.WSI = 1 at reset";
  if (igs == InterruptSupport::kMsi && fctl::kWsi.is_set(fctl)) return "igs msi needs fctl.WSI = 0 at reset";
  return nullptr;
}

}  // namespace iommusim::spec
