// SPDX-License-Identifier: Apache-2.0
// A whole IOMMU for tests: memory, registers, functional engine, a device directory and queues, set up through register
// writes as software would.
#pragma once

#include <vector>

#include "spec/directories.h"
#include "table_builder.h"

namespace iommusim::translate::test {

/// A fault record as software reads it.
struct Record {
  unsigned cause, pid, ttyp, did;
  bool pv, priv;
  std::uint64_t iotval, iotval2;
};

/// Keeps what is sent to devices.
struct Outbox : MessagePort {
  void send(const DeviceMessage& message) override { sent.push_back(message); }
  std::vector<DeviceMessage> sent;
};

class Machine {
 public:
  explicit Machine(const spec::Implementation& implementation = {}, unsigned ddt_levels = 3,
                   const FunctionalCacheParams& caches = FunctionalCacheParams::none())
      : registers(implementation), engine(registers, memory, &messages, caches), levels_(ddt_levels) {
    command_queue_ = frames.take();
    fault_queue_ = frames.take();
    write(spec::kCqbOffset, command_queue_ >> 2 | 7);  // 256 entries
    write(spec::kFqbOffset, fault_queue_ >> 2 | 6);    // 128 entries
    write32(spec::kCqcsrOffset, spec::cqcsr::kCqen.mask() | spec::cqcsr::kCie.mask());
    write32(spec::kFqcsrOffset, spec::fqcsr::kFqen.mask() | spec::fqcsr::kFie.mask());
    ddt_root = frames.take();
    write(spec::kDdtpOffset, ddt_root >> 2 | (ddt_levels + 1));
  }

  void write(std::uint32_t offset, std::uint64_t value) { engine.write_register(offset, 8, value); }
  void write32(std::uint32_t offset, std::uint64_t value) { engine.write_register(offset, 4, value); }
  std::uint64_t read(std::uint32_t offset) const { return engine.read_register(offset, 8); }
  std::uint64_t read32(std::uint32_t offset) const { return engine.read_register(offset, 4); }

  AddressSpace space(unsigned first_mode, unsigned second_mode, unsigned second_leaf_level = 0, bool rv32 = false) {
    return AddressSpace(memory, frames, guest_frames, first_mode, second_mode, second_leaf_level, rv32);
  }

  bool extended() const { return registers.implementation().msi_flat; }
  unsigned context_bytes() const { return extended() ? 64 : 32; }
  unsigned leaf_bits() const { return spec::device_leaf_bits(extended()); }

  /// Address of the non-leaf entry (level 1, 2) or of the context (level 0); makes the tables above when missing.
  std::uint64_t directory_entry(std::uint32_t device, unsigned level = 0) { return directory().entry(device, level); }
  void set_context(std::uint32_t device, const spec::DeviceContext& context) { directory().set(device, context); }
  /// A valid context with this address space, and `tc` bits besides V.
  spec::DeviceContext attach(std::uint32_t device, const AddressSpace& space, std::uint64_t tc = 0, unsigned gscid = 1,
                             unsigned pscid = 2) {
    spec::DeviceContext context;
    context.words = {tc | 1, space.iohgatp(gscid), spec::dc_ta::kPscid.of(pscid), space.fsc()};
    set_context(device, context);
    return context;
  }

  static Request request(std::uint32_t device, std::uint64_t iova, Access access = Access::kRead) {
    Request result;
    result.device = base::DeviceId(device);
    result.iova = base::Iova(iova);
    result.bytes = 1;
    result.access = access;
    return result;
  }
  Outcome translate(std::uint32_t device, std::uint64_t iova, Access access = Access::kRead) {
    return engine.translate(request(device, iova, access));
  }

  /// Takes all records out of the fault queue.
  std::vector<Record> take_records() {
    std::vector<Record> records;
    std::uint64_t head = read32(spec::kFqhOffset);
    for (; head != read32(spec::kFqtOffset); head = (head + 1) % 128) {
      const std::uint64_t address = fault_queue_ + 32 * head;
      const std::uint64_t word = memory.load(address);
      records.push_back({static_cast<unsigned>(spec::fault_w0::kCause.get(word)),
                         static_cast<unsigned>(spec::fault_w0::kPid.get(word)),
                         static_cast<unsigned>(spec::fault_w0::kTtyp.get(word)),
                         static_cast<unsigned>(spec::fault_w0::kDid.get(word)), spec::fault_w0::kPv.is_set(word),
                         spec::fault_w0::kPriv.is_set(word), memory.load(address + 16), memory.load(address + 24)});
    }
    write32(spec::kFqhOffset, head);
    return records;
  }

  /// Queues one command and has it executed.
  void command(std::uint64_t word0, std::uint64_t word1) {
    const std::uint64_t tail = read32(spec::kCqtOffset);
    memory.store(command_queue_ + 16 * tail, word0);
    memory.store(command_queue_ + 16 * tail + 8, word1);
    write32(spec::kCqtOffset, (tail + 1) % 256);
  }
  std::uint64_t command_address(std::uint64_t entry) const { return command_queue_ + 16 * entry; }
  std::uint64_t fault_address(std::uint64_t entry) const { return fault_queue_ + 32 * entry; }

  SparseMemory memory;
  Frames frames{0x80000000};
  Frames guest_frames{0x40000000};
  Registers registers;
  Outbox messages;
  FunctionalEngine engine;
  std::uint64_t ddt_root = 0;

 private:
  /// The directory at ddt_root, which tests move.
  spec::DeviceDirectory<SparseMemory> directory() {
    return spec::DeviceDirectory<SparseMemory>(memory, frames, levels_, extended(), ddt_root);
  }

  unsigned levels_;
  std::uint64_t command_queue_ = 0;
  std::uint64_t fault_queue_ = 0;
};

}  // namespace iommusim::translate::test
