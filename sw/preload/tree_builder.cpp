// SPDX-License-Identifier: Apache-2.0
// The files, function by function. Links are relative, as those of sysfs are, so they stay inside the tree.
#include "preload/tree_builder.h"

#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace iommusim::preload {
namespace {

namespace fs = std::filesystem;

void put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  char line[128];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  return line;
}

void link(const fs::path& at, const std::string& target) {
  fs::create_directories(at.parent_path());
  fs::create_symlink(target, at);
}

// Where a BAR lies matters to nobody here: consecutive, aligned to its size, from 0xE0000000 on.
std::string resource_lines(const vfio::PciIdentity& identity, std::uint64_t& next) {
  std::string lines;
  for (const vfio::PciBar& bar : identity.bars) {
    if (bar.bytes == 0) {
      lines += text("0x%016x 0x%016x 0x%016x\n", 0, 0, 0);
      continue;
    }
    next = (next + bar.bytes - 1) / bar.bytes * bar.bytes;
    const unsigned flags = bar.io ? 0x40101 : 0x40200 | (bar.prefetchable ? 0x2000 : 0) | (bar.wide ? 0x100000 : 0);
    lines += text("0x%016lx 0x%016lx 0x%016x\n", static_cast<unsigned long>(next),
                  static_cast<unsigned long>(next + bar.bytes - 1), flags);
    next += bar.bytes;
  }
  for (int i = 6; i < 13; ++i) lines += text("0x%016x 0x%016x 0x%016x\n", 0, 0, 0);
  return lines;
}

// What configuration space begins with; programs read identity and header type from the file.
std::string config_bytes(const vfio::PciIdentity& identity) {
  std::string bytes(256, '\0');
  const auto set = [&](std::size_t at, unsigned value, unsigned count) {
    for (unsigned i = 0; i < count; ++i) bytes[at + i] = static_cast<char>(value >> 8 * i);
  };
  set(0, identity.vendor, 2);
  set(2, identity.device, 2);
  set(8, identity.revision, 1);
  set(9, identity.class_code, 3);
  set(0x2C, identity.subsystem_vendor, 2);
  set(0x2E, identity.subsystem_device, 2);
  set(0x3D, identity.interrupt_pin, 1);
  return bytes;
}

void build_function(const fs::path& root, const SlotDescription& slot, unsigned number, std::uint64_t& next_bar) {
  const vfio::PciIdentity& identity = slot.identity;
  const fs::path folder = root / "sys/devices/pci0000:00" / slot.address;
  fs::create_directories(folder);
  put(folder / "vendor", text("0x%04x\n", identity.vendor));
  put(folder / "device", text("0x%04x\n", identity.device));
  put(folder / "subsystem_vendor", text("0x%04x\n", identity.subsystem_vendor));
  put(folder / "subsystem_device", text("0x%04x\n", identity.subsystem_device));
  put(folder / "class", text("0x%06x\n", identity.class_code));
  put(folder / "revision", text("0x%02x\n", identity.revision));
  put(folder / "resource", resource_lines(identity, next_bar));
  put(folder / "config", config_bytes(identity));
  put(folder / "numa_node", "-1\n");
  put(folder / "local_cpus", "1\n");
  put(folder / "local_cpulist", "0\n");
  put(folder / "max_vfs", "0\n");
  put(folder / "irq", "0\n");
  put(folder / "enable", "1\n");
  put(folder / "driver_override", "vfio-pci\n");
  put(folder / "dma_mask_bits", "64\n");
  put(folder / "consistent_dma_mask_bits", "64\n");
  put(folder / "reset", "");
  put(folder / "remove", "");
  put(folder / "uevent",
      text("DRIVER=vfio-pci\nPCI_CLASS=%X\nPCI_ID=%04X:%04X\n", identity.class_code, identity.vendor, identity.device) +
          "PCI_SLOT_NAME=" + slot.address + "\n");
  link(folder / "subsystem", "../../../bus/pci");
  link(folder / "driver", "../../../bus/pci/drivers/vfio-pci");
  link(folder / "iommu_group", text("../../../kernel/iommu_groups/%u", slot.group));

  const std::string vfio = text("vfio%u", number);
  put(folder / "vfio-dev" / vfio / "dev", text("511:%u\n", number));
  put(folder / "vfio-dev" / vfio / "uevent",
      text("MAJOR=511\nMINOR=%u\nDEVNAME=vfio/devices/vfio%u\n", number, number));
  link(folder / "vfio-dev" / vfio / "device", "../../../" + slot.address);
  link(folder / "vfio-dev" / vfio / "subsystem", "../../../../../class/vfio-dev");
  link(root / "sys/class/vfio-dev" / vfio, "../../devices/pci0000:00/" + slot.address + "/vfio-dev/" + vfio);

  link(root / "sys/bus/pci/devices" / slot.address, "../../../devices/pci0000:00/" + slot.address);
  link(root / "sys/bus/pci/drivers/vfio-pci" / slot.address, "../../../../devices/pci0000:00/" + slot.address);
  const fs::path group = root / "sys/kernel/iommu_groups" / std::to_string(slot.group);
  link(group / "devices" / slot.address, "../../../../devices/pci0000:00/" + slot.address);
  put(group / "type", "DMA\n");
  put(group / "name", "");
  put(root / "dev/vfio/devices" / vfio, "");
  put(root / "dev/vfio" / std::to_string(slot.group), "");
}

}  // namespace

void build_tree(const std::string& root, const std::vector<SlotDescription>& slots) {
  const fs::path top = root;
  put(top / "dev/iommu", "");
  put(top / "dev/vfio/vfio", "");
  fs::create_directories(top / "dev/vfio/devices");
  const fs::path driver = top / "sys/bus/pci/drivers/vfio-pci";
  for (const char* const name : {"bind", "unbind", "new_id", "remove_id"}) put(driver / name, "");
  for (const char* const name : {"rescan", "drivers_probe", "drivers_autoprobe"})
    put(top / "sys/bus/pci" / name, "1\n");
  fs::create_directories(top / "sys/bus/pci/devices");
  fs::create_directories(top / "sys/kernel/iommu_groups");
  put(top / "sys/module/vfio_pci/parameters/disable_idle_d3", "N\n");
  put(top / "sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n");
  put(top / "sys/module/vfio_iommu_type1/parameters/dma_entry_limit", "65535\n");
  link(driver / "module", "../../../../module/vfio_pci");
  std::uint64_t next_bar = 0xE0000000;
  for (std::size_t i = 0; i < slots.size(); ++i) build_function(top, slots[i], static_cast<unsigned>(i), next_bar);
}

}  // namespace iommusim::preload
