// SPDX-License-Identifier: Apache-2.0
// The tree that is built is the one that paths are rewritten to.
#include "preload/tree.h"

#include <filesystem>
#include <fstream>

#include "preload/tree_builder.h"

namespace iommusim::preload {
namespace {

namespace fs = std::filesystem;

struct TreeTest : ::testing::Test {
  TreeTest() {
    std::string name = (fs::temp_directory_path() / "iommusim-tree-XXXXXX").string();
    root = mkdtemp(name.data());
    SlotDescription slot;
    slot.address = "0000:00:04.0";
    slot.identity.vendor = 0x1234;
    slot.identity.device = 0x11E9;
    slot.identity.bars[0].bytes = 4096;
    slot.group = 7;
    build_tree(root, {slot});
  }
  ~TreeTest() override { fs::remove_all(root); }
  std::string read(const std::string& path) const {
    std::ifstream file(root + path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string redirected(const Tree& tree, const char* path) const {
    char buffer[4096];
    return tree.redirect(path, buffer);
  }

  std::string root;
};

TEST_F(TreeTest, HasWhatClientsLookFor) {
  const std::string device = "/sys/bus/pci/devices/0000:00:04.0";
  EXPECT_EQ(read(device + "/vendor"), "0x1234\n");
  EXPECT_EQ(read(device + "/vfio-dev/vfio0/dev"), "511:0\n");
  EXPECT_EQ(fs::canonical(root + device + "/driver"), root + "/sys/bus/pci/drivers/vfio-pci");
  EXPECT_EQ(fs::canonical(root + device + "/iommu_group").filename(), "7");
  EXPECT_EQ(fs::canonical(root + "/sys/kernel/iommu_groups/7/devices/0000:00:04.0"), fs::canonical(root + device));
  EXPECT_EQ(fs::canonical(root + "/sys/class/vfio-dev/vfio0/device"), fs::canonical(root + device));
  EXPECT_EQ(read(device + "/resource").substr(0, 38), "0x00000000e0000000 0x00000000e0000fff ");
}

TEST_F(TreeTest, RewritesItsOwnPathsOnly) {
  const Tree tree(root);
  EXPECT_EQ(redirected(tree, "/dev/vfio/devices/vfio0"), root + "/dev/vfio/devices/vfio0");
  EXPECT_EQ(redirected(tree, "/sys//bus/./pci/devices"), root + "/sys/bus/pci/devices");
  for (const char* const path : {"/dev/iommufd", "/dev/null", "/sys/bus/pcix", "dev/iommu", "/"})
    EXPECT_EQ(redirected(tree, path), path);
  std::string inside = root + "/dev/iommu";
  inside.resize(tree.strip(inside.data(), inside.size()));
  EXPECT_EQ(inside, "/dev/iommu");
  EXPECT_EQ(redirected(Tree(""), "/dev/iommu"), "/dev/iommu");
}

TEST_F(TreeTest, KnowsItsNodes) {
  const Tree tree(root);
  struct stat status {};
  ASSERT_EQ(stat((root + "/dev/vfio/7").c_str(), &status), 0);
  const Node* const group = tree.find_node(status);
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->kind, NodeKind::kGroup);
  EXPECT_EQ(group->number, 7U);
  ASSERT_EQ(stat((root + "/sys/bus/pci/rescan").c_str(), &status), 0);
  EXPECT_EQ(tree.find_node(status), nullptr);
  EXPECT_EQ(tree.nodes().size(), 4U);
}

}  // namespace
}  // namespace iommusim::preload
