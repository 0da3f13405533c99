// SPDX-License-Identifier: Apache-2.0
// A system as its file says it, with `--set` and `--seed` on top. It remembers where each parameter stands: whatever is
// found wrong with one, now or while the system runs, is told with that place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "params/tree.h"
#include "platform/checks.h"

namespace iommusim::platform {

/// A system that stands in no file.
struct SystemText {
  std::string name;  ///< for messages
  std::string yaml;
};

class SystemFile {
 public:
  /// Reads the file, applies `sets` (path=value) and the seed, resolves the paths of traces against the file's folder,
  /// and checks. InputError with the place of what is wrong.
  SystemFile(const std::string& path, const std::vector<std::string>& sets, std::optional<std::uint64_t> seed);

  SystemFile(const SystemText& text, const std::vector<std::string>& sets, std::optional<std::uint64_t> seed);

  const SystemParams& params() const { return params_; }

  /// body(); a ParameterError that leaves it gets its place.
  template <class Body>
  auto located(Body&& body) const {
    try {
      return body();
    } catch (const ParameterError& error) {
      throw base::InputError(params::position_of(tree_, error.path(), path_), error.what());
    }
  }

 private:
  void read(const std::vector<std::string>& sets, std::optional<std::uint64_t> seed);

  std::string path_;
  params::Tree tree_;
  SystemParams params_;
};

}  // namespace iommusim::platform
