// SPDX-License-Identifier: Apache-2.0
// Memory and mappings of a driver in the kernel: a range of physical memory, and the DMA API, which chooses IOVAs and
// decides when the hardware forgets what was unmapped.
#pragma once

#include "dma/dma_domain.h"
#include "drivers/rings/buffer_port.h"

namespace iommusim::drivers::rings {

class KernelPort final : public BufferPort {
 public:
  KernelPort(hal::Memory& memory, dma::DmaDomain& domain, std::uint64_t spa)
      : memory_(memory), domain_(domain), spa_(spa) {}

  void read(std::uint64_t offset, void* out, std::size_t bytes) override { memory_.read(spa_ + offset, out, bytes); }
  void write(std::uint64_t offset, const void* in, std::size_t bytes) override {
    memory_.write(spa_ + offset, in, bytes);
  }
  int map(std::uint64_t offset, std::uint64_t bytes, unsigned prot, unsigned cpu, std::uint64_t& iova_out) override {
    const auto direction = prot == domain::kRead    ? dma::Direction::kToDevice
                           : prot == domain::kWrite ? dma::Direction::kFromDevice
                                                    : dma::Direction::kBidirectional;
    return domain_.map(spa_ + offset, bytes, direction, iova_out, cpu % domain_.options().cpus);
  }
  void unmap(std::uint64_t iova, std::uint64_t bytes, unsigned cpu) override {
    domain_.unmap(iova, bytes, cpu % domain_.options().cpus);
  }

 private:
  hal::Memory& memory_;
  dma::DmaDomain& domain_;
  const std::uint64_t spa_;
};

}  // namespace iommusim::drivers::rings
