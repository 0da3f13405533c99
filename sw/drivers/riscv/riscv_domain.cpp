// SPDX-License-Identifier: Apache-2.0
// Mapping, gathered invalidation and the device list of a paging domain.
#include "drivers/riscv/riscv_domain.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <mutex>
#include <shared_mutex>

#include "drivers/riscv/riscv_device.h"
#include "drivers/riscv/riscv_iommu.h"
#include "hal/contradiction.h"

namespace iommusim::drivers::riscv {
namespace {

unsigned levels_of(unsigned address_bits) { return (address_bits - 12) / 9; }

PageTable::Shape shape_of(const RiscvIommuOptions& options, unsigned address_bits) {
  PageTable::Shape shape;
  shape.levels = levels_of(address_bits);
  shape.page_sizes = 1ULL << 12;
  for (unsigned level = 1; level < shape.levels; ++level)
    shape.page_sizes |= (1ULL << (12 + 9 * level)) & options.page_sizes;
  shape.execute = options.execute;
  shape.free_tables = options.frees_tables();
  return shape;
}

}  // namespace

RiscvDomain::RiscvDomain(const Ports& ports, RiscvSystem& system, const RiscvIommuOptions& options,
                         unsigned address_bits, std::uint32_t pscid)
    : ports_(ports),
      system_(system),
      options_(options),
      address_bits_(address_bits),
      pscid_(pscid),
      shape_(shape_of(options, address_bits)),
      table_(ports.memory, ports.frames, shape_),
      links_lock_(ports.os.make_rwlock()) {}

RiscvDomain::~RiscvDomain() {
  hal::ensure(links_.empty() || std::uncaught_exceptions() > 0, "a domain is destroyed while a device uses it");
  system_.give_back_pscid(pscid_);
}

std::uint64_t RiscvDomain::fsc() const {
  const std::uint64_t mode = hw::iosatp_mode::kSv39 + (address_bits_ - 39) / 9;
  return (mode << hw::dc_fsc::kModeShift) | ((table_.root() >> 12) << hw::dc_fsc::kPpnShift);
}

std::uint64_t RiscvDomain::ta() const { return std::uint64_t{pscid_} << hw::dc_ta::kPscidShift; }

int RiscvDomain::map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) {
  const std::uint64_t last = iova + (bytes - 1);
  if (bytes == 0 || (iova | spa | bytes) % 4096 != 0 || last < iova || last > aperture_last()) return EINVAL;
  if (prot == 0 || prot > (domain::kRead | domain::kWrite) || ((spa + (bytes - 1)) >> 56) != 0) return EINVAL;
  std::uint64_t done = 0;
  int error = 0;
  do {
    std::vector<std::uint64_t> replaced;
    error = table_.map(iova, spa, bytes, prot, done, replaced);
    if (!replaced.empty()) (void)invalidate_and_free(true, 0, 0, replaced);
  } while (error == EAGAIN);
  if (error != 0 && done != 0) {  // hardware may have seen the leaves written so far
    domain::Gather gather;
    (void)table_.unmap(iova, iova + (done - 1), gather);
    sync(gather);
  }
  return error;
}

std::uint64_t RiscvDomain::unmap(std::uint64_t iova, std::uint64_t bytes, domain::Gather& gather) {
  const std::uint64_t last = std::min(iova + (bytes - 1), aperture_last());
  return bytes == 0 || iova > last ? 0 : table_.unmap(iova, last, gather);
}

bool RiscvDomain::sync(domain::Gather& gather) {
  if (gather.empty() && gather.freed_tables.empty()) return true;
  const std::uint64_t threshold = options_.flush_all_threshold_bytes;
  const bool whole = !gather.freed_tables.empty() || (threshold != 0 && gather.last - gather.start >= threshold - 1);
  const bool good = invalidate_and_free(whole, gather.start, gather.last, gather.freed_tables);
  gather = domain::Gather{};
  return good;
}

bool RiscvDomain::flush_all() {
  std::vector<std::uint64_t> none;
  return invalidate_and_free(true, 0, 0, none);
}

bool RiscvDomain::invalidate(std::uint64_t start, std::uint64_t last) {
  std::vector<std::uint64_t> none;
  last = std::min(last, aperture_last());
  return start > last || invalidate_and_free(false, start, last, none);
}

void RiscvDomain::free_tables(domain::Gather& gather) {
  for (const std::uint64_t table : gather.freed_tables) ports_.frames.free(table, 0);
  gather = domain::Gather{};
}

bool RiscvDomain::iova_to_phys(std::uint64_t iova, std::uint64_t& spa_out) {
  return iova <= aperture_last() && table_.walk(iova, spa_out);
}

template <class Action>
bool RiscvDomain::for_each_iommu(Action action) {
  bool good = true;
  const RiscvIommu* previous = nullptr;
  for (RiscvDevice* device : links_) {
    RiscvIommu& iommu = device->iommu();
    if (&iommu != previous && action(iommu.commands()) != 0) good = false;
    previous = &iommu;
  }
  return good;
}

/// Of the IOMMUs and, after them, of the devices' own caches: a device may ask its IOMMU again at once (IOMMU
/// 6.3.7), and commands may be executed out of order, so a fence is between them. With links_lock_ held.
bool RiscvDomain::forget(bool whole, std::uint64_t start, std::uint64_t last) {
  bool good = for_each_iommu([&](CommandQueue& queue) {
    if (whole) return queue.submit(iotinval_pscid(pscid_));
    for (std::uint64_t iova = start; iova <= last; iova += 4096)
      if (const int error = queue.submit(iotinval_page(pscid_, iova))) return error;
    return 0;
  });
  struct Asked {
    RiscvDevice* device;
    DeviceAtc::Begun begun;
  };
  std::vector<Asked> asked;
  for (RiscvDevice* device : links_)
    if (device->atc().on()) asked.push_back({device, {}});
  const std::uint64_t from = whole ? 0 : start, to = whole ? ~0ULL : last;
  if (!asked.empty())
    good = for_each_iommu([](CommandQueue& queue) { return queue.submit(iofence_commands()); }) && good;
  for (Asked& one : asked) {
    one.begun = one.device->atc().begin(from, to);
    good = one.begun.error == 0 && good;
  }
  good = for_each_iommu([](CommandQueue& queue) { return queue.fence(); }) && good;
  for (const Asked& one : asked)
    if (!one.device->atc().end(one.begun) && !one.device->atc().again(from, to)) one.device->isolate();
  return good;
}

bool RiscvDomain::invalidate_and_free(bool whole, std::uint64_t start, std::uint64_t last,
                                      std::vector<std::uint64_t>& tables) {
  bool good = true;
  {
    const std::shared_lock guard(*links_lock_);
    ports_.memory.barrier();  // the cleared entries precede the commands
    good = forget(whole, start, last);
  }
  if (!good) {
    // Hardware may still walk these tables; better lost than used for something else.
    ports_.os.log("riscv-iommu: invalidation of PSCID " + std::to_string(pscid_) + " failed");
    return false;
  }
  for (const std::uint64_t table : tables) ports_.frames.free(table, 0);
  return true;
}

void RiscvDomain::link(RiscvDevice& device) {
  const std::unique_lock guard(*links_lock_);
  const auto place = std::find_if(links_.begin(), links_.end(),
                                  [&](RiscvDevice* other) { return other->iommu().index() > device.iommu().index(); });
  links_.insert(place, &device);
  ports_.memory.barrier();
}

bool RiscvDomain::unlink(RiscvDevice& device) {
  const std::unique_lock guard(*links_lock_);
  links_.erase(std::find(links_.begin(), links_.end(), &device));
  return std::none_of(links_.begin(), links_.end(),
                      [&](RiscvDevice* other) { return &other->iommu() == &device.iommu(); });
}

}  // namespace iommusim::drivers::riscv
