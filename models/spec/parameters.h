// SPDX-License-Identifier: Apache-2.0
// What an implementation of the IOMMU chooses: its capabilities, and where the specification leaves a width or a reset
// value open. What is off behaves as the specification says of an implementation without it.
#pragma once

#include <cstdint>

#include "base/choice.h"
#include "params/field.h"
#include "spec/registers.h"

namespace iommusim::spec {

/// Encodings of ddtp.iommu_mode.
enum class DdtMode : std::uint8_t { kOff, kBare, k1Lvl, k2Lvl, k3Lvl };
inline constexpr base::Choice<DdtMode> kDdtModes[] = {
    {"off", "no inbound transactions", DdtMode::kOff},        {"bare", "no translation", DdtMode::kBare},
    {"1lvl", "one-level device directory", DdtMode::k1Lvl},   {"2lvl", "two-level device directory", DdtMode::k2Lvl},
    {"3lvl", "three-level device directory", DdtMode::k3Lvl},
};

/// Encodings of capabilities.IGS.
enum class InterruptSupport : std::uint8_t { kMsi, kWsi, kBoth };
inline constexpr base::Choice<InterruptSupport> kInterruptSupports[] = {
    {"msi", "messages only", InterruptSupport::kMsi},
    {"wsi", "wires only", InterruptSupport::kWsi},
    {"both", "messages or wires, as fctl.WSI says", InterruptSupport::kBoth},
};

struct Implementation {
  std::uint32_t version = 0x10;
  bool sv32 = false, sv39 = true, sv48 = true, sv57 = true;
  bool sv32x4 = false, sv39x4 = true, sv48x4 = true, sv57x4 = true;
  bool svrsw60t59b = false, svpbmt = false;
  bool msi_flat = false, msi_mrif = false, amo_mrif = false;
  bool amo_hwad = true;
  bool ats = false, t2gpa = false;
  bool end = false;
  InterruptSupport igs = InterruptSupport::kBoth;
  bool hpm = false, dbg = false;
  std::uint32_t pas = 56;
  bool pd8 = false, pd17 = false, pd20 = false;
  bool qosid = false, nl = false, s = false;
  std::uint32_t fctl = 0;
  DdtMode reset_mode = DdtMode::kOff;
  DdtMode max_mode = DdtMode::k3Lvl;
  std::uint32_t device_id_mask = 0xffffff;
  std::uint32_t num_hpm = 0;
  std::uint32_t hpm_counter_bits = 64;
  std::uint32_t hpm_event_limit = 8;
  std::uint32_t vector_bits = 4;
  bool gxl_writeable = false, be_writeable = false;
  std::uint32_t qosid_mask = 0;
  std::uint32_t itags = 32;
  std::uint32_t first_bare_log2 = 30, second_bare_log2 = 30;

  template <class V>
  static constexpr void describe(V&& v) {
    using I = Implementation;
    using params::Range;
    using params::Unit;
    v("version", &I::version, Unit::kCount, Range{0, 255}, "capabilities.version");
    v("sv32", &I::sv32, "capabilities.Sv32: first stage Sv32");
    v("sv39", &I::sv39, "capabilities.Sv39: first stage Sv39");
    v("sv48", &I::sv48, "capabilities.Sv48: first stage Sv48; needs sv39");
    v("sv57", &I::sv57, "capabilities.Sv57: first stage Sv57; needs sv48");
    v("sv32x4", &I::sv32x4, "capabilities.Sv32x4: second stage Sv32x4");
    v("sv39x4", &I::sv39x4, "capabilities.Sv39x4: second stage Sv39x4");
    v("sv48x4", &I::sv48x4, "capabilities.Sv48x4: second stage Sv48x4");
    v("sv57x4", &I::sv57x4, "capabilities.Sv57x4: second stage Sv57x4");
    v("svrsw60t59b", &I::svrsw60t59b, "capabilities.Svrsw60t59b: PTE bits 60-59 are for software");
    v("svpbmt", &I::svpbmt, "capabilities.Svpbmt: page-based memory types");
    v("msi_flat", &I::msi_flat, "capabilities.MSI_FLAT: MSI page tables, device contexts of 64 bytes");
    v("msi_mrif", &I::msi_mrif, "capabilities.MSI_MRIF: memory-resident interrupt files");
    v("amo_mrif", &I::amo_mrif, "capabilities.AMO_MRIF: atomic updates of MRIFs");
    v("amo_hwad", &I::amo_hwad, "capabilities.AMO_HWAD: atomic updates of A and D");
    v("ats", &I::ats, "capabilities.ATS: PCIe ATS and page requests");
    v("t2gpa", &I::t2gpa, "capabilities.T2GPA: guest-physical addresses in ATS completions");
    v("end", &I::end, "capabilities.END: both byte orders");
    v("igs", &I::igs, kInterruptSupports, "capabilities.IGS: how interrupts leave");
    v("hpm", &I::hpm, "capabilities.HPM: performance monitor");
    v("dbg", &I::dbg, "capabilities.DBG: debug translation interface");
    v("pas", &I::pas, Unit::kBits, Range{32, 56}, "capabilities.PAS: physical address bits");
    v("pd8", &I::pd8, "capabilities.PD8: process directory of one level");
    v("pd17", &I::pd17, "capabilities.PD17: process directory of two levels");
    v("pd20", &I::pd20, "capabilities.PD20: process directory of three levels");
    v("qosid", &I::qosid, "capabilities.QOSID: QoS identifiers");
    v("nl", &I::nl, "capabilities.NL: non-leaf PTE invalidation");
    v("s", &I::s, "capabilities.S: address range invalidation");
    v("fctl", &I::fctl, Unit::kCount, Range{0, 7}, "reset value of fctl");
    v("reset_mode", &I::reset_mode, kDdtModes, "reset value of ddtp.iommu_mode: off or bare");
    v("max_mode", &I::max_mode, kDdtModes, "deepest ddtp.iommu_mode; a write of a deeper one is ignored");
    v("device_id_mask", &I::device_id_mask, Unit::kCount, Range{0, 0xffffff}, "device_id bits that exist");
    v("num_hpm", &I::num_hpm, Unit::kCount, Range{0, 32}, "performance counters, iohpmcycles included");
    v("hpm_counter_bits", &I::hpm_counter_bits, Unit::kBits, Range{32, 64}, "width of iohpmctr registers");
    v("hpm_event_limit", &I::hpm_event_limit, Unit::kCount, Range{0, 32767}, "highest eventID accepted");
    v("vector_bits", &I::vector_bits, Unit::kBits, Range{0, 4}, "writable bits of each icvec field");
    v("gxl_writeable", &I::gxl_writeable, "fctl.GXL is writable");
    v("be_writeable", &I::be_writeable, "DC.tc.SBE may differ from fctl.BE");
    v("qosid_mask", &I::qosid_mask, Unit::kCount, Range{0, 0xffffffffU}, "writable bits of iommu_qosid");
    v("itags", &I::itags, Unit::kCount, Range{1, 32}, "ATS invalidation requests outstanding at a time");
    v("first_bare_log2", &I::first_bare_log2, Unit::kBits, Range{12, 56},
      "log2 of the range that a Bare first stage has");
    v("second_bare_log2", &I::second_bare_log2, Unit::kBits, Range{12, 56},
      "log2 of the range that a Bare second stage has");
  }

  /// The capabilities register.
  std::uint64_t capabilities() const;
  /// Sets every field that the register tells; the others stay.
  void set_capabilities(std::uint64_t value);
  /// What contradicts the specification (IOMMU 5.3), or nullptr: one line for the user.
  const char* contradiction() const;
};

}  // namespace iommusim::spec
