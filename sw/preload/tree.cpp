// SPDX-License-Identifier: Apache-2.0
// Rewriting of paths.
#include "preload/tree.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "preload/system_calls.h"

namespace iommusim::preload {
namespace {

// What a machine without such a part does not have is the host's.
constexpr const char* kPrefixes[] = {"/dev/iommu",
                                     "/dev/vfio",
                                     "/sys/bus/pci",
                                     "/sys/kernel/iommu_groups",
                                     "/sys/class/iommu",
                                     "/sys/class/vfio",
                                     "/sys/class/vfio-dev",
                                     "/sys/devices/pci0000:00",
                                     "/sys/module/vfio",
                                     "/sys/module/vfio_pci",
                                     "/sys/module/vfio_iommu_type1"};
constexpr unsigned kMiscMajor = 10, kVfioMajor = 511, kGroupMajor = 510;

// Without doubled slashes and "." components: programs glue paths together.
bool tidy(const char* path, char (&out)[4096]) {
  std::size_t n = 0;
  for (const char* at = path; *at;) {
    if (at[0] == '/' && at[1] == '/') {
      ++at;
    } else if (at[0] == '/' && at[1] == '.' && (at[2] == '/' || at[2] == 0)) {
      at += 2;
    } else {
      if (n + 1 >= sizeof out) return false;
      out[n++] = *at++;
    }
  }
  out[n] = 0;
  return true;
}

bool stat_of(const std::string& path, struct stat& out) {
  return sys::call(SYS_newfstatat, AT_FDCWD, path.c_str(), &out, 0) == 0;
}

}  // namespace

Tree::Tree(std::string root) : root_(std::move(root)) {
  struct stat status {};
  if (root_.empty() || !stat_of(root_, status)) {
    root_.clear();
    return;
  }
  device_ = status.st_dev;
  for (const char* const prefix : kPrefixes)
    if (stat_of(root_ + prefix, status) || std::strncmp(prefix, "/dev/", 5) == 0) prefixes_.emplace_back(prefix);
  add_nodes();
}

void Tree::add_node(NodeKind kind, unsigned number, const std::string& path) {
  struct stat status {};
  if (!stat_of(root_ + path, status)) return;
  std::uint64_t device_number = makedev(kMiscMajor, kind == NodeKind::kIommu ? 126 : 196);
  if (kind == NodeKind::kGroup) device_number = makedev(kGroupMajor, number);
  if (kind == NodeKind::kDevice) device_number = makedev(kVfioMajor, number);
  nodes_.push_back(Node{kind, number, path, status.st_ino, device_number});
}

void Tree::add_nodes() {
  add_node(NodeKind::kIommu, 0, "/dev/iommu");
  add_node(NodeKind::kContainer, 0, "/dev/vfio/vfio");
  for (unsigned number = 0; number < 256; ++number) {
    add_node(NodeKind::kGroup, number, "/dev/vfio/" + std::to_string(number));
    add_node(NodeKind::kDevice, number, "/dev/vfio/devices/vfio" + std::to_string(number));
  }
}

const char* Tree::redirect(const char* path, char (&buffer)[4096]) const {
  if (!present() || !path || path[0] != '/') return path;
  char clean[4096];
  if (!tidy(path, clean)) return path;
  for (const std::string& prefix : prefixes_) {
    if (std::strncmp(clean, prefix.c_str(), prefix.size()) != 0) continue;
    const char next = clean[prefix.size()];
    if (next != 0 && next != '/') continue;
    if (root_.size() + std::strlen(clean) >= sizeof buffer) return path;
    std::strcpy(buffer, root_.c_str());
    std::strcat(buffer, clean);
    return buffer;
  }
  return path;
}

std::size_t Tree::strip(char* text, std::size_t length) const {
  if (!present() || length < root_.size() || std::memcmp(text, root_.data(), root_.size()) != 0) return length;
  std::memmove(text, text + root_.size(), length - root_.size());
  return length - root_.size();
}

const Node* Tree::find_node(std::uint64_t device, std::uint64_t inode) const {
  if (!present() || device != device_) return nullptr;
  const auto found = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& node) { return node.inode == inode; });
  return found == nodes_.end() ? nullptr : &*found;
}

}  // namespace iommusim::preload
