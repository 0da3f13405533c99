// SPDX-License-Identifier: Apache-2.0
#include "structures.h"

namespace iommusim::fuzz {

using translate::Structure;
using translate::test::AddressSpace;

/// IOMMU 2.2: one process, its entries from the root down. `nested`: the directory lies in guest memory.
std::uint64_t Structures::build_processes(AddressSpace& space, unsigned levels, bool nested) {
  const auto table = [&] {
    if (!nested) return machine.frames.take();
    const std::uint64_t page = machine.guest_frames.take();
    space.map_guest(page);
    return page;
  };
  const std::uint64_t root = table();
  std::uint64_t at = root;
  for (unsigned level = levels - 1; level > 0; --level) {
    const std::uint64_t next = table();
    machine.memory.store(space.spa_of_table(at) + base::bits(kProcess, level == 2 ? 17 : 8, 9) * 8, next >> 2 | 1);
    at = next;
  }
  for (const std::uint64_t process : {std::uint64_t{0}, std::uint64_t{kProcess}}) {
    const std::uint64_t context = space.spa_of_table(at) + (process & 0xff) * 16;
    machine.memory.store(context, 1 | spec::pc_ta::kPscid.of(9) | (process == 0 ? 0 : spec::pc_ta::kEns.mask()));
    machine.memory.store(context + 8, space.fsc());
  }
  return root;
}

void Structures::build(Choices& choices) {
  constexpr unsigned kModes[] = {8, 9, 10, 0};
  const bool rv32 = spec::fctl::kGxl.is_set(machine.registers.fctl());
  const unsigned first = rv32 ? choices.below(2) * 8U : choices.pick(kModes);
  const unsigned second = rv32 ? choices.below(2) * 8U : choices.pick(kModes);
  AddressSpace space = machine.space(first, second, rv32 ? 0 : choices.below(2), rv32);
  const bool big_endian = machine.registers.big_endian();
  spec::DeviceContext context;
  std::uint64_t tc = 1 | spec::dc_tc::kSbe.of(big_endian ? 1 : 0) | spec::dc_tc::kSxl.of(rv32 ? 1 : 0);
  tc |= choices.number(2) & (spec::dc_tc::kSade.mask() | spec::dc_tc::kGade.mask() | spec::dc_tc::kDtf.mask());
  if (choices.flag()) tc |= spec::dc_tc::kEnAts.mask() | (choices.flag() ? spec::dc_tc::kT2gpa.mask() : 0);
  std::uint64_t fsc = space.fsc();
  if (const unsigned levels = choices.below(4); levels != 0) {
    tc |= spec::dc_tc::kPdtv.mask() | spec::dc_tc::kDpe.of(choices.byte() & 1);
    fsc = spec::dc_fsc::kMode.of(levels) | build_processes(space, levels, second != 0) >> 12;
  }
  context.words = {tc, space.iohgatp(1), spec::dc_ta::kPscid.of(2), fsc};
  for (unsigned i = 0; i < 6; ++i) {
    const unsigned level = space.first.bare() ? 0 : choices.below(rv32 ? 2 : 3);
    const std::uint64_t page = ((i + 4ULL) << 28) & ~base::mask_of(space.first.bare() ? 12 : space.first.shift(level));
    space.map(page, page, level, choices.flag() ? translate::test::flags::kAll : 1 | choices.byte());
    iovas_.push_back(page);
  }
  if (second != 0 && machine.extended()) {  // MSI addresses: 8 files where the last page lies
    const std::uint64_t table = machine.frames.take();
    context.words[4] = spec::dc_msiptp::kMode.of(1) | table >> 12;
    context.words[5] = 7;
    context.words[6] = iovas_.back() >> 12;
    for (unsigned i = 0; i < 8; ++i) {
      machine.memory.store(table + 16 * i, 1 | (choices.byte() & 6U) | 0x99999ULL << 10);
      machine.memory.store(table + 16 * i + 8, choices.number(2) << 10);
    }
  }
  machine.set_context(kDevice, context);
  spoil(choices);
}

/// Bits flipped and words replaced; then everything is turned into the byte order that the IOMMU reads in.
void Structures::spoil(Choices& choices) {
  std::vector<std::uint64_t> addresses;
  machine.memory.for_each_word([&](std::uint64_t address, std::uint64_t) { addresses.push_back(address); });
  std::sort(addresses.begin(), addresses.end());
  for (unsigned i = choices.below(6); i > 0; --i) {
    const std::uint64_t at = addresses[choices.below(static_cast<unsigned>(addresses.size()))];
    const std::uint64_t word = machine.memory.load(at);
    switch (choices.below(4)) {
      case 0:
        machine.memory.store(at, choices.number(8));
        break;
      case 1:  // points to another table
        machine.memory.store(at, spec::pte::kPpn.set(word, choices.pick(addresses) >> 12));
        break;
      default:
        machine.memory.store(at, word ^ 1ULL << choices.below(64));
    }
  }
  if (!machine.registers.big_endian()) return;
  for (const std::uint64_t at : addresses)
    machine.memory.store(at, translate::to_host(machine.memory.load(at), 8, true));
}

std::uint64_t Structures::leaf(const translate::MemoryAsk& ask, bool big_endian) const {
  const std::uint64_t word = ask.bytes == 4 ? machine.memory.load32(ask.address) : machine.memory.load(ask.address);
  return translate::to_host(word, ask.bytes, big_endian);
}

/// The leaves are read as they are after the translation: an update sets bits and clears none.
void Structures::check_grant(const translate::Request& request, const translate::Outcome& outcome) const {
  using namespace spec;
  const bool big_endian = machine.registers.big_endian();
  const std::uint64_t tc = translate::to_host(machine.memory.load(watch.of(Structure::kDdt).address), 8, big_endian);
  const bool ats = request.type == translate::AddressType::kAtsRequest;
  if (ats && !outcome.ats.r && !outcome.ats.w) return;  // success with no permission is a refusal too (IOMMU 2.6)
  const auto check = [&](const translate::MemoryAsk& ask, bool is_big_endian) {
    if (ask.bytes == 0) return;
    const std::uint64_t word = leaf(ask, is_big_endian);
    const bool wants_write = ats ? outcome.ats.w : request.is_write();
    const bool wants_execute = ats ? outcome.ats.x : request.execute;
    const bool wants_read = ats ? outcome.ats.r : !request.is_write() && !request.execute;
    base::ensure(pte::kV.is_set(word) && pte::kA.is_set(word), "an invalid leaf, or one without A, was used");
    base::ensure(!wants_write || (pte::kW.is_set(word) && pte::kD.is_set(word)), "a write that no leaf grants");
    base::ensure(!wants_execute || pte::kX.is_set(word), "an execution that no leaf grants");
    base::ensure(!wants_read || pte::kR.is_set(word), "a read that no leaf grants");
    base::ensure(
        &ask == &watch.of(Structure::kFirstStage) ? request.privileged || pte::kU.is_set(word) : pte::kU.is_set(word),
        "a supervisor page was given to a user");
    base::ensure(outcome.size_log2 <= 12 + (ask.bytes == 4 ? 10 : 9) * ask.level || pte::kN.is_set(word),
                 "a range larger than its leaf");
  };
  if (request.type != translate::AddressType::kTranslated)
    check(watch.of(Structure::kFirstStage), dc_tc::kSbe.is_set(tc));
  if (!outcome.is_msi) check(watch.of(Structure::kSecondStage), big_endian);
  if (outcome.is_msi)
    base::ensure((leaf(watch.of(Structure::kMsiPte), big_endian) & 1) != 0 || watch.of(Structure::kMsiPte).bytes != 16,
                 "an invalid MSI PTE was used");
  if (ats || outcome.is_msi || watch.of(Structure::kSecondStage).bytes != 8) return;
  const std::uint64_t word = leaf(watch.of(Structure::kSecondStage), big_endian);
  const unsigned size = pte::kN.is_set(word) ? 16 : 12 + 9U * watch.of(Structure::kSecondStage).level;
  base::ensure((outcome.spa ^ pte::kPpn.get(word) << 12) >> size == 0, "an address outside the leaf's page");
}

/// IOMMU 3.2: the cause fits the access, the record names the request.
void check_fault(const translate::Request& request, const translate::Outcome& outcome) {
  const std::uint16_t cause = outcome.fault.cause;
  base::ensure(spec::find_cause(static_cast<spec::Cause>(cause)) != nullptr, "a cause that does not exist");
  base::ensure(outcome.fault.device == request.device && outcome.fault.iotval == request.iova.value,
               "a record of another request");
  if (cause >= 256) return;
  const bool write = cause == 6 || cause == 7 || cause == 15 || cause == 23;
  const bool execute = cause == 1 || cause == 12 || cause == 20;
  base::ensure(write == request.is_write(), "a write's cause for a read, or the other way round");
  base::ensure(execute == (request.execute && !write), "a cause of execution for another access");
}

}  // namespace iommusim::fuzz
