// SPDX-License-Identifier: Apache-2.0
// An implementation with most of the architecture, some of it left out at random, in either byte order. Zero bytes give
// one with little in it. Bare stages never limit the size of a page, so that the largest ones are seen.
#pragma once

#include "base/error.h"
#include "choices.h"
#include "spec/parameters.h"

namespace iommusim::timing::test {

inline void random_paging(Choices& choices, spec::Implementation& i) {
  const auto likely = [&choices] { return choices.below(8) != 0; };
  i.sv39 = likely();
  i.sv48 = i.sv39 && likely();
  i.sv57 = i.sv48 && likely();
  i.sv39x4 = likely();
  i.sv48x4 = likely();
  i.sv57x4 = likely();
  i.sv32 = choices.flag();
  i.sv32x4 = choices.flag();
  i.svpbmt = choices.flag();
  i.svrsw60t59b = choices.flag();
  i.amo_hwad = likely();
}

/// fctl, from which software does not depart later: the queues are on.
inline void random_control_register(Choices& choices, spec::Implementation& i) {
  constexpr spec::InterruptSupport kSupports[] = {spec::InterruptSupport::kMsi, spec::InterruptSupport::kWsi,
                                                  spec::InterruptSupport::kBoth};
  i.igs = choices.pick(kSupports);
  const bool wires =
      i.igs == spec::InterruptSupport::kWsi || (i.igs == spec::InterruptSupport::kBoth && choices.flag());
  const bool rv32 = i.sv32 && i.sv32x4 && choices.one_in(3);
  i.fctl = static_cast<std::uint32_t>(spec::fctl::kBe.of(choices.one_in(3) ? 1 : 0) |
                                      spec::fctl::kWsi.of(wires ? 1 : 0) | spec::fctl::kGxl.of(rv32 ? 1 : 0));
  i.end = choices.flag();
  i.be_writeable = choices.flag();
  i.gxl_writeable = choices.flag();
}

inline spec::Implementation random_architecture(Choices& choices) {
  constexpr std::uint32_t kAddressBits[] = {56, 56, 50, 46};
  constexpr std::uint32_t kVectorBits[] = {0, 1, 4, 4, 4};
  constexpr std::uint32_t kTags[] = {1, 2, 32};
  const auto likely = [&choices] { return choices.below(4) != 0; };
  spec::Implementation i;
  i.first_bare_log2 = i.second_bare_log2 = 56;
  if (choices.one_in(16)) return i;
  random_paging(choices, i);
  random_control_register(choices, i);
  i.pas = choices.pick(kAddressBits);
  i.msi_flat = likely();
  i.msi_mrif = i.msi_flat && likely();
  i.amo_mrif = choices.flag();
  i.ats = likely();
  i.t2gpa = i.ats && likely();
  i.pd8 = likely();
  i.pd17 = likely();
  i.pd20 = likely();
  i.hpm = choices.flag();
  i.num_hpm = i.hpm ? 2 + choices.below(8) : 0;
  i.hpm_counter_bits = i.hpm ? 32 + choices.below(33) : 64;
  i.dbg = choices.flag();
  i.qosid = choices.flag();
  i.qosid_mask = i.qosid ? 0x00ff00ff : 0;
  i.nl = choices.flag();
  i.s = choices.flag();
  i.vector_bits = choices.pick(kVectorBits);
  i.itags = choices.pick(kTags);
  base::ensure(i.contradiction() == nullptr, "the implementation is contradictory");
  return i;
}

}  // namespace iommusim::timing::test
