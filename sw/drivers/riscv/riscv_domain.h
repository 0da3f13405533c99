// SPDX-License-Identifier: Apache-2.0
// A paging domain of the RISC-V IOMMU driver: a page table, its number, and who uses it. Usually the table is a first
// stage with a PSCID; a domain that guests' tables can be put on (kNestParent) is a second stage with a GSCID.
#pragma once

#include "drivers/riscv/domain_links.h"
#include "drivers/riscv/page_table.h"
#include "drivers/riscv/riscv_system.h"

namespace iommusim::drivers::riscv {

class RiscvDomain final : public domain::Domain {
 public:
  struct Format {
    unsigned address_bits = 39;  ///< 39, 48 or 57: SvN, or SvNx4 as a second stage
    unsigned flags = 0;          ///< domain::DomainFlags
    /// With kTracksDirty: hardware keeps D; otherwise every writable leaf counts as written.
    bool hardware_dirty = false;

    bool second_stage() const { return (flags & domain::kNestParent) != 0; }
  };

  /// The ports outlive the domain; `number` was taken from the system: a GSCID for a second stage, otherwise a PSCID.
  RiscvDomain(const Ports& ports, RiscvSystem& system, const RiscvIommuOptions& options, const Format& format,
              std::uint32_t number);
  /// A contradiction while a device is attached, unless an error is unwinding everything.
  ~RiscvDomain() override;

  std::uint64_t page_sizes() const override { return shape_.page_sizes; }
  std::uint64_t aperture_start() const override { return 0; }
  /// Of a first stage the lower half of the address space: the upper one would need sign-extended addresses. A second
  /// stage has two bits more than its name says, and no sign.
  std::uint64_t aperture_last() const override {
    return (1ULL << (format_.second_stage() ? format_.address_bits + 2 : format_.address_bits - 1)) - 1;
  }
  int map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) override;
  /// A leaf that lies partly inside is cleared, and counted, whole.
  std::uint64_t unmap(std::uint64_t iova, std::uint64_t bytes, domain::Gather& gather) override;
  bool sync(domain::Gather& gather) override;
  bool flush_all() override;
  /// By address, whatever the options say about large ranges.
  bool invalidate(std::uint64_t start, std::uint64_t last) override;
  void free_tables(domain::Gather& gather) override;
  bool iova_to_phys(std::uint64_t iova, std::uint64_t& spa_out) override;

  const void* iommu_driver() const override { return &system_; }
  /// The bus snoops all requests.
  bool enforce_coherency() override { return true; }
  bool tracks_dirty() const override { return (format_.flags & domain::kTracksDirty) != 0; }
  int set_dirty_tracking(bool on) override;
  int read_dirty(std::uint64_t iova, std::uint64_t bytes, bool clear, domain::DirtySink& sink,
                 domain::Gather& gather) override;

  bool usable() const { return table_.root() != 0; }
  const SpaceTag& tag() const { return tag_; }
  const Format& format() const { return format_; }
  bool hardware_dirty() const { return tracks_dirty() && format_.hardware_dirty; }
  const RiscvSystem& system() const { return system_; }
  /// The words of a context that select this table (IOMMU 2.1.3, 2.2.4). A second stage goes by the GSCID given.
  std::uint64_t fsc() const;
  std::uint64_t ta() const;
  std::uint64_t iohgatp(std::uint32_t gscid) const;
  DomainLinks& links() { return links_; }

 private:
  bool forget(const DomainLinks::Range& range);
  bool forget_and_free(const DomainLinks::Range& range, std::vector<std::uint64_t>& tables);

  const Ports ports_;
  RiscvSystem& system_;
  const RiscvIommuOptions options_;
  const Format format_;
  const SpaceTag tag_;
  const PageTable::Shape shape_;
  PageTable table_;
  DomainLinks links_;
  std::atomic<bool> tracking_{false};
};

}  // namespace iommusim::drivers::riscv
