// SPDX-License-Identifier: Apache-2.0
// The place for an ATC between the DMA socket of a function and the bus: there is one if the parameters say so.
// Software switches it on when the IOMMU's driver granted ATS, and off before the device is detached (IOMMU 6.6).
#pragma once

#include <memory>
#include <string>

#include "devices/atc.h"
#include "domain/domain.h"

namespace iommusim::platform {

class AtcSlot {
 public:
  /// `name` is that of the function.
  AtcSlot(const std::string& name, const devices::AtcParams& params, base::DeviceId function, std::uint64_t seed,
          bus::InitiatorSocket& device, stats::Group& parent)
      : device_(device) {
    if (!params.present) return;
    atc_ = std::make_unique<devices::Atc>((name + "_atc").c_str(), params, function, seed, parent);
    device.bind(atc_->device());
  }

  /// What is bound to the bus.
  bus::InitiatorSocket& socket() { return atc_ ? atc_->to_bus() : device_; }
  void enable(const domain::Device& device) {
    if (atc_) atc_->enable(device.capable(domain::Capability::kAts), device.capable(domain::Capability::kPageRequests));
  }
  void enable(bool ats, bool pri) {
    if (atc_) atc_->enable(ats, pri);
  }
  /// The function must be idle.
  void disable() {
    if (!atc_) return;
    base::ensure(atc_->idle(), "an ATC is not idle after its device ended");
    atc_->enable(false, false);
  }
  void tell(devices::AtcListener* listener) {
    if (atc_) atc_->tell(listener);
  }
  const devices::Atc* atc() const { return atc_.get(); }

 private:
  bus::InitiatorSocket& device_;
  std::unique_ptr<devices::Atc> atc_;
};

}  // namespace iommusim::platform
