// SPDX-License-Identifier: Apache-2.0
// read, write and mmap of a device file: the upper bits of the position choose the region, the lower ones the byte.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <shared_mutex>

#include "uapi/vfio.h"
#include "vfio/pci_device.h"
#include "vfio/user_copy.h"

namespace iommusim::vfio {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kOffsetMask = (1ULL << uapi::kVfioPciOffsetShift) - 1;

// The widest access of the bus at an address that the rest of a transfer allows.
unsigned widest(std::uint64_t offset, std::uint64_t left) {
  unsigned bytes = 8;
  while (offset % bytes != 0 || bytes > left) bytes /= 2;
  return bytes;
}

}  // namespace

/// A mapping of a BAR. What the BAR does not answer reads as ones.
class PciDevice::BarRegisters final : public hal::MappedRegisters {
 public:
  BarRegisters(PciDevice& device, unsigned bar) : device_(device), bar_(bar) {}
  std::uint64_t load(std::uint64_t offset, unsigned bytes) override {
    const std::shared_lock guard(*device_.memory_lock_);
    const bool answers = device_.memory_on_ && offset + bytes <= device_.identity().bars[bar_].bytes;
    return answers ? device_.load(bar_, offset, bytes) : ~0ULL >> (64 - 8 * bytes);
  }
  void store(std::uint64_t offset, unsigned bytes, std::uint64_t value) override {
    const std::shared_lock guard(*device_.memory_lock_);
    if (device_.memory_on_ && offset + bytes <= device_.identity().bars[bar_].bytes)
      device_.store(bar_, offset, bytes, value);
  }

 private:
  PciDevice& device_;
  const unsigned bar_;
};

// The table of MSI-X belongs to the kernel.
bool PciDevice::in_msix_table(unsigned bar, std::uint64_t offset) const {
  const PciMsix& msix = identity().msix;
  return msix.vectors != 0 && bar == msix.table_bar && offset >= msix.table_offset &&
         offset < msix.table_offset + 16ULL * msix.vectors;
}

std::uint64_t PciDevice::load(unsigned bar, std::uint64_t offset, unsigned bytes) {
  return in_msix_table(bar, offset) ? ~0ULL >> (64 - 8 * bytes) : function_.bar_read(bar, offset, bytes);
}

void PciDevice::store(unsigned bar, std::uint64_t offset, unsigned bytes, std::uint64_t value) {
  if (!in_msix_table(bar, offset)) function_.bar_write(bar, offset, bytes, value);
}

std::int64_t PciDevice::read(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes,
                             std::uint64_t& position) {
  return access(caller, user_va, bytes, position, false);
}

std::int64_t PciDevice::write(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes,
                              std::uint64_t& position) {
  return access(caller, user_va, bytes, position, true);
}

std::int64_t PciDevice::access(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes,
                               std::uint64_t& position, bool write) {
  const std::uint64_t region = position >> uapi::kVfioPciOffsetShift;
  const std::uint64_t offset = position & kOffsetMask;
  if (region >= uapi::kVfioPciRegions) return -EINVAL;
  if (bytes == 0) return 0;
  std::int64_t done = -EINVAL;  // of a region that is not there
  if (region <= uapi::kVfioPciBar5)
    done = access_bar(caller, static_cast<unsigned>(region), user_va, bytes, offset, write);
  else if (region == uapi::kVfioPciRom && !write)
    done = read_rom(caller, user_va, bytes, offset);
  else if (region == uapi::kVfioPciConfig)
    done = access_config(caller, user_va, bytes, offset, write);
  if (done > 0) position += static_cast<std::uint64_t>(done);
  return done;
}

std::int64_t PciDevice::access_config(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes,
                                      std::uint64_t offset, bool write) {
  if (offset >= config_.size() || bytes > config_.size() - offset) return -EFAULT;
  std::uint8_t buffer[4096];
  const auto at = static_cast<std::uint32_t>(offset);
  if (!write) {
    {
      const std::lock_guard guard(*config_lock_);
      config_.show_wire(interrupts_.wire_asserted());
      config_.read(at, buffer, bytes);
    }
    if (const int error = copy_out(caller, user_va, buffer, bytes)) return error;
    return static_cast<std::int64_t>(bytes);
  }
  if (const int error = copy_in(caller, buffer, user_va, bytes)) return error;
  ConfigSpace::Written written;
  {
    const std::lock_guard guard(*config_lock_);
    written = config_.write(at, buffer, bytes);
    if (written.switches) apply_switches_locked();
  }
  if (written.function_reset) reset();
  return static_cast<std::int64_t>(bytes);
}

std::int64_t PciDevice::access_bar(hal::Process& caller, unsigned bar, std::uint64_t user_va, std::uint64_t bytes,
                                   std::uint64_t offset, bool write) {
  const PciBar& description = identity().bars[bar];
  if (offset >= description.bytes) return -EINVAL;  // also of a BAR that is not there
  bytes = std::min(bytes, description.bytes - offset);
  const std::shared_lock guard(*memory_lock_);
  if (!description.io && !memory_on_) return -EIO;
  for (std::uint64_t done = 0; done < bytes;) {
    const unsigned n = widest(offset + done, bytes - done);
    std::uint64_t value = 0;
    if (write) {
      if (const int error = copy_in(caller, &value, user_va + done, n)) return error;
      store(bar, offset + done, n, value);
    } else {
      value = load(bar, offset + done, n);
      if (const int error = copy_out(caller, user_va + done, &value, n)) return error;
    }
    done += n;
  }
  return static_cast<std::int64_t>(bytes);
}

std::uint64_t PciDevice::rom_bytes() const {
  std::uint64_t bytes = identity().rom.empty() ? 0 : 2048;
  while (bytes < identity().rom.size()) bytes *= 2;
  return bytes;
}

std::int64_t PciDevice::read_rom(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes,
                                 std::uint64_t offset) {
  if (offset >= rom_bytes()) return -EINVAL;
  bytes = std::min(bytes, rom_bytes() - offset);
  const std::vector<std::uint8_t>& rom = identity().rom;
  std::vector<std::uint8_t> out(bytes, 0xFF);
  for (std::uint64_t i = 0; i < bytes && offset + i < rom.size(); ++i) out[i] = rom[offset + i];
  if (const int error = copy_out(caller, user_va, out.data(), bytes)) return error;
  return static_cast<std::int64_t>(bytes);
}

int PciDevice::mmap(std::uint64_t offset, std::uint64_t bytes, bool shared, hal::MappedRegion& out) {
  const std::uint64_t region = offset >> uapi::kVfioPciOffsetShift;
  if (!shared || region > uapi::kVfioPciBar5) return -EINVAL;
  const auto bar = static_cast<unsigned>(region);
  const PciBar& description = identity().bars[bar];
  if (description.bytes == 0 || description.io || !description.mappable) return -EINVAL;
  const std::uint64_t length = (description.bytes + kPage - 1) / kPage * kPage;
  const std::uint64_t start = offset & kOffsetMask;
  if (start > length || bytes > length - start) return -EINVAL;
  const std::uint64_t memory = function_.bar_memory(bar);
  if (memory != 0) {
    out.spa = memory + start;
  } else {
    out.registers = std::make_shared<BarRegisters>(*this, bar);
    out.offset = start;
  }
  return 0;
}

}  // namespace iommusim::vfio
