// SPDX-License-Identifier: Apache-2.0
// Two stories that broke a real IOMMU, on every preset: an invalidation that comes in each single cycle of a walk and
// of a hit, and a burst of faults against a fault queue that is slow.
#include <gtest/gtest.h>

#include <set>

#include "timed_machine.h"
#include "validation/preset.h"

namespace iommusim::validation {
namespace {

using timing::Finished;
using timing::test::AddressSpace;
using timing::test::Machine;
using timing::test::TimedMachine;

constexpr std::uint32_t kDevice = 5;
constexpr std::uint64_t kPage = 0x10000, kNeighbour = 0x11000, kOld = 0x50000, kNew = 0x90000;

class Presets : public testing::TestWithParam<const char*> {
 protected:
  Presets() : preset(load_preset(std::string(PRESET_FOLDER) + "/" + GetParam() + ".yaml")) {}
  Preset preset;
};

/// What changes under the request, and the command that tells.
enum class Change { kPage, kAddressSpace, kEverything, kDevice };

struct Story {
  explicit Story(const Preset& preset)
      : machine(preset.iommu.engine, {20, 0, 20, 1}, 2, preset.iommu.implementation),
        spaces{machine.tables.space(8, 0), machine.tables.space(8, 0)} {
    spaces[0].map(kPage, kOld);
    spaces[1].map(kPage, kNew);
    for (AddressSpace& space : spaces) space.map(kNeighbour, kNeighbour);
    entry = spaces[0].first_entry(kPage, 0);
    words[0] = machine.tables.memory.load(entry);
    words[1] = machine.tables.memory.load(spaces[1].first_entry(kPage, 0));
    machine.tables.attach(kDevice, spaces[0]);
  }

  void change(Change what, unsigned to) {
    if (what == Change::kDevice)
      machine.tables.attach(kDevice, spaces[to]);
    else
      machine.tables.memory.store(entry, words[to]);
  }
  void tell(Change what) {
    using namespace spec;
    switch (what) {
      case Change::kPage:
        machine.queue_command(timing::test::iotinval_page(2), timing::test::address_word(kPage));
        break;
      case Change::kAddressSpace:
        machine.queue_command(opcode::kIotinval | iotinval_w0::kPscv.mask() | iotinval_w0::kPscid.of(2), 0);
        break;
      case Change::kEverything:
        machine.queue_command(opcode::kIotinval, 0);
        break;
      case Change::kDevice:  // the old space's translations have the same tags
        machine.queue_command(opcode::kIodir | iodir_w0::kDv.mask() | iodir_w0::kDid.of(kDevice), 0);
        machine.queue_command(opcode::kIotinval, 0);
        break;
    }
    machine.queue_command(timing::test::kFence, 0);
    machine.submit();
  }
  /// With what the story begins: everything old, and in the caches or not.
  void begin(Change what, bool warm) {
    change(what, 0);
    machine.queue_command(timing::test::kInvalAllDevices, 0);
    tell(Change::kEverything);
    machine.driver.run_until_idle();
    if (warm) machine.translate(kDevice, kPage);
    machine.driver.finished().clear();
  }

  TimedMachine machine;
  AddressSpace spaces[2];
  std::uint64_t entry = 0;
  std::uint64_t words[2] = {0, 0};
};

/// The command's tail is written `at` cycles after the requests came. How long the requests took is returned.
base::Cycle invalidate_at(Story& story, Change what, bool warm, base::Cycle at) {
  story.begin(what, warm);
  timing::PlainDriver& driver = story.machine.driver;
  const base::Cycle start = driver.now();
  unsigned offered = 0;
  for (const std::uint64_t iova : {kPage, kNeighbour, kPage})
    offered += driver.offer(Machine::request(kDevice, iova), iova) ? 1U : 0U;
  while (driver.advance(start + at)) {
  }
  story.change(what, 1);
  story.tell(what);
  while (story.machine.head() != story.machine.tail()) EXPECT_TRUE(driver.advance());
  const base::Cycle fenced = driver.now();
  driver.run_until_idle();
  EXPECT_EQ(driver.finished().size(), offered);
  base::Cycle last = start;
  for (const Finished& done : driver.finished()) {
    EXPECT_EQ(done.outcome.kind, translate::Outcome::Kind::kTranslated);
    if (done.cookie == kNeighbour) {
      EXPECT_EQ(done.outcome.spa, kNeighbour);
    } else if (done.outcome.spa != kNew) {
      EXPECT_EQ(done.outcome.spa, kOld);
      EXPECT_LE(done.done + driver.params().forward_cycles, fenced) << "an old translation outlived the fence";
    }
    last = std::max(last, done.done);
  }
  EXPECT_EQ(story.machine.translate(kDevice, kPage).outcome.spa, kNew);
  return last - start;
}

TEST_P(Presets, AnInvalidationInEveryCycleOfAWalkAndOfAHit) {
  Story story(preset);
  for (const Change what : {Change::kPage, Change::kAddressSpace, Change::kEverything, Change::kDevice})
    for (const bool warm : {false, true}) {
      const base::Cycle undisturbed = invalidate_at(story, what, warm, 1000);
      ASSERT_GE(undisturbed, 0U);
      for (base::Cycle at = 0; at <= undisturbed + 5; ++at) {
        SCOPED_TRACE("change " + std::to_string(static_cast<int>(what)) + (warm ? ", warm" : ", cold") + ", cycle " +
                     std::to_string(at));
        invalidate_at(story, what, warm, at);
        if (HasFailure()) return;
      }
    }
}

/// 16 entries, which nobody takes out, and memory of 500 cycles.
TEST_P(Presets, AHundredFaultsAgainstASlowFaultQueue) {
  for (const unsigned log2 : {4U, 7U}) {
    TimedMachine machine(preset.iommu.engine, {500, 0, 20, 1}, 2, preset.iommu.implementation);
    AddressSpace space = machine.tables.space(8, 0);
    space.map(kPage, kOld);
    machine.tables.attach(kDevice, space);
    machine.driver.write_register(spec::kFqcsrOffset, 4, 0);
    machine.driver.run_until_idle();
    machine.driver.write_register(spec::kFqbOffset, 8, machine.tables.fault_address(0) >> 2 | (log2 - 1));
    machine.driver.write_register(spec::kFqcsrOffset, 4, spec::fqcsr::kFqen.mask());
    machine.driver.run_until_idle();

    for (std::uint64_t i = 0; i < 100;) {
      if (machine.driver.offer(Machine::request(kDevice, 0x100000 + i * 0x1000), i))
        ++i;
      else
        ASSERT_TRUE(machine.driver.advance());
    }
    machine.driver.run_until_idle();
    ASSERT_EQ(machine.driver.finished().size(), 100U);
    for (const Finished& done : machine.driver.finished())
      EXPECT_NE(done.outcome.kind, translate::Outcome::Kind::kTranslated);

    const std::uint64_t tail = machine.driver.read_register(spec::kFqtOffset, 4);
    std::set<std::uint64_t> recorded;
    for (std::uint64_t i = 0; i < tail; ++i)
      recorded.insert(machine.tables.memory.load(machine.tables.fault_address(i) + 16));
    EXPECT_EQ(recorded.size(), tail) << "a record twice";
    for (const std::uint64_t iova : recorded) EXPECT_LT(iova - 0x100000, 100 * 0x1000U);
    const bool overflow = spec::fqcsr::kFqof.is_set(machine.driver.read_register(spec::kFqcsrOffset, 4));
    EXPECT_EQ(overflow, log2 == 4);
    EXPECT_EQ(tail, log2 == 4 ? 15U : 100U);
    EXPECT_EQ(machine.engine.stats().faults.lost.value(), 100 - tail);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Presets, testing::Values("server", "embedded", "serial-rtl", "ideal", "off"),
                         [](const auto& preset) { return std::string(preset.param).substr(0, 6); });

}  // namespace
}  // namespace iommusim::validation
