// SPDX-License-Identifier: Apache-2.0
// FAULT_QUEUE_ALLOC (uapi 6.1).
#include <cerrno>

#include "iommufd/call.h"
#include "iommufd/fault_file.h"
#include "iommufd/handlers.h"

namespace iommusim::iommufd {

int handle(Call& call, uapi::IommuFaultQueueAlloc& argument) {
  if (argument.flags != 0) return EOPNOTSUPP;
  Context& context = call.context();
  Fault& fault = call.create(std::make_unique<Fault>(context.os()));
  argument.out_fault_id = fault.id();
  return call.open(std::make_shared<FaultFile>(context.shared_from_this(), fault), argument.out_fault_fd);
}

}  // namespace iommusim::iommufd
