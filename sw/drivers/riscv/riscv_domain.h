// SPDX-License-Identifier: Apache-2.0
// A paging domain of the RISC-V IOMMU driver: a first-stage page table, its PSCID, and the devices that use it. Each
// invalidation goes once to each distinct IOMMU of these devices and waits for all of them (riscv_driver.md 6).
// Nested domains will stand beside this class, with a second stage and a GSCID in place of the PSCID.
#pragma once

#include "drivers/riscv/options.h"
#include "drivers/riscv/page_table.h"
#include "drivers/riscv/riscv_system.h"

namespace iommusim::drivers::riscv {

class RiscvDevice;
class RiscvIommu;

class RiscvDomain final : public domain::Domain {
 public:
  /// `address_bits`: 39, 48 or 57. The ports outlive the domain; take_pscid() gave `pscid`.
  RiscvDomain(const Ports& ports, RiscvSystem& system, const RiscvIommuOptions& options, unsigned address_bits,
              std::uint32_t pscid);
  /// A contradiction while a device is attached, unless an error is unwinding everything.
  ~RiscvDomain() override;

  std::uint64_t page_sizes() const override { return shape_.page_sizes; }
  std::uint64_t aperture_start() const override { return 0; }
  /// The lower half of the address space: the upper one would need sign-extended addresses.
  std::uint64_t aperture_last() const override { return (1ULL << (address_bits_ - 1)) - 1; }
  int map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) override;
  /// A leaf that lies partly inside is cleared, and counted, whole.
  std::uint64_t unmap(std::uint64_t iova, std::uint64_t bytes, domain::Gather& gather) override;
  bool sync(domain::Gather& gather) override;
  bool flush_all() override;
  /// One command a page, whatever the options say about large ranges.
  bool invalidate(std::uint64_t start, std::uint64_t last) override;
  void free_tables(domain::Gather& gather) override;
  bool iova_to_phys(std::uint64_t iova, std::uint64_t& spa_out) override;

  bool usable() const { return table_.root() != 0; }
  std::uint32_t pscid() const { return pscid_; }
  unsigned address_bits() const { return address_bits_; }
  const RiscvSystem& system() const { return system_; }
  /// The words of a device context that select this domain (IOMMU 2.1.3).
  std::uint64_t fsc() const;
  std::uint64_t ta() const;

  /// From here on invalidations reach the IOMMU of `device`; every unmap that began earlier is seen by its walks.
  void link(RiscvDevice& device);
  /// Undoes link(); true: no other device of that IOMMU is left.
  bool unlink(RiscvDevice& device);

 private:
  bool forget(bool whole, std::uint64_t start, std::uint64_t last);
  bool invalidate_and_free(bool whole, std::uint64_t start, std::uint64_t last, std::vector<std::uint64_t>& tables);
  template <class Action>
  bool for_each_iommu(Action action);

  const Ports ports_;
  RiscvSystem& system_;
  const RiscvIommuOptions options_;
  const unsigned address_bits_;
  const std::uint32_t pscid_;
  const PageTable::Shape shape_;
  PageTable table_;
  std::unique_ptr<hal::RwLock> links_lock_;  // guards links_; held shared while an invalidation runs
  std::vector<RiscvDevice*> links_;          // by IOMMU
};

}  // namespace iommusim::drivers::riscv
