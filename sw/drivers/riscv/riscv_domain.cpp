// SPDX-License-Identifier: Apache-2.0
// Mapping, gathered invalidation and dirty state of a paging domain.
#include "drivers/riscv/riscv_domain.h"

#include <algorithm>
#include <cerrno>
#include <exception>

#include "hal/contradiction.h"

namespace iommusim::drivers::riscv {
namespace {

PageTable::Shape shape_of(const RiscvIommuOptions& options, const RiscvDomain::Format& format) {
  PageTable::Shape shape;
  shape.levels = (format.address_bits - 12) / 9;
  shape.root_bits = format.second_stage() ? 11 : 9;
  shape.page_sizes = 1ULL << 12;
  for (unsigned level = 1; level < shape.levels; ++level)
    shape.page_sizes |= (1ULL << (12 + 9 * level)) & options.page_sizes;
  shape.execute = options.execute;
  shape.free_tables = options.frees_tables();
  shape.whole_spans = options.non_leaf_invalidation;
  shape.hardware_dirty = (format.flags & domain::kTracksDirty) != 0 && format.hardware_dirty;
  return shape;
}

std::uint64_t mode_of(unsigned address_bits) { return hw::iosatp_mode::kSv39 + (address_bits - 39) / 9; }

}  // namespace

RiscvDomain::RiscvDomain(const Ports& ports, RiscvSystem& system, const RiscvIommuOptions& options,
                         const Format& format, std::uint32_t number)
    : ports_(ports),
      system_(system),
      options_(options),
      format_(format),
      tag_{format.second_stage(), number},
      shape_(shape_of(options, format)),
      table_(ports.memory, ports.frames, shape_),
      links_(ports.os, ports.memory, options_) {}

RiscvDomain::~RiscvDomain() {
  hal::ensure(links_.empty() || std::uncaught_exceptions() > 0, "a domain is destroyed while a device uses it");
  (tag_.second_stage ? system_.gscids() : system_.pscids()).give_back(tag_.number);
}

std::uint64_t RiscvDomain::fsc() const {
  return (mode_of(format_.address_bits) << hw::dc_fsc::kModeShift) | ((table_.root() >> 12) << hw::dc_fsc::kPpnShift);
}

std::uint64_t RiscvDomain::ta() const { return std::uint64_t{tag_.number} << hw::dc_ta::kPscidShift; }

/// The modes of the second stage are numbered as those of the first.
std::uint64_t RiscvDomain::iohgatp(std::uint32_t gscid) const {
  return (mode_of(format_.address_bits) << hw::dc_iohgatp::kModeShift) |
         (std::uint64_t{gscid} << hw::dc_iohgatp::kGscidShift) | ((table_.root() >> 12) << hw::dc_iohgatp::kPpnShift);
}

int RiscvDomain::map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) {
  const std::uint64_t last = iova + (bytes - 1);
  if (bytes == 0 || (iova | spa | bytes) % 4096 != 0 || last < iova || last > aperture_last()) return EINVAL;
  if (prot == 0 || prot > (domain::kRead | domain::kWrite) || ((spa + (bytes - 1)) >> 56) != 0) return EINVAL;
  std::uint64_t done = 0;
  int error = 0;
  do {
    std::vector<std::uint64_t> replaced;
    error = table_.map(iova, spa, bytes, prot, done, replaced);
    if (!replaced.empty()) (void)forget_and_free({}, replaced);
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
  DomainLinks::Range range{gather.start, gather.last, gather.empty(), !gather.freed_tables.empty()};
  const bool good = forget_and_free(range, gather.freed_tables);
  gather = domain::Gather{};
  return good;
}

bool RiscvDomain::flush_all() { return forget({}); }

bool RiscvDomain::invalidate(std::uint64_t start, std::uint64_t last) {
  last = std::min(last, aperture_last());
  return start > last || forget({start, last, false, false, true});
}

void RiscvDomain::free_tables(domain::Gather& gather) {
  for (const std::uint64_t table : gather.freed_tables) ports_.frames.free(table, 0);
  gather = domain::Gather{};
}

bool RiscvDomain::iova_to_phys(std::uint64_t iova, std::uint64_t& spa_out) {
  return iova <= aperture_last() && table_.walk(iova, spa_out);
}

int RiscvDomain::set_dirty_tracking(bool on) {
  if (!tracks_dirty()) return EOPNOTSUPP;
  tracking_ = on;
  return 0;
}

/// While nothing is recorded nothing is reported; what was written before a start is forgotten all the same.
int RiscvDomain::read_dirty(std::uint64_t iova, std::uint64_t bytes, bool clear, domain::DirtySink& sink,
                            domain::Gather& gather) {
  if (!tracks_dirty()) return EOPNOTSUPP;
  const std::uint64_t last = std::min(iova + (bytes - 1), aperture_last());
  if (bytes == 0 || iova > last) return 0;
  table_.read_dirty(iova, last, clear, tracking_ ? &sink : nullptr, gather);
  return 0;
}

bool RiscvDomain::forget(const DomainLinks::Range& range) {
  const bool good = links_.forget(range);
  if (!good)
    ports_.os.log(std::string("riscv-iommu: invalidation of ") + (tag_.second_stage ? "GSCID " : "PSCID ") +
                  std::to_string(tag_.number) + " failed");
  return good;
}

bool RiscvDomain::forget_and_free(const DomainLinks::Range& range, std::vector<std::uint64_t>& tables) {
  // On failure hardware may still walk these tables; better lost than used for something else.
  if (!forget(range)) return false;
  for (const std::uint64_t table : tables) ports_.frames.free(table, 0);
  return true;
}

}  // namespace iommusim::drivers::riscv
