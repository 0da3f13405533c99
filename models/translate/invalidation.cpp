// SPDX-License-Identifier: Apache-2.0
// The tables of IOTINVAL.VMA, IOTINVAL.GVMA (IOMMU 3.1.1, 8.2, 8.3) and IODIR (IOMMU 3.1.3).
#include "translate/invalidation.h"

#include "base/bits.h"

namespace iommusim::translate {
namespace {

/// Two naturally aligned ranges overlap when they agree above the larger one's size.
bool ranges_overlap(std::uint64_t a, unsigned a_log2, std::uint64_t b, unsigned b_log2) {
  const unsigned larger = a_log2 > b_log2 ? a_log2 : b_log2;
  return larger >= 64 || (a >> larger) == (b >> larger);
}

/// IOMMU 3.1.1: GV = 0 means the host's address spaces (second stage Bare), GV = 1 those of the VM.
bool matches_vm(const Invalidation& invalidation, const AddressSpaceTag& tag) {
  return invalidation.gscid_valid ? tag.second_stage && tag.gscid == invalidation.gscid : !tag.second_stage;
}

/// IOTINVAL.VMA without regard to the address. PSCV = 1 spares global mappings.
bool vma_matches_space(const Invalidation& invalidation, const AddressSpaceTag& tag, bool global) {
  if (!tag.first_stage || !matches_vm(invalidation, tag)) return false;
  return !invalidation.pscid_valid || (tag.pscid == invalidation.pscid && !global);
}

/// IOTINVAL.GVMA without regard to the address: GV = 0 means all VMs.
bool gvma_matches_space(const Invalidation& invalidation, const AddressSpaceTag& tag) {
  return tag.second_stage && (!invalidation.gscid_valid || tag.gscid == invalidation.gscid);
}

/// IOMMU 3.1.1: GVMA ignores AV when GV = 0.
bool has_address(const Invalidation& invalidation) {
  return invalidation.address_valid && (invalidation.kind == Invalidation::Kind::kVma || invalidation.gscid_valid);
}

}  // namespace

/// The whole page of the stage's leaf PTE is removed, whichever part of it the command names.
bool selects(const Invalidation& invalidation, const AddressSpaceTag& tag, std::uint64_t iova_page,
             const TranslationEntry& entry) {
  if (invalidation.kind == Invalidation::Kind::kVma) {
    return vma_matches_space(invalidation, tag, entry.first.global) &&
           (!has_address(invalidation) ||
            ranges_overlap(invalidation.address, invalidation.size_log2, iova_page, entry.first.size_log2));
  }
  if (invalidation.kind == Invalidation::Kind::kGvma) {
    return gvma_matches_space(invalidation, tag) &&
           (!has_address(invalidation) ||
            ranges_overlap(invalidation.address, invalidation.size_log2, entry.gpa, entry.second.size_log2));
  }
  return false;
}

/// Non-leaf entries go when the command names no address, or with NL = 1 (IOMMU 8.2). A first-stage entry of a VM holds
/// a translated table address, so any GVMA of its VM removes it: the page that the table lies in is not remembered.
bool selects(const Invalidation& invalidation, const WalkKey& key, const WalkEntry& entry) {
  const unsigned index_bits = key.levels == 2 ? 10 : 9;
  const bool address_allows =
      !has_address(invalidation) ||
      (invalidation.non_leaf && ranges_overlap(invalidation.address, invalidation.size_log2, key.address,
                                               base::kPageShift + index_bits * entry.level));
  if (invalidation.kind == Invalidation::Kind::kVma)
    return !key.second_stage && vma_matches_space(invalidation, key.tag, entry.global) && address_allows;
  if (invalidation.kind == Invalidation::Kind::kGvma)
    return gvma_matches_space(invalidation, key.tag) && (!key.second_stage || address_allows);
  return false;
}

/// What is global among the entries is not known: a command that spares global mappings takes the line all the same. An
/// entry of a NAPOT range of 64 KiB (Svnapot) goes with any address of the range. First-stage entries of a VM go with
/// any GVMA of it, as non-leaf entries do.
bool selects_line(const Invalidation& invalidation, const WalkKey& key) {
  constexpr unsigned kNapotLog2 = 16;
  const unsigned log2 = line_log2(key) > kNapotLog2 ? line_log2(key) : kNapotLog2;
  const bool address_allows =
      !has_address(invalidation) || ranges_overlap(invalidation.address, invalidation.size_log2, key.address, log2);
  if (invalidation.kind == Invalidation::Kind::kVma)
    return !key.second_stage && vma_matches_space(invalidation, key.tag, false) && address_allows;
  if (invalidation.kind == Invalidation::Kind::kGvma)
    return gvma_matches_space(invalidation, key.tag) && (!key.second_stage || address_allows);
  return false;
}

/// IOMMU 2.8: an MSI page-table entry is tagged with GSCID and GPA.
bool selects(const Invalidation& invalidation, const MsiKey& key) {
  AddressSpaceTag tag;
  tag.second_stage = true;
  tag.gscid = key.gscid;
  return invalidation.kind == Invalidation::Kind::kGvma && gvma_matches_space(invalidation, tag) &&
         (!has_address(invalidation) ||
          ranges_overlap(invalidation.address, invalidation.size_log2, key.gpa, base::kPageShift));
}

/// IODIR.INVAL_DDT: DV = 0 means all devices; DID is compared in all its 24 bits.
bool selects_device(const Invalidation& invalidation, base::DeviceId device) {
  return invalidation.kind == Invalidation::Kind::kDdt && (!invalidation.device_valid || device == invalidation.device);
}

/// INVAL_DDT takes the process contexts of its devices along; INVAL_PDT names one.
bool selects_process(const Invalidation& invalidation, base::DeviceId device, base::ProcessId process) {
  if (invalidation.kind == Invalidation::Kind::kPdt)
    return device == invalidation.device && process == invalidation.process;
  return selects_device(invalidation, device);
}

/// Non-leaf entries: those of the device directory go with DV = 0 only (DV = 1 names a leaf), those of a process
/// directory with their device.
bool selects(const Invalidation& invalidation, const DirectoryKey& key) {
  if (invalidation.kind != Invalidation::Kind::kDdt || !invalidation.device_valid)
    return invalidation.kind == Invalidation::Kind::kDdt;
  return key.process_directory && key.device == invalidation.device;
}

}  // namespace iommusim::translate
