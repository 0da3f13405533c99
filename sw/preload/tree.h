// SPDX-License-Identifier: Apache-2.0
// The tree of files that `iommusim exec` makes before the program starts: sysfs as clients of VFIO look for it, and a
// placeholder for each device node. It is real, so listing, links and reading need no emulation: paths that lead to it
// are rewritten on the way in, and found again in answers on the way out.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

namespace iommusim::preload {

enum class NodeKind { kIommu, kContainer, kGroup, kDevice };

/// A device node that the tree has a placeholder for.
struct Node {
  NodeKind kind = NodeKind::kIommu;
  unsigned number = 0;  ///< of the group or device
  std::string path;     ///< as the program knows it
  std::uint64_t inode = 0;
  std::uint64_t device_number = 0;  ///< st_rdev
};

class Tree {
 public:
  /// `root`: where the tree is; empty: there is none, nothing is rewritten.
  explicit Tree(std::string root);

  bool present() const { return !root_.empty(); }
  /// The path that stands for `path` (which it may be), written to `buffer` if need be.
  const char* redirect(const char* path, char (&buffer)[4096]) const;
  /// The program's name of a path; `text` need not end in 0. The length now: the root is cut off in place.
  std::size_t strip(char* text, std::size_t length) const;
  /// The node whose placeholder this is; nullptr: none.
  const Node* find_node(std::uint64_t device, std::uint64_t inode) const;
  const Node* find_node(const struct stat& status) const { return find_node(status.st_dev, status.st_ino); }
  const std::vector<Node>& nodes() const { return nodes_; }

 private:
  void add_nodes();
  void add_node(NodeKind kind, unsigned number, const std::string& path);

  std::string root_;
  std::uint64_t device_ = 0;  // that the tree lies on
  std::vector<Node> nodes_;
  std::vector<std::string> prefixes_;
};

}  // namespace iommusim::preload
