// SPDX-License-Identifier: Apache-2.0
// The operand tables of IOTINVAL and IODIR, row by row, on entries of a host, of two VMs, global and not.
#include "translate/invalidation.h"

#include <gtest/gtest.h>

namespace iommusim::translate {

using Kind = Invalidation::Kind;

/// An entry for IOVA 0x200000 -> GPA 0x400000, 4 KiB in both stages.
struct Cached {
  AddressSpaceTag tag{base::Gscid(1), base::Pscid(2), true, true};
  std::uint64_t iova = 0x200000;
  TranslationEntry entry = [] {
    TranslationEntry made;
    made.gpa = 0x400000;
    made.first.active = made.second.active = true;
    made.first.size_log2 = made.second.size_log2 = 12;
    return made;
  }();
  bool selected(const Invalidation& invalidation) const { return selects(invalidation, tag, iova, entry); }
};
Cached host_entry() {
  Cached cached;
  cached.tag = {{}, base::Pscid(2), false, true};
  return cached;
}
Cached global_entry() {
  Cached cached;
  cached.entry.first.global = true;
  return cached;
}
Invalidation vma(bool gv, bool av, bool pscv) {
  Invalidation invalidation;
  invalidation.kind = Kind::kVma;
  invalidation.gscid_valid = gv;
  invalidation.address_valid = av;
  invalidation.pscid_valid = pscv;
  invalidation.gscid = base::Gscid(1);
  invalidation.pscid = base::Pscid(2);
  invalidation.address = 0x200000;
  return invalidation;
}
Invalidation gvma(bool gv, bool av) {
  Invalidation invalidation = vma(gv, av, false);
  invalidation.kind = Kind::kGvma;
  invalidation.address = 0x400000;
  return invalidation;
}
template <class Change>
Invalidation changed(Invalidation invalidation, Change change) {
  change(invalidation);
  return invalidation;
}

TEST(IotinvalVma, GvSelectsHostOrVm) {
  EXPECT_TRUE(host_entry().selected(vma(false, false, false)));
  EXPECT_FALSE(Cached().selected(vma(false, false, false)));
  EXPECT_TRUE(Cached().selected(vma(true, false, false)));
  EXPECT_FALSE(host_entry().selected(vma(true, false, false)));
  EXPECT_FALSE(Cached().selected(changed(vma(true, false, false), [](auto& i) { i.gscid = base::Gscid(9); })));
}

TEST(IotinvalVma, PscvSelectsAndSparesGlobal) {
  EXPECT_TRUE(Cached().selected(vma(true, false, true)));
  EXPECT_FALSE(Cached().selected(changed(vma(true, false, true), [](auto& i) { i.pscid = base::Pscid(9); })));
  EXPECT_FALSE(global_entry().selected(vma(true, false, true)));
  EXPECT_FALSE(global_entry().selected(vma(true, true, true)));
  EXPECT_TRUE(global_entry().selected(vma(true, false, false)));
  EXPECT_TRUE(global_entry().selected(vma(true, true, false)));
}

TEST(IotinvalVma, AvSelectsTheLeafOfTheAddress) {
  for (const bool pscv : {false, true}) {
    EXPECT_TRUE(Cached().selected(vma(true, true, pscv)));
    EXPECT_FALSE(Cached().selected(changed(vma(true, true, pscv), [](auto& i) { i.address = 0x201000; })));
  }
  Cached superpage;
  superpage.entry.first.size_log2 = 21;
  EXPECT_TRUE(superpage.selected(changed(vma(true, true, false), [](auto& i) { i.address = 0x3ff000; })))
      << "another part of the same first-stage leaf";
  EXPECT_FALSE(superpage.selected(changed(vma(true, true, false), [](auto& i) { i.address = 0x400000; })));
}

TEST(IotinvalVma, RangeCoversItsPages) {
  const auto range = [](std::uint64_t address, std::uint8_t log2) {
    return changed(vma(true, true, false), [=](auto& i) { i.address = address, i.size_log2 = log2; });
  };
  EXPECT_TRUE(Cached().selected(range(0x200000, 13)));
  EXPECT_FALSE(Cached().selected(range(0x202000, 13)));
  EXPECT_TRUE(Cached().selected(range(0, 22)));
  EXPECT_TRUE(Cached().selected(range(0, 64)));
}

TEST(IotinvalVma, LeavesEntriesWithoutFirstStage) {
  Cached cached;
  cached.tag.first_stage = false;
  EXPECT_FALSE(cached.selected(vma(true, false, false)));
}

TEST(IotinvalGvma, OperandRows) {
  EXPECT_TRUE(Cached().selected(gvma(false, false)));
  EXPECT_TRUE(Cached().selected(changed(gvma(false, true), [](auto& i) { i.address = 0; }))) << "AV is ignored, GV = 0";
  EXPECT_FALSE(host_entry().selected(gvma(false, false)));
  EXPECT_TRUE(Cached().selected(gvma(true, false)));
  EXPECT_FALSE(Cached().selected(changed(gvma(true, false), [](auto& i) { i.gscid = base::Gscid(2); })));
  EXPECT_TRUE(Cached().selected(gvma(true, true)));
  EXPECT_FALSE(Cached().selected(changed(gvma(true, true), [](auto& i) { i.address = 0x401000; })));
  EXPECT_TRUE(global_entry().selected(gvma(true, true))) << "G is no matter of the second stage";
  Cached superpage;
  superpage.entry.second.size_log2 = 30;
  EXPECT_TRUE(superpage.selected(changed(gvma(true, true), [](auto& i) { i.address = 0x3ffff000; })));
}

WalkKey walk_key(bool second_stage, std::uint8_t level) {
  WalkKey key;
  key.tag = {base::Gscid(1), base::Pscid(second_stage ? 0 : 2), true, !second_stage};
  key.second_stage = second_stage;
  key.levels = 3;
  key.level = level;
  key.address = second_stage ? 0x400000 : 0x200000;
  return key;
}

TEST(NonLeafEntries, GoWithoutAddressOrWithNl) {
  const WalkEntry entry{1, 0x1000, 0, false};
  EXPECT_TRUE(selects(vma(true, false, false), walk_key(false, 1), entry));
  EXPECT_TRUE(selects(vma(true, false, true), walk_key(false, 1), entry));
  EXPECT_FALSE(selects(vma(true, true, false), walk_key(false, 1), entry)) << "AV = 1 means leaf entries";
  const auto with_nl = [](Invalidation& i) { i.non_leaf = true, i.address = 0x3ff000; };
  EXPECT_TRUE(selects(changed(vma(true, true, false), with_nl), walk_key(false, 1), entry));
  EXPECT_FALSE(selects(changed(vma(true, true, false), [](auto& i) { i.non_leaf = true, i.address = 0x400000; }),
                       walk_key(false, 1), entry));
  EXPECT_FALSE(selects(vma(true, false, true), walk_key(false, 1), {1, 0x1000, 0, true})) << "global, PSCV = 1";
  EXPECT_FALSE(selects(vma(true, false, false), walk_key(true, 1), entry)) << "VMA spares the second stage";
  EXPECT_TRUE(selects(gvma(true, false), walk_key(true, 1), entry));
  EXPECT_FALSE(selects(gvma(true, true), walk_key(true, 1), entry));
  EXPECT_TRUE(selects(changed(gvma(true, true), [](auto& i) { i.non_leaf = true; }), walk_key(true, 1), entry));
  EXPECT_TRUE(selects(gvma(true, true), walk_key(false, 1), entry)) << "its table address was translated";
}

TEST(Iodir, ComparesAll24BitsOfTheDevice) {
  Invalidation invalidation;
  invalidation.kind = Kind::kDdt;
  EXPECT_TRUE(selects_device(invalidation, base::DeviceId(0xabcdef))) << "DV = 0";
  invalidation.device_valid = true;
  invalidation.device = base::DeviceId(0xabcdef);
  EXPECT_TRUE(selects_device(invalidation, base::DeviceId(0xabcdef)));
  for (unsigned bit = 0; bit < 24; ++bit)
    EXPECT_FALSE(selects_device(invalidation, base::DeviceId(0xabcdef ^ 1U << bit))) << bit;
}

TEST(Iodir, ProcessContextsGoWithTheirDeviceOrAlone) {
  Invalidation invalidation;
  invalidation.kind = Kind::kDdt;
  invalidation.device_valid = true;
  invalidation.device = base::DeviceId(5);
  EXPECT_TRUE(selects_process(invalidation, base::DeviceId(5), base::ProcessId(77)));
  EXPECT_FALSE(selects_process(invalidation, base::DeviceId(6), base::ProcessId(77)));
  invalidation.kind = Kind::kPdt;
  invalidation.process = base::ProcessId(77);
  EXPECT_TRUE(selects_process(invalidation, base::DeviceId(5), base::ProcessId(77)));
  EXPECT_FALSE(selects_process(invalidation, base::DeviceId(5), base::ProcessId(78)));
  EXPECT_FALSE(selects_process(invalidation, base::DeviceId(6), base::ProcessId(77)));
  EXPECT_FALSE(selects_device(invalidation, base::DeviceId(5))) << "INVAL_PDT leaves device contexts";
}

TEST(Iodir, NonLeafDirectoryEntries) {
  Invalidation invalidation;
  invalidation.kind = Kind::kDdt;
  const DirectoryKey ddt{false, base::DeviceId(5), {}, 1, 7};
  const DirectoryKey pdt{true, base::DeviceId(5), base::ProcessId(1), 1, 8};
  EXPECT_TRUE(selects(invalidation, ddt));
  EXPECT_TRUE(selects(invalidation, pdt));
  invalidation.device_valid = true;
  invalidation.device = base::DeviceId(5);
  EXPECT_FALSE(selects(invalidation, ddt)) << "DV = 1 names the leaf";
  EXPECT_TRUE(selects(invalidation, pdt));
  invalidation.kind = Kind::kPdt;
  EXPECT_FALSE(selects(invalidation, pdt)) << "INVAL_PDT names the leaf";
}

TEST(Invalidation, KindsDoNotMix) {
  Invalidation directory;
  directory.kind = Kind::kDdt;
  EXPECT_FALSE(Cached().selected(directory));
  EXPECT_FALSE(selects(directory, walk_key(false, 1), {1, 0, 0, false}));
  EXPECT_FALSE(selects_device(vma(false, false, false), base::DeviceId(1)));
  EXPECT_FALSE(selects(vma(false, false, false), DirectoryKey{}));
}

}  // namespace iommusim::translate
