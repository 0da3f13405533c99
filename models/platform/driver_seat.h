// SPDX-License-Identifier: Apache-2.0
// Where the driver of a device with rings runs: a user program over iommufd, or the kernel over the DMA API. It gives
// the driver registers, interrupts, memory and mappings, and takes all of it back.
#pragma once

#include <memory>
#include <string>

#include "devices/register_port.h"
#include "dma/dma_domain.h"
#include "hal_systemc/systemc_interrupts.h"
#include "hal_systemc/tlm_mmio.h"
#include "platform/attachment.h"
#include "platform/driver_params.h"
#include "platform/params.h"

namespace iommusim::platform {

class DriverSeat final : public devices::InterruptSink {
 public:
  /// `vectors` that the device raises. Its memory begins at `buffer` among the buffers of all programs.
  DriverSeat(const std::string& name, const DriverParams& params, const SystemParams& system, unsigned vectors,
             std::uint64_t buffer);

  hal::TlmMmio& mmio() { return mmio_; }  ///< its socket is to be bound to the device's registers
  void raise(unsigned vector) override;

  /// In the thread of the kernel. ParameterError.
  void open(Kernel& kernel, base::DeviceId device, const std::string& id_parameter);
  void close();

  hal::Os& os() { return *os_; }
  hal::Interrupts& interrupts() { return *interrupts_; }
  drivers::rings::BufferPort& port() { return *port_; }

 private:
  std::string name_;
  DriverParams params_;
  SoftwareParams software_;
  unsigned vectors_;
  std::uint64_t buffer_;
  hal::TlmMmio mmio_;
  hal::Os* os_ = nullptr;
  std::unique_ptr<hal::SystemcInterrupts> interrupts_;
  Attachment attachment_;                   ///< user
  std::unique_ptr<dma::DmaDomain> domain_;  ///< kernel
  std::unique_ptr<drivers::rings::BufferPort> port_;
};

}  // namespace iommusim::platform
