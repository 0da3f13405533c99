// SPDX-License-Identifier: Apache-2.0
#include "platform/exec/exec_options.h"

#include "platform/preset_files.h"

namespace iommusim::platform {

ExecOptions::ExecOptions(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    if (name == "system")
      system = value;
    else if (name == "set")
      sets.push_back(value);
    else if (name == "seed")
      seed = std::stoull(value);
    else if (name == "output")
      output = value;
    else if (name == "ioctl_log")
      ioctl_log = value;
    else
      throw base::InputError(argument +
                             ": no such argument of the machine, expected system, set, seed, output or "
                             "ioctl_log");
  }
  file = system.empty() ? std::make_unique<SystemFile>(SystemText{"exec.yaml", kExecSystem}, sets, seed)
                        : std::make_unique<SystemFile>(system, sets, seed);
  if (ioctl_log.empty() && !output.empty()) ioctl_log = output + "/ioctls.log";
}

std::vector<ExecSlot> ExecOptions::slots() const {
  return file->located([this] { return exec_slots(params()); });
}

}  // namespace iommusim::platform
