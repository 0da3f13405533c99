// SPDX-License-Identifier: Apache-2.0
#include "params/tree.h"

#include <algorithm>

namespace iommusim::params {

namespace {

/// `AnyTree` is Tree or const Tree.
template <class AnyTree>
AnyTree* find_in(AnyTree& tree, std::string_view key) {
  for (auto& entry : tree.entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

Tree load_value(const std::string& text, const base::SourcePosition& position) {
  try {
    return load_yaml_text(text, "");
  } catch (const base::InputError& error) {  // its line and column mean nothing to the user here
    throw base::InputError(position, error.what());
  }
}

void move_all_to(Tree& tree, const base::SourcePosition& position) {
  tree.position = position;
  for (Tree& item : tree.items) move_all_to(item, position);
  for (Tree::Entry& entry : tree.entries) {
    entry.position = position;
    move_all_to(entry.value, position);
  }
}

void merge(Tree& into, Tree from) {
  if (into.kind != Tree::Kind::kMap || from.kind != Tree::Kind::kMap) {
    into = std::move(from);
    return;
  }
  for (Tree::Entry& entry : from.entries) {
    if (Tree* old = find_in(into, entry.key))
      merge(*old, std::move(entry.value));
    else
      into.entries.push_back(std::move(entry));
  }
}

}  // namespace

void merge_under(Tree& tree, const Tree& defaults) {
  if (tree.kind == Tree::Kind::kNull) {
    tree = defaults;
    return;
  }
  if (tree.kind != Tree::Kind::kMap || defaults.kind != Tree::Kind::kMap) return;
  for (const Tree::Entry& entry : defaults.entries) {
    if (Tree* const own = find_in(tree, entry.key))
      merge_under(*own, entry.value);
    else
      tree.entries.push_back(entry);
  }
}

const Tree* Tree::find(std::string_view key) const { return find_in(*this, key); }

base::SourcePosition position_of(const Tree& tree, std::string_view path, const std::string& file) {
  base::SourcePosition position{file, 1, 1};
  for (const Tree* at = &tree; !path.empty();) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    at = at->find(path.substr(0, dot));
    if (at == nullptr) break;
    position = at->position;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return position;
}

void apply_set(Tree& tree, const std::string& assignment) {
  const base::SourcePosition position{"--set " + assignment, 0, 0};
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) throw base::InputError(position, "expected path=value");

  Tree value = load_value(assignment.substr(equals + 1), position);
  if (equals + 1 == assignment.size()) value.kind = Tree::Kind::kScalar;  // "path=" sets an empty text
  move_all_to(value, position);

  std::string_view path = std::string_view(assignment).substr(0, equals);
  Tree* at = &tree;
  for (bool more = true; more;) {
    const std::size_t dot = path.find('.');
    const std::string key(path.substr(0, dot));
    if (key.empty()) throw base::InputError(position, "expected names separated by dots before '='");
    more = dot != std::string_view::npos;
    if (more) path.remove_prefix(dot + 1);
    if (at->kind == Tree::Kind::kNull) {
      at->kind = Tree::Kind::kMap;
      at->position = position;
    }
    if (at->kind != Tree::Kind::kMap)
      throw base::InputError(position, "there is no '" + key +
                                           "' to set: the file has no map of parameters above it (" +
                                           base::to_prefix(at->position) + "found here)");
    Tree* next = find_in(*at, key);
    if (next == nullptr) {
      at->entries.push_back({key, position, Tree{}});
      next = &at->entries.back().value;
      next->position = position;
    }
    at = next;
  }
  merge(*at, std::move(value));
}

}  // namespace iommusim::params
