// SPDX-License-Identifier: Apache-2.0
// The only file that knows the YAML library. It listens to the parser's events instead of loading a document, because
// the library's document tree keeps neither duplicate keys nor the place of a key.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "params/tree.h"

namespace iommusim::params {

namespace {

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string file) : file_(std::move(file)) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw base::InputError(at(mark), "a second document begins; expected one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { put(mark, "?", anchor, Tree::Kind::kNull, {}); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { refuse_anchor(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    put(mark, tag, anchor, Tree::Kind::kScalar, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    put(mark, tag, anchor, Tree::Kind::kList, {});
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    put(mark, tag, anchor, Tree::Kind::kMap, {});
  }
  void OnMapEnd() override { open_.pop_back(); }

  base::SourcePosition at(const YAML::Mark& mark) const {
    return mark.is_null() ? base::SourcePosition{file_, 0, 0}
                          : base::SourcePosition{file_, static_cast<std::uint32_t>(mark.line + 1),
                                                 static_cast<std::uint32_t>(mark.column + 1)};
  }
  Tree take() { return std::move(root_); }

 private:
  /// A map or list whose end has not come; `awaits_value`: the last entry of a map has its key only.
  struct Open {
    Tree* tree;
    bool awaits_value;
  };

  [[noreturn]] void refuse_anchor(const YAML::Mark& mark) const {
    throw base::InputError(at(mark), "anchors and aliases are not supported; write the value itself");
  }
  void put(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Tree::Kind kind,
           const std::string& scalar) {
    if (anchor != YAML::NullAnchor) refuse_anchor(mark);
    if (!tag.empty() && tag != "?" && tag != "!")  // those two: plain and quoted, no tag written
      throw base::InputError(at(mark), "the tag '" + tag + "' is not supported");
    Tree* node = &root_;
    if (!open_.empty()) {
      Open& open = open_.back();
      if (open.tree->kind == Tree::Kind::kMap && !open.awaits_value) {
        add_key(mark, kind, scalar, *open.tree);
        open.awaits_value = true;
        return;
      }
      open.awaits_value = false;
      if (open.tree->kind == Tree::Kind::kMap)
        node = &open.tree->entries.back().value;
      else
        node = &open.tree->items.emplace_back();
    }
    node->kind = kind;
    node->scalar = scalar;
    node->position = at(mark);
    if (kind == Tree::Kind::kMap || kind == Tree::Kind::kList) open_.push_back({node, false});
  }
  void add_key(const YAML::Mark& mark, Tree::Kind kind, const std::string& key, Tree& map) const {
    if (kind == Tree::Kind::kNull) throw base::InputError(at(mark), "expected a name as key, found nothing");
    if (kind != Tree::Kind::kScalar)  // what the library makes of a bracket without its end
      throw base::InputError(at(mark), "expected a name as key, found a list or map; is a bracket not closed?");
    for (const Tree::Entry& entry : map.entries)
      if (entry.key == key)
        throw base::InputError(
            at(mark), "duplicate key '" + key + "'; the first is in line " + std::to_string(entry.position.line));
    map.entries.push_back({key, at(mark), Tree{}});
  }

  std::string file_;
  int documents_ = 0;
  Tree root_;
  std::vector<Open> open_;
};

}  // namespace

Tree load_yaml_text(const std::string& text, const std::string& name) {
  TreeBuilder builder(name);
  std::istringstream in(text);
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    throw base::InputError(builder.at(error.mark), "not valid YAML: " + error.msg);
  }
  return builder.take();
}

Tree load_yaml_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in && in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();  // << of nothing would count as failed
  if (in.bad() || !in.is_open() || !text)
    throw base::InputError({path, 0, 0}, std::string("cannot read the file: ") + std::strerror(errno));
  return load_yaml_text(text.str(), path);
}

}  // namespace iommusim::params
