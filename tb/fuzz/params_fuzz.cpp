// SPDX-License-Identifier: Apache-2.0
// Any text as a system file and any --set: refused with a message, or taken, and then written out and read back to the
// same parameters. Input: the file up to the first NUL, then one assignment a line.
#include <sstream>

#include "base/error.h"
#include "example.h"
#include "params/assign.h"
#include "params/echo.h"
#include "params/tree.h"
#include "spec/parameters.h"
#include "timing/params.h"

namespace base = iommusim::base;
namespace params = iommusim::params;

namespace {

/// What a system file holds, and a group with a field of every kind.
struct Whole {
  iommusim::timing::EngineParams iommu{};
  iommusim::spec::Implementation implementation{};
  params::example::System example{};

  template <class V>
  static constexpr void describe(V&& v) {
    v.group("iommu", &Whole::iommu, "micro-architecture");
    v.group("implementation", &Whole::implementation, "capabilities");
    v.group("example", &Whole::example, "a field of every kind");
  }
};

Whole read(const std::string& text, const std::vector<std::string>& sets) {
  params::Tree tree = params::load_yaml_text(text, "input");
  for (const std::string& set : sets) params::apply_set(tree, set);
  Whole whole;
  params::assign(whole, tree);
  return whole;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxSets = 20;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = bytes.find('\0');
  std::vector<std::string> sets;
  if (end != std::string::npos) {
    std::istringstream lines(bytes.substr(end + 1));
    for (std::string line; sets.size() < kMaxSets && std::getline(lines, line);) sets.push_back(line);
  }
  try {
    const std::string written = params::to_yaml(read(bytes.substr(0, end), sets));
    base::ensure(params::to_yaml(read(written, {})) == written, "parameters read differently after being written");
  } catch (const base::InputError& error) {
    const std::string what = error.what();
    base::ensure(what.compare(0, 5, "input") == 0 || what.compare(0, 5, "--set") == 0, "a refusal without a place");
  }
  return 0;
}
