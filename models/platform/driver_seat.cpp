// SPDX-License-Identifier: Apache-2.0
#include "platform/driver_seat.h"

#include "domain/errno_name.h"
#include "drivers/rings/kernel_port.h"
#include "platform/address_map.h"
#include "platform/checks.h"
#include "platform/kernel.h"
#include "platform/user_port.h"

namespace iommusim::platform {

namespace {

hal::TlmMmioParams mmio_params_of(const SoftwareCostParams& cost) {
  hal::TlmMmioParams out;
  out.cpu_read_ns = out.cpu_write_ns = cost.mmio_ns;
  return out;
}

}  // namespace

DriverSeat::DriverSeat(const std::string& name, const DriverParams& params, const SystemParams& system,
                       unsigned vectors, std::uint64_t buffer)
    : name_(name),
      params_(params),
      software_(system.software),
      vectors_(vectors),
      buffer_(buffer),
      mmio_((name + "_mmio").c_str(), mmio_params_of(system.software.cost)) {
  if (params_.place == DriverPlace::kStack)
    params_.place = system.software.stack == Stack::kKernel ? DriverPlace::kKernel : DriverPlace::kUser;
  buffer_ += params_.place == DriverPlace::kKernel ? user_memory(system.memory.physical_bits) : 0;
}

void DriverSeat::raise(unsigned vector) {
  if (interrupts_) interrupts_->raise(vector);
}

void DriverSeat::open(Kernel& kernel, base::DeviceId device, const std::string& id_parameter) {
  os_ = &kernel.os();
  interrupts_ = std::make_unique<hal::SystemcInterrupts>(*os_, vectors_, software_.cost.interrupt_ns);
  if (params_.place == DriverPlace::kUser) {
    attachment_.open(kernel, name_, id_parameter, {device});
    port_ = std::make_unique<UserPort>(*os_, kernel.memory(), attachment_.program(), attachment_.ioas(), buffer_,
                                       params_.iova, params_.spread);
    return;
  }
  domain::Device& hardware = kernel.add_device(device.value, id_parameter);
  if (const int error = kernel.open_dma(hardware, kernel.dma_options(), domain_); error != 0)
    throw ParameterError("devices." + name_, std::string("cannot be attached: ") + domain::errno_name(error) +
                                                 ", expected an IOMMU with a first stage that the driver can use");
  port_ = std::make_unique<drivers::rings::KernelPort>(kernel.memory(), *domain_, buffer_);
}

void DriverSeat::close() {
  for (unsigned vector = 0; vector < vectors_; ++vector) interrupts_->set_handler(vector, {});
  port_.reset();
  if (domain_) {
    domain_->close();
    domain_.reset();
  } else {
    attachment_.close();
  }
}

}  // namespace iommusim::platform
