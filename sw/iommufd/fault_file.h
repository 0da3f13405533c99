// SPDX-License-Identifier: Apache-2.0
// The descriptor of a fault queue (uapi 6.1). While it is open the object cannot be destroyed, and its context lives
// on even if the program closed that (R9.6).
#pragma once

#include <memory>

#include "hal/file.h"
#include "iommufd/context.h"
#include "iommufd/fault.h"

namespace iommusim::iommufd {

class FaultFile final : public hal::File {
 public:
  FaultFile(std::shared_ptr<Context> context, Fault& fault)
      : File("anon_inode:[iommufd-pgfault]", hal::Pollable::kReadableWritable),
        context_(std::move(context)),
        fault_(context_->objects().add_users(fault)) {
    fault_->set_file(this);
  }
  ~FaultFile() override { fault_->set_file(nullptr); }

  std::int64_t read(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes,
                    std::uint64_t& position) override {
    return position != 0 ? -ESPIPE : fault_->read(caller, user_va, bytes);
  }
  std::int64_t write(hal::Process& caller, std::uint64_t user_va, std::uint64_t bytes,
                     std::uint64_t& position) override {
    return position != 0 ? -ESPIPE : fault_->write(caller, user_va, bytes);
  }
  void tell(bool readable) { set_readable(readable); }

 private:
  const std::shared_ptr<Context> context_;
  UsersRef<Fault> fault_;  // ends first
};

}  // namespace iommusim::iommufd
