// SPDX-License-Identifier: Apache-2.0
// An IOMMU behind the C interface for tests: sparse memory behind the callbacks, queues and a one-level device
// directory set up through register writes as software would. What the IOMMU calls back is kept.
#pragma once

#include <cstring>

#include "iommusim.h"
#include "table_builder.h"

namespace iommusim::embed::test {

using translate::test::AddressSpace;
namespace flags = translate::test::flags;

struct WireChange {
  std::uint32_t vector;
  int level;
  std::uint64_t at;
};

class Embedded {
 public:
  /// Members of the host's table from `host_size` on are not known to the library.
  explicit Embedded(const char* yaml = nullptr, std::size_t host_size = sizeof(iommusim_host)) {
    host = {host_size, this, &read, &write, &compare_swap, &interrupt, &message, &finish};
    char* error = nullptr;
    iommu = iommusim_create(yaml, &host, &error);
    if (iommu == nullptr) throw std::runtime_error(error);
    command_queue = frames.take();
    fault_queue = frames.take();
    ddt_root = frames.take();
    set(spec::kCqbOffset, command_queue >> 2 | 7);  // 256 entries
    set(spec::kFqbOffset, fault_queue >> 2 | 6);    // 128 entries
    set(spec::kFctlOffset, spec::fctl::kWsi.mask(), 4);
    set(spec::kCqcsrOffset, spec::cqcsr::kCqen.mask() | spec::cqcsr::kCie.mask(), 4);
    set(spec::kFqcsrOffset, spec::fqcsr::kFqen.mask() | spec::fqcsr::kFie.mask(), 4);
    set(spec::kDdtpOffset, ddt_root >> 2 | 2);  // 1LVL
  }
  ~Embedded() { iommusim_destroy(iommu); }
  Embedded(const Embedded&) = delete;
  Embedded& operator=(const Embedded&) = delete;

  /// Writes a register and lets all that it starts happen.
  void set(std::uint32_t offset, std::uint64_t value, std::uint32_t bytes = 8) {
    EXPECT_EQ(iommusim_mmio_write(iommu, offset, bytes, value), IOMMUSIM_OK);
    settle();
  }
  void settle() { EXPECT_NE(iommusim_run_until_idle(iommu), IOMMUSIM_FAILED) << iommusim_last_error(iommu); }
  std::uint64_t get(std::uint32_t offset, std::uint32_t bytes = 4) const {
    std::uint64_t value = 0;
    EXPECT_EQ(iommusim_mmio_read(iommu, offset, bytes, &value), IOMMUSIM_OK);
    return value;
  }
  /// First stage Sv39: one page.
  AddressSpace space(unsigned first = 8, unsigned second = 0) {
    return AddressSpace(memory, frames, guest_frames, first, second);
  }
  void attach(std::uint32_t device, const AddressSpace& space, std::uint64_t tc = 0) {
    const std::uint64_t words[] = {tc | 1, space.iohgatp(1), spec::dc_ta::kPscid.of(2), space.fsc()};
    for (unsigned i = 0; i < 4; ++i) memory.store(ddt_root + 32 * device + 8 * i, words[i]);
  }
  void command(std::uint64_t word0, std::uint64_t word1 = 0) {
    const std::uint64_t tail = get(spec::kCqtOffset);
    memory.store(command_queue + 16 * tail, word0);
    memory.store(command_queue + 16 * tail + 8, word1);
    set(spec::kCqtOffset, (tail + 1) % 256, 4);
  }
  static iommusim_request request(std::uint32_t device, std::uint64_t iova, std::uint32_t access = IOMMUSIM_READ) {
    iommusim_request out{};
    out.iova = iova;
    out.bytes = 8;
    out.device = device;
    out.access = access;
    return out;
  }
  /// One request to its end, in either mode.
  iommusim_result run(const iommusim_request& request) {
    results.clear();
    EXPECT_EQ(iommusim_submit(iommu, &request, 77), IOMMUSIM_OK) << iommusim_last_error(iommu);
    EXPECT_EQ(iommusim_run_until_idle(iommu), IOMMUSIM_OK) << iommusim_last_error(iommu);
    if (results.size() != 1) throw std::runtime_error("no result");
    return results[0];
  }

  translate::test::SparseMemory memory;
  translate::test::Frames frames{0x80000000};
  translate::test::Frames guest_frames{0x40000000};
  std::uint64_t command_queue = 0, fault_queue = 0, ddt_root = 0;
  iommusim_host host{};
  iommusim_iommu* iommu = nullptr;
  std::vector<WireChange> wires;
  std::vector<iommusim_message> messages;
  std::vector<iommusim_result> results;
  std::function<void()> on_read;

 private:
  static translate::MemoryAsk ask(std::uint64_t address, std::uint32_t bytes) {
    translate::MemoryAsk out;
    out.address = address;
    out.bytes = static_cast<std::uint8_t>(bytes);
    return out;
  }
  static Embedded& self(void* user) { return *static_cast<Embedded*>(user); }
  static iommusim_memory_status status(translate::MemoryStatus status) {
    return static_cast<iommusim_memory_status>(status);
  }
  static iommusim_memory_status read(void* user, std::uint64_t address, std::uint32_t bytes, void* data) {
    if (self(user).on_read) self(user).on_read();
    const auto answer = self(user).memory.read(ask(address, bytes));
    std::memcpy(data, answer.data.data(), bytes);
    return status(answer.status);
  }
  static iommusim_memory_status write(void* user, std::uint64_t address, std::uint32_t bytes, const void* data) {
    auto store = ask(address, bytes);
    std::memcpy(store.data.data(), data, bytes);
    return status(self(user).memory.write(store));
  }
  static iommusim_memory_status compare_swap(void* user, std::uint64_t address, std::uint32_t bytes,
                                             std::uint64_t expected, std::uint64_t desired, std::uint64_t* old) {
    auto swap = ask(address, bytes);
    swap.data = {expected, desired};
    const auto answer = self(user).memory.compare_swap(swap);
    *old = answer.data[0];
    return status(answer.status);
  }
  static void interrupt(void* user, std::uint32_t vector, int level) {
    self(user).wires.push_back({vector, level, iommusim_now(self(user).iommu)});
  }
  static void message(void* user, const iommusim_message* message) { self(user).messages.push_back(*message); }
  static void finish(void* user, const iommusim_result* result) { self(user).results.push_back(*result); }
};

}  // namespace iommusim::embed::test
