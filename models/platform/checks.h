// SPDX-License-Identifier: Apache-2.0
// What is wrong with parameters that are each in range: they contradict one another, or name what does not exist. Such
// an objection names the parameter, so that whoever has the file can tell the line (system_file.h).
#pragma once

#include <string>

#include "base/error.h"
#include "platform/params.h"

namespace iommusim::platform {

class ParameterError : public base::InputError {
 public:
  /// `what` says what is wrong and what was expected.
  ParameterError(const std::string& path, const std::string& what)
      : base::InputError(path + ": " + what), path_(path) {}
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// ParameterError for the first that is wrong.
void check(const SystemParams& params);

}  // namespace iommusim::platform
