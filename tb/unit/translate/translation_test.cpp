// SPDX-License-Identifier: Apache-2.0
// The order of IOMMU 2.3, the asks of a translation, and the walk counts of every combination of modes and leaf levels.
#include "translate/translation.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"
#include "machine.h"

namespace iommusim::translate::test {

TEST(Translation, OffFaultsAndBarePasses) {
  spec::Implementation implementation;
  Registers registers(implementation);
  Translation translation;
  translation.start(Machine::request(5, 0x1234), registers);
  ASSERT_EQ(translation.ask().kind, AskKind::kDone);
  EXPECT_EQ(translation.outcome().fault.cause, 256);
  EXPECT_TRUE(translation.outcome().record_fault);

  implementation.reset_mode = spec::DdtMode::kBare;
  Registers bare(implementation);
  translation.start(Machine::request(5, 0x1234), bare);
  EXPECT_EQ(translation.outcome().kind, Outcome::Kind::kTranslated);
  EXPECT_EQ(translation.outcome().spa, 0x1234U);
  EXPECT_TRUE(translation.outcome().bypass);
  for (const AddressType type : {AddressType::kTranslated, AddressType::kAtsRequest}) {
    Request request = Machine::request(5, 0x1234);
    request.type = type;
    translation.start(request, bare);
    EXPECT_EQ(translation.outcome().fault.cause, 260);
  }
}

/// All asks of one translation when every look-up misses; reads are answered from the machine's memory.
std::vector<AskKind> asks_of(Machine& machine, const Request& request, std::vector<WalkEntry>* fills = nullptr) {
  Translation translation;
  std::vector<AskKind> kinds;
  translation.start(request, machine.registers);
  while (translation.ask().kind != AskKind::kDone) {
    kinds.push_back(translation.ask().kind);
    if (translation.ask().kind == AskKind::kFillWalk && fills) fills->push_back(translation.ask().walk_entry);
    switch (translation.ask().kind) {
      case AskKind::kRead:
        translation.memory(machine.memory.read(translation.ask().memory));
        break;
      case AskKind::kFillDevice:
      case AskKind::kFillDirectory:
      case AskKind::kFillWalk:
      case AskKind::kFillTranslation:
        translation.resume();
        break;
      default:
        translation.miss();
    }
  }
  EXPECT_EQ(translation.outcome().kind, Outcome::Kind::kTranslated);
  return kinds;
}

TEST(Translation, AsksInTheOrderOfTheContract) {
  using K = AskKind;
  Machine machine({}, 2);
  AddressSpace space = machine.space(8, 0);
  space.map(0x1000, 0x90000000);
  machine.attach(7, space);
  EXPECT_EQ(asks_of(machine, Machine::request(7, 0x1000)),
            (std::vector<K>{K::kLookupDevice, K::kLookupDirectory, K::kRead, K::kFillDirectory, K::kRead,
                            K::kFillDevice, K::kLookupTranslation, K::kLookupWalk, K::kRead, K::kFillWalk, K::kRead,
                            K::kFillWalk, K::kRead, K::kFillTranslation}));
}

TEST(Translation, NestedWalkFillsBothStagesTables) {
  Machine machine({}, 1);
  AddressSpace space = machine.space(8, 8);
  space.map(0x1000, 0x1230000);
  machine.attach(7, space);
  std::vector<WalkEntry> fills;
  asks_of(machine, Machine::request(7, 0x1000), &fills);
  ASSERT_EQ(fills.size(), 4U * 2 + 2) << "4 second-stage walks with 2 non-leaf entries, 2 first-stage non-leaf entries";
  unsigned with_guest_table = 0;
  for (const WalkEntry& fill : fills)
    if (fill.table_gpa != 0) {
      ++with_guest_table;
      EXPECT_EQ(fill.table, fill.table_gpa + kGuestOffset);
    }
  EXPECT_EQ(with_guest_table, 2U);
}

TEST(Translation, BothStagesBareAskNoTranslationCache) {
  Machine machine({}, 1);
  machine.attach(7, machine.space(0, 0));
  EXPECT_EQ(asks_of(machine, Machine::request(7, 0xabc)),
            (std::vector<AskKind>{AskKind::kLookupDevice, AskKind::kRead, AskKind::kFillDevice}));
  EXPECT_TRUE(machine.translate(7, 0xabc).bypass);
}

TEST(Translation, CachedEntriesAnswerLikeWalks) {
  Machine machine({}, 1);
  const AddressSpace space = machine.space(8, 8);
  const spec::DeviceContext context = machine.attach(7, space);
  const auto ends_with = [&](const TranslationEntry& entry, Access access) {
    Translation translation;
    translation.start(Machine::request(7, 0x201abc, access), machine.registers);
    translation.hit(context);
    EXPECT_EQ(translation.ask().kind, AskKind::kLookupTranslation);
    EXPECT_EQ(translation.ask().key.tag.gscid.value, 1U);
    EXPECT_EQ(translation.ask().key.tag.pscid.value, 2U);
    EXPECT_EQ(translation.ask().key.is_write, access == Access::kWrite);
    translation.hit(entry);
    EXPECT_EQ(translation.ask().kind, AskKind::kDone);
    return translation.outcome();
  };
  TranslationEntry entry;
  entry.spa = 0x40000000;
  entry.gpa = 0x600000;
  entry.size_log2 = 21;
  entry.first = {true, true, true, false, true, false, true, 21};
  entry.second = {true, true, false, false, true, false, true, 30};
  EXPECT_EQ(ends_with(entry, Access::kRead).spa, 0x40001abcU) << "the offset inside the superpage";
  const Outcome denied = ends_with(entry, Access::kWrite);
  EXPECT_EQ(denied.fault.cause, 23);
  EXPECT_EQ(denied.fault.iotval2, 0x601abcU);
  entry.first.write = false;
  EXPECT_EQ(ends_with(entry, Access::kWrite).fault.cause, 15) << "the first stage is judged first";
}

TEST(Translation, WalkCacheHitSkipsTheLevelsAbove) {
  Machine machine({}, 1);
  AddressSpace space = machine.space(10, 0);
  space.map(0x7fff12345000, 0x90000000);
  const spec::DeviceContext context = machine.attach(7, space);
  Translation translation;
  translation.start(Machine::request(7, 0x7fff12345678), machine.registers);
  translation.hit(context);
  translation.miss();
  ASSERT_EQ(translation.ask().kind, AskKind::kLookupWalk);
  EXPECT_EQ(translation.ask().walk.levels, 5);
  const std::uint64_t leaf = space.first_entry(0x7fff12345000, 0);
  translation.hit(WalkEntry{1, leaf & ~4095ULL, 0, false});
  ASSERT_EQ(translation.ask().kind, AskKind::kRead);
  EXPECT_EQ(translation.ask().memory.address, leaf);
  EXPECT_EQ(translation.ask().memory.level, 0);
}

TEST(Translation, DirectoryCacheHitSkipsTheLevelsAbove) {
  Machine machine({}, 3);
  machine.attach(0x123456, machine.space(0, 0));
  const std::uint64_t context_address = machine.directory_entry(0x123456);
  Translation translation;
  translation.start(Machine::request(0x123456, 0), machine.registers);
  translation.miss();
  ASSERT_EQ(translation.ask().kind, AskKind::kLookupDirectory);
  EXPECT_EQ(translation.ask().directory.leaf_bits, 7);
  translation.hit(DirectoryEntry{1, context_address & ~4095ULL});
  EXPECT_EQ(translation.ask().memory.address, context_address);
}

/// Experiment 1: directory levels and stage modes; each case runs all leaf levels.
struct Shape {
  unsigned ddt_levels, first_mode, second_mode;
};
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (unsigned ddt = 1; ddt <= 3; ++ddt)
    for (const unsigned first : {0U, 8U, 9U, 10U})
      for (const unsigned second : {0U, 8U, 9U, 10U}) all.push_back({ddt, first, second});
  return all;
}

class WalkCounts : public testing::TestWithParam<Shape> {
 protected:
  void expect_exact(unsigned first_leaf, unsigned second_leaf) const;
};

// Ls, Lg: levels; ks, kg: leaf levels. Two stages: (Ls - ks + 1)(Lg - kg + 1) - 1 reads, of which Ls - ks are of the
// first stage and Lg - kg belong to the final address.
void WalkCounts::expect_exact(unsigned first_leaf, unsigned second_leaf) const {
  const Shape shape = GetParam();
  Machine machine({}, shape.ddt_levels);
  AddressSpace space = machine.space(shape.first_mode, shape.second_mode, second_leaf);
  const std::uint64_t iova = 0x12'3456'7000;
  const std::uint64_t gpa = shape.first_mode == 0 ? iova : iova + (3ULL << 30);
  space.map(iova, base::align_down(gpa, 1ULL << (12 + 9 * first_leaf)), first_leaf);
  if (shape.second_mode != 0) space.map_guest(gpa);
  machine.attach(0x31, space);
  machine.memory.clear_counts();
  const Outcome outcome = machine.translate(0x31, iova + 0x123);
  ASSERT_EQ(outcome.kind, Outcome::Kind::kTranslated);
  EXPECT_EQ(outcome.spa, gpa + 0x123 + (shape.second_mode != 0 ? kGuestOffset : 0)) << "offset inside the page";

  const unsigned first = shape.first_mode == 0 ? 0 : space.first.levels - first_leaf;
  const unsigned second = shape.second_mode == 0 ? 0 : space.second.levels - second_leaf;
  EXPECT_EQ(machine.memory.reads_of(Structure::kDdt), shape.ddt_levels);
  EXPECT_EQ(machine.memory.reads_of(Structure::kPdt), 0U);
  EXPECT_EQ(machine.memory.reads_of(Structure::kFirstStage), first);
  EXPECT_EQ(machine.memory.reads_of(Structure::kSecondStage), second);
  EXPECT_EQ(machine.memory.reads_of(Structure::kSecondStageImplicit), first * second);
  EXPECT_EQ(first + second + first * second, (first + 1) * (second + 1) - 1);
  const auto count = [&](Structure structure, unsigned level) {
    return machine.memory.reads[static_cast<unsigned>(structure)][level];
  };
  for (unsigned level = 0; level < 8; ++level) {
    const bool in_first = level >= first_leaf && level < first_leaf + first;
    const bool in_second = level >= second_leaf && level < second_leaf + second;
    EXPECT_EQ(count(Structure::kFirstStage, level), in_first ? 1U : 0U) << level;
    EXPECT_EQ(count(Structure::kSecondStageImplicit, level), in_second ? first : 0U) << level;
    EXPECT_EQ(count(Structure::kDdt, level), level < shape.ddt_levels ? 1U : 0U) << level;
  }
}

/// A driver that mixes its requests up is told so.
TEST(Translation, AnswersOutOfTurnAreContradictions) {
  Machine machine;
  machine.attach(7, machine.space(8, 0));
  Translation translation;
  translation.start(Machine::request(7, 0x1000), machine.registers);
  ASSERT_EQ(translation.ask().kind, AskKind::kLookupDevice);
  EXPECT_THROW(translation.memory({}), base::Contradiction);
  EXPECT_THROW(translation.resume(), base::Contradiction);
  translation.miss();
  translation.miss();
  ASSERT_EQ(translation.ask().kind, AskKind::kRead);
  EXPECT_THROW(translation.miss(), base::Contradiction);
}

TEST_P(WalkCounts, AreExact) {
  for (unsigned first_leaf = 0; first_leaf <= (GetParam().first_mode != 0 ? 2U : 0U); ++first_leaf)
    for (unsigned second_leaf = 0; second_leaf <= (GetParam().second_mode != 0 ? 2U : 0U); ++second_leaf) {
      SCOPED_TRACE(std::to_string(first_leaf) + " over " + std::to_string(second_leaf));
      expect_exact(first_leaf, second_leaf);
    }
}

INSTANTIATE_TEST_SUITE_P(AllModes, WalkCounts, testing::ValuesIn(shapes()), [](const auto& info) {
  return "ddt" + std::to_string(info.param.ddt_levels) + "_first" + std::to_string(info.param.first_mode) + "_second" +
         std::to_string(info.param.second_mode);
});

}  // namespace iommusim::translate::test
