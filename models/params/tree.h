// SPDX-License-Identifier: Apache-2.0
// A tree of values as the user wrote them, each with its place in the file. The YAML library ends here: everything
// above sees this tree only. Keys are unique within a map.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace iommusim::params {

struct Tree {
  enum class Kind { kNull, kScalar, kMap, kList };
  struct Entry;

  Kind kind = Kind::kNull;
  std::string scalar;          ///< kScalar: the text without quotes
  std::vector<Entry> entries;  ///< kMap, in file order
  std::vector<Tree> items;     ///< kList
  base::SourcePosition position;

  /// The value of that key, or nullptr.
  const Tree* find(std::string_view key) const;
};

struct Tree::Entry {
  std::string key;
  base::SourcePosition position;
  Tree value;
};

/// Throws base::InputError with file, line and column for whatever is not one YAML document of plain maps, lists and
/// scalars with unique keys. An empty document is a kNull tree.
Tree load_yaml_file(const std::string& path);
/// `name` stands for the file in messages.
Tree load_yaml_text(const std::string& text, const std::string& name);

/// Where the user wrote the value of that dotted path, or the innermost group around it that the tree has; the first
/// line of `file` when it has none.
base::SourcePosition position_of(const Tree& tree, std::string_view path, const std::string& file);

/// `--set a.b.c=value`: puts the value (a YAML scalar, list or map) at that path; maps are merged, all else replaced.
/// The position of what is put is "--set a.b.c=value". Whether the path exists is found out by assign().
void apply_set(Tree& tree, const std::string& assignment);

/// Adds what `tree` does not say from `defaults`, key by key; what it says stays.
void merge_under(Tree& tree, const Tree& defaults);

}  // namespace iommusim::params
