// SPDX-License-Identifier: Apache-2.0
// Software that is tables and nothing else (software.stack: tables): directories and page tables are in memory before
// time begins, ddtp is written, and that is all. Each device has an address space of its own. What is mapped stays so.
// Under a second stage the guest sees memory from guest_offset() on, which is half of where buffers begin.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "hal/hardware.h"
#include "hal/os.h"
#include "platform/params.h"
#include "spec/directories.h"
#include "tlm/sparse_store.h"

namespace iommusim::platform {

class Tables {
 public:
  Tables(const SystemParams& params, bus::SparseStore& store);
  Tables(const Tables&) = delete;  // its parts know where it is
  Tables& operator=(const Tables&) = delete;

  bool translating() const { return params_.tables.translation == Translation::kTables; }
  /// A valid device context, with an empty address space. ParameterError about `bdf_path` for a device id in use or
  /// out of reach, about software.tables for modes that the IOMMU does not have.
  void attach(std::uint32_t device, const std::string& bdf_path, bool ats);
  /// Maps the buffer bytes [buffer, buffer + bytes) (offsets among all buffers) at `iova`, with leaves of that level.
  /// A buffer behind memory is in a BAR.
  /// The address by which the device reaches the first byte: `iova`, unless there is no first stage.
  std::uint64_t map(std::uint32_t device, const std::string& path, std::uint64_t iova, std::uint64_t buffer,
                    std::uint64_t bytes, unsigned leaf_level);
  /// The PASID that DMA carries.
  std::optional<base::ProcessId> process() const;
  /// Switches translation on. In a thread of the OS.
  void enable(hal::Mmio& mmio, hal::Os& os) const;

 private:
  /// Memory as spec/page_tables.h wants it.
  class Memory {
   public:
    explicit Memory(bus::SparseStore& store) : store_(store) {}
    std::uint64_t load(std::uint64_t address) const { return store_.load64(address); }
    void store(std::uint64_t address, std::uint64_t word) { store_.store64(address, word); }
    std::uint32_t load32(std::uint64_t address) const {
      std::uint32_t word = 0;
      store_.read(address, &word, sizeof word);
      return word;
    }
    void store32(std::uint64_t address, std::uint32_t word) { store_.write(address, &word, sizeof word); }

   private:
    bus::SparseStore& store_;
  };
  struct Space {
    Space(Tables& owner, unsigned first_mode, unsigned second_mode, unsigned second_leaf);
    spec::PageTables<Memory> tables;
    std::optional<spec::ProcessDirectory<Memory>> processes;
  };

  unsigned levels() const;
  std::uint64_t guest_offset() const { return buffers_ / 2; }
  void check_room() const;

  const SoftwareParams& params_;
  const spec::Implementation& implementation_;
  std::uint32_t physical_bits_;
  std::uint64_t buffers_;  ///< where they begin
  Memory memory_;
  spec::Frames frames_;
  spec::Frames guest_frames_;
  spec::DeviceDirectory<Memory> directory_;
  std::map<std::uint32_t, std::unique_ptr<Space>> spaces_;
};

}  // namespace iommusim::platform
