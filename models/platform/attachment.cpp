// SPDX-License-Identifier: Apache-2.0
#include "platform/attachment.h"

#include "base/error.h"
#include "domain/errno_name.h"
#include "iommufd/device.h"
#include "platform/checks.h"
#include "platform/kernel.h"

namespace iommusim::platform {

void Attachment::open(Kernel& kernel, const std::string& name, const std::string& id_parameter,
                      const std::vector<base::DeviceId>& functions, const devices::AtcParams& atc) {
  group_ = kernel.join_program(functions.front().value);
  UserProgram& user = *group_->program;
  for (const base::DeviceId id : functions) {
    Function function;
    function.hardware = &kernel.add_device(id.value, id_parameter, atc);
    function.group = function.hardware->group().id;
    GroupProgram::Space& space = group_->spaces[function.group];
    int error = iommufd::device_bind(user.context(), *function.hardware, function.device);
    if (error == 0 && space.ioas == 0) error = -user.ioas_alloc(space.ioas);
    ++space.users;
    iommufd::ObjectId page_table = function.ioas = space.ioas;
    if (error == 0) error = iommufd::device_attach(user.context(), function.device, page_table);
    if (error != 0)
      throw ParameterError("devices." + name, std::string("cannot be attached: ") + domain::errno_name(error) +
                                                  ", expected an IOMMU with a first stage that the driver can use");
    functions_.push_back(function);
  }
}

void Attachment::close() {
  UserProgram& user = *group_->program;
  for (const Function& function : functions_) {
    base::ensure(iommufd::device_detach(user.context(), function.device) == 0, "the device cannot be detached");
    base::ensure(iommufd::device_unbind(user.context(), function.device) == 0, "the device cannot be unbound");
    if (--group_->spaces[function.group].users == 0)
      base::ensure(user.destroy(function.ioas) == 0, "an IOAS cannot be destroyed");
  }
  if (--group_->users == 0) base::ensure(user.pinned_pages() == 0, "pages are pinned after everything was unmapped");
  group_.reset();
}

}  // namespace iommusim::platform
