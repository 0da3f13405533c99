// SPDX-License-Identifier: Apache-2.0
// Locating the device context (IOMMU 2.3 steps 3 to 10, 2.3.1).
#include <gtest/gtest.h>

#include "machine.h"

namespace iommusim::translate::test {

struct Format {
  bool extended;
  unsigned levels;
};
class Directory : public testing::TestWithParam<Format> {
 protected:
  Directory()
      : machine_(
            [] {
              spec::Implementation implementation;
              implementation.msi_flat = GetParam().extended;
              return implementation;
            }(),
            GetParam().levels) {}
  unsigned device_bits() const {
    const unsigned bits = (GetParam().extended ? 6 : 7) + 9 * (GetParam().levels - 1);
    return bits > 24 ? 24 : bits;
  }
  Machine machine_;
};

TEST_P(Directory, EveryBitOfTheDeviceIdCounts) {
  const auto widest = static_cast<std::uint32_t>(base::mask_of(device_bits()));
  for (unsigned bit = 0; bit <= device_bits(); ++bit) {
    const std::uint32_t device = bit == device_bits() ? widest : 1U << bit;
    machine_.attach(device, machine_.space(0, 0));
    EXPECT_EQ(machine_.translate(device, 0x1000).kind, Outcome::Kind::kTranslated) << device;
  }
  EXPECT_EQ(machine_.translate(0, 0x1000).fault.cause, 258) << "device 0 has no context";
}

TEST_P(Directory, WiderDeviceIdsAreDisallowed) {
  for (unsigned bit = device_bits(); bit < 24; ++bit) {
    const Outcome outcome = machine_.translate(1U << bit, 0x1000);
    EXPECT_EQ(outcome.fault.cause, 260) << bit;
    EXPECT_TRUE(outcome.record_fault);
  }
}

TEST_P(Directory, NonLeafEntriesAreChecked) {
  for (unsigned level = 1; level < GetParam().levels; ++level) {
    machine_.attach(0x21, machine_.space(0, 0));
    const std::uint64_t address = machine_.directory_entry(0x21, level);
    const std::uint64_t good = machine_.memory.load(address);
    const auto cause_with = [&](std::uint64_t entry) {
      machine_.memory.store(address, entry);
      return machine_.translate(0x21, 0x1000).fault.cause;
    };
    EXPECT_EQ(cause_with(good & ~1ULL), 258);
    for (const unsigned bit : {1U, 9U, 54U, 63U}) EXPECT_EQ(cause_with(good | 1ULL << bit), 259) << bit;
    EXPECT_EQ(cause_with(good), 0);
    machine_.memory.failing[address + 7] = MemoryStatus::kAccessFault;
    EXPECT_EQ(cause_with(good), 257);
    machine_.memory.failing[address + 7] = MemoryStatus::kCorrupt;
    EXPECT_EQ(cause_with(good), 268);
    machine_.memory.failing.clear();
  }
}

TEST_P(Directory, ContextsAreChecked) {
  const spec::DeviceContext good = machine_.attach(0x21, machine_.space(0, 0));
  const std::uint64_t address = machine_.directory_entry(0x21);
  EXPECT_EQ(address % machine_.context_bytes(), 0U);
  spec::DeviceContext context = good;
  context.words[0] = ~1ULL;
  machine_.set_context(0x21, context);
  EXPECT_EQ(machine_.translate(0x21, 0x1000).fault.cause, 258) << "V = 0 comes before all other checks";
  context.words[0] = 1 | 1 << 12;
  machine_.set_context(0x21, context);
  EXPECT_EQ(machine_.translate(0x21, 0x1000).fault.cause, 259);
  machine_.set_context(0x21, good);
  machine_.memory.failing[address + machine_.context_bytes() - 1] = MemoryStatus::kAccessFault;
  EXPECT_EQ(machine_.translate(0x21, 0x1000).fault.cause, 257);
  machine_.memory.failing = {{address + machine_.context_bytes() - 1, MemoryStatus::kCorrupt}};
  EXPECT_EQ(machine_.translate(0x21, 0x1000).fault.cause, 268);
  machine_.memory.failing = {{address + machine_.context_bytes(), MemoryStatus::kCorrupt}};
  EXPECT_EQ(machine_.translate(0x21, 0x1000).kind, Outcome::Kind::kTranslated) << "the next context is not read";
}

/// IOMMU 5.5: ddtp may be written while requests are inside; each of them keeps to the directory that it began with.
TEST_P(Directory, ARequestKeepsTheDirectoryItBeganWith) {
  machine_.attach(0x21, machine_.space(0, 0));
  const std::uint64_t entry = machine_.directory_entry(0x21, GetParam().levels - 1);
  for (const std::uint64_t ddtp : {std::uint64_t{0}, std::uint64_t{1}}) {
    machine_.write(spec::kDdtpOffset, machine_.ddt_root >> 2 | (GetParam().levels + 1));
    Translation translation;
    translation.start(Machine::request(0x21, 0x1000), machine_.registers);
    ASSERT_EQ(translation.ask().kind, AskKind::kLookupDevice);
    machine_.write(spec::kDdtpOffset, ddtp);
    translation.miss();
    if (translation.ask().kind == AskKind::kLookupDirectory) translation.miss();
    ASSERT_EQ(translation.ask().kind, AskKind::kRead);
    EXPECT_EQ(translation.ask().memory.address, entry);
    EXPECT_EQ(translation.ask().memory.level, GetParam().levels - 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Directory,
                         testing::Values(Format{false, 1}, Format{false, 2}, Format{false, 3}, Format{true, 1},
                                         Format{true, 2}, Format{true, 3}),
                         [](const auto& info) {
                           return std::string(info.param.extended ? "extended" : "base") +
                                  std::to_string(info.param.levels);
                         });

TEST(DeviceContextUse, ProcessIdWithoutADirectoryIsDisallowed) {
  Machine machine;
  machine.attach(7, machine.space(0, 0));
  Request request = Machine::request(7, 0x1000);
  request.process_valid = true;
  EXPECT_EQ(machine.engine.translate(request).fault.cause, 260);
}

TEST(DeviceContextUse, AtsTransactionsNeedEnAts) {
  spec::Implementation implementation;
  implementation.ats = true;
  Machine machine(implementation);
  machine.attach(7, machine.space(0, 0));
  Request request = Machine::request(7, 0x1234);
  request.type = AddressType::kTranslated;
  EXPECT_EQ(machine.engine.translate(request).fault.cause, 260);
  AddressSpace space = machine.space(8, 0);
  machine.attach(7, space, spec::dc_tc::kEnAts.mask());
  EXPECT_EQ(machine.engine.translate(request).spa, 0x1234U) << "a translated address needs no translation";
}

TEST(DeviceContextUse, TranslatedRequestsWithT2gpaUseTheSecondStageOnly) {
  spec::Implementation implementation;
  implementation.ats = implementation.t2gpa = true;
  Machine machine(implementation);
  AddressSpace space = machine.space(8, 8);
  space.map_guest(0x5000);
  machine.attach(7, space, spec::dc_tc::kEnAts.mask() | spec::dc_tc::kT2gpa.mask());
  Request request = Machine::request(7, 0x5678);
  request.type = AddressType::kTranslated;
  EXPECT_EQ(machine.engine.translate(request).spa, 0x5678 + kGuestOffset);
  request.iova = base::Iova(0x6000);
  const Outcome outcome = machine.engine.translate(request);
  EXPECT_EQ(outcome.fault.cause, 21);
  EXPECT_EQ(outcome.fault.transaction_type, 6);
}

TEST(DeviceContextUse, BigEndianDirectory) {
  spec::Implementation implementation;
  implementation.end = true;
  implementation.fctl = spec::fctl::kBe.mask();
  Machine machine(implementation, 1);
  spec::DeviceContext context;
  context.words[0] = __builtin_bswap64(1 | spec::dc_tc::kSbe.mask());
  machine.set_context(7, context);
  EXPECT_EQ(machine.translate(7, 0x1000).kind, Outcome::Kind::kTranslated);
}

}  // namespace iommusim::translate::test
