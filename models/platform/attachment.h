// SPDX-License-Identifier: Apache-2.0
// A user program with functions of a device, each attached to an IOAS of its own: the way from a bound device to one
// whose DMA is translated, and back. Functions that software cannot keep apart (one isolation group) share an IOAS, and
// devices of such functions a program.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/types.h"
#include "devices/atc_params.h"
#include "platform/user_program.h"

namespace iommusim::platform {

class Kernel;

struct GroupProgram {
  struct Space {
    std::uint32_t ioas = 0;  ///< 0: not made yet
    unsigned users = 0;
  };
  std::unique_ptr<UserProgram> program;
  std::map<std::uint32_t, Space> spaces;  ///< by group
  unsigned users = 0;                     ///< attachments
};

class Attachment {
 public:
  /// `name` of the device and `id_parameter`, that of its address, are for objections. ParameterError.
  void open(Kernel& kernel, const std::string& name, const std::string& id_parameter,
            const std::vector<base::DeviceId>& functions, const devices::AtcParams& atc = {});
  /// Nothing may be mapped any more but what the program does not care for. Detaches and closes.
  void close();

  UserProgram& program() { return *group_->program; }
  std::size_t size() const { return functions_.size(); }
  std::uint32_t ioas(std::size_t function = 0) const { return functions_[function].ioas; }
  domain::Device& hardware(std::size_t function = 0) const { return *functions_[function].hardware; }

 private:
  struct Function {
    domain::Device* hardware = nullptr;
    std::uint32_t device = 0;  ///< iommufd ids
    std::uint32_t ioas = 0;
    std::uint32_t group = 0;
  };
  std::shared_ptr<GroupProgram> group_;
  std::vector<Function> functions_;
};

}  // namespace iommusim::platform
