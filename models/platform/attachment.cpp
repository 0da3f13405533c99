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
  program_ = kernel.start_program();
  for (const base::DeviceId id : functions) {
    Function function;
    function.hardware = &kernel.add_device(id.value, id_parameter, atc);
    int error = iommufd::device_bind(program_->context(), *function.hardware, function.device);
    if (error == 0) error = -program_->ioas_alloc(function.ioas);
    iommufd::ObjectId page_table = function.ioas;
    if (error == 0) error = iommufd::device_attach(program_->context(), function.device, page_table);
    if (error != 0)
      throw ParameterError("devices." + name, std::string("cannot be attached: ") + domain::errno_name(error) +
                                                  ", expected an IOMMU with a first stage that the driver can use");
    functions_.push_back(function);
  }
}

void Attachment::close() {
  for (const Function& function : functions_) {
    base::ensure(iommufd::device_detach(program_->context(), function.device) == 0, "the device cannot be detached");
    base::ensure(iommufd::device_unbind(program_->context(), function.device) == 0, "the device cannot be unbound");
    base::ensure(program_->destroy(function.ioas) == 0, "an IOAS cannot be destroyed");
  }
  base::ensure(program_->pinned_pages() == 0, "pages are pinned after everything was unmapped");
  program_.reset();
}

}  // namespace iommusim::platform
