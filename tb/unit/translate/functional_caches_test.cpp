// SPDX-License-Identifier: Apache-2.0
#include "translate/functional_caches.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "machine.h"

namespace iommusim::translate::test {
namespace {

constexpr std::uint64_t kVma = spec::opcode::kIotinval;
constexpr std::uint64_t kGvma = spec::opcode::kIotinval | spec::iotinval_w0::kFunc3.of(1);
constexpr std::uint64_t kInvalDdt = spec::opcode::kIodir;

/// A machine whose engine remembers.
struct CachedMachine : Machine {
  explicit CachedMachine(const spec::Implementation& implementation = {})
      : Machine(implementation, 3, FunctionalCacheParams{}) {}
  unsigned reads() {
    unsigned sum = 0;
    for (const auto& structure : memory.reads)
      for (const unsigned count : structure) sum += count;
    return sum;
  }
  unsigned reads_for(const Request& request) {
    memory.clear_counts();
    outcome = engine.translate(request);
    return reads();
  }
  Outcome outcome;
};

TEST(FunctionalCaches, SameRequestReadsNothingAgain) {
  CachedMachine machine;
  AddressSpace space = machine.space(8, 8);
  space.map(0x5000, 0x9000);
  machine.attach(7, space);
  EXPECT_GE(machine.reads_for(Machine::request(7, 0x5123)), 3U + 3U + 4U) << "directory, first stage, second stage";
  EXPECT_EQ(machine.reads_for(Machine::request(7, 0x5ff8)), 0U);
  EXPECT_EQ(machine.outcome.spa, 0x9ff8 + kGuestOffset) << "the offset is that of this request";
  EXPECT_EQ(machine.reads_for(Machine::request(7, 0x5000, Access::kWrite)), 1U + 1U) << "the leaves of both stages";
}

TEST(FunctionalCaches, NeighbourReadsTheLeafOnly) {
  CachedMachine machine;
  AddressSpace space = machine.space(9, 0);
  space.map(0x5000, 0x9000);
  space.map(0x6000, 0xb000);
  machine.attach(7, space);
  machine.reads_for(Machine::request(7, 0x5123));
  EXPECT_EQ(machine.reads_for(Machine::request(7, 0x6008)), 1U);
  EXPECT_EQ(machine.outcome.spa, 0xb008U);
}

TEST(FunctionalCaches, InvalidationMakesChangesSeen) {
  CachedMachine machine;
  AddressSpace space = machine.space(8, 8);
  space.map(0x5000, 0x9000);
  machine.attach(7, space);
  machine.translate(7, 0x5000);
  space.map(0x5000, 0xa000);
  EXPECT_EQ(machine.translate(7, 0x5000).spa, 0x9000 + kGuestOffset) << "software sent no command yet";
  machine.command(kVma | spec::iotinval_w0::kGv.mask() | spec::iotinval_w0::kGscid.of(1), 0);
  EXPECT_EQ(machine.translate(7, 0x5000).spa, 0xa000 + kGuestOffset);
  space.map_second(0xa000, 0x777000, 0);
  machine.command(kGvma, 0);
  EXPECT_EQ(machine.translate(7, 0x5000).spa, 0x777000U);
}

TEST(FunctionalCaches, IodirMakesTheContextReadAgain) {
  CachedMachine machine;
  AddressSpace space = machine.space(8, 0);
  space.map(0x5000, 0x9000);
  const spec::DeviceContext context = machine.attach(7, space);
  machine.translate(7, 0x5000);
  spec::DeviceContext invalid = context;
  invalid.words[0] = 0;
  machine.set_context(7, invalid);
  EXPECT_EQ(machine.translate(7, 0x5000).kind, Outcome::Kind::kTranslated);
  machine.command(kInvalDdt | spec::iodir_w0::kDv.mask() | spec::iodir_w0::kDid.of(7), 0);
  EXPECT_EQ(machine.translate(7, 0x5000).fault.cause, 258);
}

TEST(FunctionalCaches, NothingOutlivesTheDirectory) {
  CachedMachine machine;
  AddressSpace space = machine.space(8, 0);
  space.map(0x5000, 0x9000);
  machine.attach(7, space);
  machine.translate(7, 0x5000);
  machine.write(spec::kDdtpOffset, 0);
  EXPECT_EQ(machine.translate(7, 0x5000).fault.cause, 256);
}

TEST(FunctionalCaches, ReadableIsNotWritable) {
  CachedMachine machine;
  AddressSpace space = machine.space(8, 0);
  space.map(0x5000, 0x9000, 0, flags::kAll & ~flags::kW);
  machine.attach(7, space);
  machine.translate(7, 0x5000);
  EXPECT_EQ(machine.translate(7, 0x5000, Access::kWrite).fault.cause, 15);
  EXPECT_EQ(machine.translate(8, 0x5000).fault.cause, 258) << "and another device is another device";
}

TEST(FunctionalCaches, AtsRequestsWalkEachTime) {
  spec::Implementation implementation;
  implementation.ats = true;
  CachedMachine machine(implementation);
  AddressSpace space = machine.space(8, 0);
  space.map(0x5000, 0x9000);
  machine.attach(7, space, spec::dc_tc::kEnAts.mask());
  Request request = Machine::request(7, 0x5000);
  request.type = AddressType::kAtsRequest;
  machine.reads_for(request);
  EXPECT_EQ(machine.reads_for(request), 3U);
}

TEST(FunctionalCaches, EventsAreThoseThatHappen) {
  spec::Implementation implementation;
  implementation.hpm = true;
  implementation.num_hpm = 5;
  CachedMachine machine(implementation);
  const HpmEvent events[] = {HpmEvent::kUntranslatedRequest, HpmEvent::kTlbMiss, HpmEvent::kDeviceDirectoryWalk,
                             HpmEvent::kFirstStageWalk};
  for (unsigned i = 0; i < 4; ++i) machine.write(spec::kIohpmevtOffset + 8 * i, static_cast<std::uint64_t>(events[i]));
  AddressSpace space = machine.space(8, 0);
  space.map(0x5000, 0x9000);
  space.map(0x6000, 0xb000);
  machine.attach(7, space);
  for (const std::uint64_t iova : {0x5000, 0x5008, 0x6000, 0x6008, 0x5010}) machine.translate(7, iova);
  const std::uint64_t expected[] = {5, 2, 1, 2};
  for (unsigned i = 0; i < 4; ++i) EXPECT_EQ(machine.read(spec::kIohpmctrOffset + 8 * i), expected[i]) << i;
}

TEST(FunctionalCaches, SizesArePowersOfTwo) {
  EXPECT_THROW(FunctionalCaches({3, 1, 1}), base::InputError);
  EXPECT_THROW(FunctionalCaches({4, 5, 1}), base::InputError);
  EXPECT_THROW(FunctionalCaches({4, 4, 6}), base::InputError);
}

}  // namespace
}  // namespace iommusim::translate::test
