// SPDX-License-Identifier: Apache-2.0
#include "params/assign.h"

#include "params/quantity.h"
#include "params/value.h"

namespace iommusim::params {

namespace {

const char* kind_in_words(Tree::Kind kind) {
  switch (kind) {
    case Tree::Kind::kNull:
      return "nothing";
    case Tree::Kind::kScalar:
      return "a single value";
    case Tree::Kind::kMap:
      return "a map";
    case Tree::Kind::kList:
      return "a list";
  }
  return "?";
}

/// Puts one node into the slot of one field.
class Assigner {
 public:
  Assigner(const Field& field, const Tree& tree, const std::string& path) : field_(field), tree_(tree), path_(path) {}

  void operator()(bool* out) const {
    const std::string& text = scalar("true or false");
    if (text != "true" && text != "false") fail("'" + text + "' is not a truth value; expected true or false");
    *out = text == "true";
  }
  void operator()(std::uint32_t* out) const { integer(*out); }
  void operator()(std::uint64_t* out) const { integer(*out); }
  void operator()(std::int64_t* out) const { integer(*out); }
  void operator()(double* out) const { real(*out); }
  void operator()(std::string* out) const { *out = scalar("text (\"\" for none)"); }
  void operator()(const ChoiceSlot& slot) const {
    std::vector<std::string> names;
    std::string all;
    for (const ChoiceRow& row : slot.rows) {
      names.emplace_back(row.name);
      all += (all.empty() ? "" : ", ") + names.back();
    }
    const std::string& text = scalar("one of " + all);
    for (const ChoiceRow& row : slot.rows) {
      if (text != row.name) continue;
      slot.store(slot.value, row.value);
      return;
    }
    fail("unknown choice '" + text + "'; did you mean '" + base::nearest_name(text, names) + "'? (" + all + ")");
  }
  void operator()(const GroupSlot& slot) const { assign_fields(slot.fields, tree_, path_); }
  void operator()(const MapSlot& slot) const {
    if (tree_.kind == Tree::Kind::kNull) return;
    need(Tree::Kind::kMap, "a map of names");
    for (const Tree::Entry& entry : tree_.entries) {
      if (!is_name(entry.key))
        throw base::InputError(entry.position, "'" + entry.key + "' in " + path_ +
                                                   " is not a name; expected letters, digits, '_' and '-'");
      assign_fields(slot.element(entry.key), entry.value, join_path(path_, entry.key));
    }
  }
  template <class T>
  void operator()(std::vector<T>* out) const {
    need(Tree::Kind::kList, "a list");
    std::vector<T> values;
    for (std::size_t i = 0; i < tree_.items.size(); ++i) {
      T value{};
      const std::string path = path_ + '[' + std::to_string(i) + ']';
      Assigner(field_, tree_.items[i], path)(&value);
      values.push_back(std::move(value));
    }
    *out = std::move(values);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw base::InputError(tree_.position, path_ + ": " + what); }
  void need(Tree::Kind kind, const std::string& expected) const {
    if (tree_.kind != kind) fail("expected " + expected + ", found " + kind_in_words(tree_.kind));
  }
  const std::string& scalar(const std::string& expected) const {
    need(Tree::Kind::kScalar, expected);
    return tree_.scalar;
  }
  [[noreturn]] void out_of_range(const std::string& value) const {
    const char* unit = base::unit_name(field_.unit);
    fail(value + " is out of range; expected " + range_text(field_) + " (" + unit + ")");
  }
  template <class T>
  void integer(T& out) const {
    const IntegerQuantity parsed = parse_integer(scalar("a number"), field_.unit);
    if (!parsed.error.empty()) fail(parsed.error);
    const Range range = effective_range(field_);
    if (parsed.value < range.lowest || parsed.value > range.highest) out_of_range(to_string(parsed.value));
    out = static_cast<T>(parsed.value);
  }
  void real(double& out) const {
    const RealQuantity parsed = parse_real(scalar("a number"), field_.unit);
    if (!parsed.error.empty()) fail(parsed.error);
    if (!(parsed.value >= field_.range.lowest_real && parsed.value <= field_.range.highest_real))
      out_of_range(to_string(parsed.value));
    out = parsed.value;
  }

  const Field& field_;
  const Tree& tree_;
  const std::string& path_;
};

}  // namespace

void assign_fields(const std::vector<Field>& fields, const Tree& tree, const std::string& path) {
  if (tree.kind == Tree::Kind::kNull) return;
  const std::string where = path.empty() ? "the top level" : path;
  if (tree.kind != Tree::Kind::kMap)
    throw base::InputError(tree.position, where + ": expected a map of parameters, found " + kind_in_words(tree.kind));
  for (const Tree::Entry& entry : tree.entries) {
    const Field* found = nullptr;
    std::vector<std::string> names;
    for (const Field& field : fields) {
      names.emplace_back(field.name);
      if (entry.key == field.name) found = &field;
    }
    if (found == nullptr)
      throw base::InputError(entry.position,
                             "unknown key '" + entry.key + "' in " + where +
                                 (names.empty() ? std::string("; it has no parameters")
                                                : "; did you mean '" + base::nearest_name(entry.key, names) + "'?"));
    const std::string inner = join_path(path, entry.key);
    std::visit(Assigner(*found, entry.value, inner), found->slot);
  }
}

}  // namespace iommusim::params
