// SPDX-License-Identifier: Apache-2.0
// The walks of both stages (RISC-V Privileged, "Virtual Address Translation Process" and "Two-Stage Address
// Translation"). The first stage's entries lie at guest-physical addresses when there is a second stage: each of them
// is translated by a second-stage walk of its own, whose `goal_` says where to go on.
#include "translate/byte_order.h"
#include "translate/registers.h"
#include "translate/translation.h"

namespace iommusim::translate {

std::uint64_t Translation::first_stage_word(std::uint64_t word) const {
  return to_host(word, first_.mode.pte_bytes, device_context_.first_stage_big_endian());
}
std::uint64_t Translation::second_stage_word(std::uint64_t word) const {
  return to_host(word, second_.mode.pte_bytes, registers_->big_endian());
}

void Translation::name_walk(const PageWalk& walk, WalkKey& key) const {
  const bool is_second = &walk == &second_;
  key.tag = tag();
  if (is_second) key.tag.first_stage = false, key.tag.pscid = {};
  key.second_stage = is_second;
  key.levels = walk.mode.levels;
  key.level = walk.level;
  key.address = walk.address;
}

WalkKey Translation::entry_key() const {
  WalkKey key;
  name_walk(step_ == Step::kFirstRead || step_ == Step::kFirstUpdate ? first_ : second_, key);
  return key;
}

void Translation::ask_walk_cache(const PageWalk& walk, Step step) {
  name_walk(walk, ask_.walk);
  ask_.kind = AskKind::kLookupWalk;
  step_ = step;
}

/// `walk` stands below the entry that is offered; `table` is where the walk goes on, system-physical.
void Translation::fill_walk_cache(const PageWalk& walk, std::uint64_t table, Step step) {
  ask_walk_cache(walk, step);
  ask_.kind = AskKind::kFillWalk;
  ask_.walk.level = static_cast<std::uint8_t>(walk.level + 1);
  ask_.walk_entry.level = ask_.walk.level;
  ask_.walk_entry.table = table;
  ask_.walk_entry.table_gpa = &walk == &first_ && second_.active() ? walk.table : 0;
  ask_.walk_entry.global = &walk == &first_ && walk.global;
}

/// Privileged, step 7 with hardware updates: compare the entry with what was read and set A, and D for a write.
void Translation::ask_update(const PageWalk& walk, bool big_endian, Structure structure, bool set_dirty, Step step) {
  const std::uint64_t wanted = walk.pte | spec::pte::kA.mask() | (set_dirty ? spec::pte::kD.mask() : 0);
  ask_.kind = AskKind::kCompareSwap;
  ask_.memory.address = walk.pte_address;
  ask_.memory.bytes = walk.mode.pte_bytes;
  ask_.memory.structure = structure;
  ask_.memory.level = walk.level;
  ask_.memory.data[0] = to_host(walk.pte, walk.mode.pte_bytes, big_endian);
  ask_.memory.data[1] = to_host(wanted, walk.mode.pte_bytes, big_endian);
  step_ = step;
}

namespace {

bool lacks_accessed(std::uint64_t word) { return !spec::pte::kA.is_set(word); }
bool lacks_dirty(std::uint64_t word) { return !spec::pte::kD.is_set(word); }

}  // namespace

// First stage.

void Translation::begin_first_stage() {
  first_.begin(request_.iova.value, first_root_);
  fill_due_ = false;
  ask_walk_cache(first_, Step::kFirstLookup);
}

void Translation::next_first_stage_entry() {
  const std::uint64_t address = first_.table + first_.entry_offset();
  if (second_.active()) return begin_second_stage(address, Goal::kFirstStageRead);
  first_stage_entry_reached(address);
}

/// The entry's system-physical address is known, and with it that of its table.
void Translation::first_stage_entry_reached(std::uint64_t spa) {
  first_.pte_address = spa;
  if (!fill_due_) return read_first_stage();
  fill_due_ = false;
  fill_walk_cache(first_, spa & ~base::mask_of(base::kPageShift), Step::kFirstFill);
}

void Translation::read_first_stage() {
  ask_read(first_.pte_address, first_.mode.pte_bytes, Structure::kFirstStage, first_.level, Step::kFirstRead);
}

void Translation::take_first_stage_entry(std::uint64_t word) {
  first_.pte = word;
  switch (spec::classify_pte(first_.mode, word, first_.level, first_.reserved)) {
    case spec::PteKind::kBad:
      return page_fault();
    case spec::PteKind::kNonLeaf:
      first_.descend();
      fill_due_ = true;
      return next_first_stage_entry();
    case spec::PteKind::kLeaf:
      return take_first_stage_leaf();
  }
}

/// IOMMU 2.1.3.1: with SADE = 0 a page fault takes the place of the update. The update of an entry in guest memory is
/// an implicit write, for which the second stage translates anew.
void Translation::take_first_stage_leaf() {
  first_.take_leaf();
  if (!first_stage_permits(first_.attributes)) return page_fault();
  const bool set_dirty = wants_write() && first_.attributes.write && lacks_dirty(first_.pte);
  if (effects_ == Effects::kNone || !(set_dirty || lacks_accessed(first_.pte))) return first_stage_done();
  if (!device_context_.updates_first_stage() || effects_ == Effects::kSpeculative) {
    if (lacks_accessed(first_.pte) || request_.is_write()) return page_fault();
    return first_stage_done();  // an ATS request is then granted no write permission
  }
  if (second_.active()) return begin_second_stage(first_.table + first_.entry_offset(), Goal::kFirstStageUpdate);
  update_first_stage();
}

void Translation::update_first_stage() {
  ask_update(first_, device_context_.first_stage_big_endian(), Structure::kFirstStage,
             wants_write() && first_.attributes.write, Step::kFirstUpdate);
}

/// An entry that changed meanwhile is judged anew as it is now.
void Translation::first_stage_swapped(std::uint64_t old_word) {
  if (old_word != first_.pte) return take_first_stage_entry(old_word);
  first_.pte = first_stage_word(ask_.memory.data[1]);
  first_.take_leaf();
  first_stage_done();
}

void Translation::first_stage_done() {
  if (!second_.active()) return finish_walks();
  if (is_msi_address(first_.target())) return find_msi_pte(first_.target());
  begin_second_stage(first_.target(), Goal::kFinal);
}

// Second stage.

/// The address fits the mode; with SXL = 1 it also fits Sv32x4 (IOMMU 2.1.3.1).
bool Translation::second_stage_accepts(std::uint64_t gpa) const {
  return spec::second_stage_accepts(second_.mode, gpa) &&
         !(device_context_.sxl() && !spec::second_stage_accepts(spec::kSv32x4, gpa));
}

void Translation::begin_second_stage(std::uint64_t gpa, Goal goal) {
  goal_ = goal;
  second_.begin(gpa, spec::dc_iohgatp::kPpn.get(device_context_.iohgatp()) << base::kPageShift);
  if (!second_stage_accepts(gpa)) return guest_page_fault(gpa, goal);
  ask_walk_cache(second_, Step::kSecondLookup);
}

void Translation::read_second_stage() {
  second_.pte_address = second_.table + second_.entry_offset();
  ask_read(second_.pte_address, second_.mode.pte_bytes,
           goal_ == Goal::kFinal ? Structure::kSecondStage : Structure::kSecondStageImplicit, second_.level,
           Step::kSecondRead);
}

void Translation::take_second_stage_entry(std::uint64_t word) {
  second_.pte = word;
  switch (spec::classify_pte(second_.mode, word, second_.level, second_.reserved)) {
    case spec::PteKind::kBad:
      return guest_page_fault(second_.address, goal_);
    case spec::PteKind::kNonLeaf:
      second_.descend();
      return fill_walk_cache(second_, second_.table, Step::kSecondFill);
    case spec::PteKind::kLeaf:
      return take_second_stage_leaf();
  }
}

/// Whether the second stage's leaf must have D set: for an implicit write of a first-stage entry, or when the access
/// may write the page that both stages let it write. Model: the read of a first-stage entry that hardware may update
/// sets D as well, where the second stage lets it; Privileged, "Addressing and Memory Protection", leaves that open.
bool Translation::second_stage_wants_dirty() const {
  if (goal_ == Goal::kFirstStageRead)
    return device_context_.updates_first_stage() && device_context_.updates_second_stage() && second_.attributes.write;
  if (goal_ != Goal::kFinal) return goal_ == Goal::kFirstStageUpdate;
  return wants_write() && second_.attributes.write && (!first_.active() || first_.attributes.write);
}

/// IOMMU 2.1.3.1: with GADE = 0 a guest-page fault takes the place of the update.
void Translation::take_second_stage_leaf() {
  second_.take_leaf();
  if (!second_stage_permits(second_.attributes)) return guest_page_fault(second_.address, goal_);
  const bool set_dirty = second_stage_wants_dirty() && lacks_dirty(second_.pte);
  if (effects_ == Effects::kNone || !(set_dirty || lacks_accessed(second_.pte))) return second_stage_done();
  if (!device_context_.updates_second_stage() || effects_ == Effects::kSpeculative) {
    if (lacks_accessed(second_.pte) || request_.is_write() || goal_ != Goal::kFinal)
      return guest_page_fault(second_.address, goal_);
    return second_stage_done();  // an ATS request is then granted no write permission
  }
  ask_update(second_, registers_->big_endian(), ask_.memory.structure, set_dirty, Step::kSecondUpdate);
}

void Translation::second_stage_swapped(std::uint64_t old_word) {
  if (old_word != second_.pte) return take_second_stage_entry(old_word);
  second_.pte = second_stage_word(ask_.memory.data[1]);
  second_.take_leaf();
  second_stage_done();
}

void Translation::second_stage_done() {
  switch (goal_) {
    case Goal::kFinal:
      return finish_walks();
    case Goal::kFirstStageRead:
      return first_stage_entry_reached(second_.target());
    case Goal::kFirstStageUpdate:
      first_.pte_address = second_.target();
      return update_first_stage();
    case Goal::kProcessDirectory:
      return process_directory_reached(second_.target());
  }
}

}  // namespace iommusim::translate
