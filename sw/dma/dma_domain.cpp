// SPDX-License-Identifier: Apache-2.0
// Life of a DmaDomain, and the ways from memory to IOVAs and back.
#include "dma/dma_domain.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <mutex>

#include "dma/call.h"
#include "hal/contradiction.h"

namespace iommusim::dma {
namespace {

constexpr unsigned kPageShift = 12;
constexpr std::uint64_t kPage = 1ULL << kPageShift;

constexpr std::uint64_t in_page(std::uint64_t address) { return address & (kPage - 1); }
/// Pages that [address, address + bytes) touches.
constexpr std::uint64_t pages_of(std::uint64_t address, std::uint64_t bytes) {
  return (in_page(address) + bytes + kPage - 1) >> kPageShift;
}
constexpr bool wraps(std::uint64_t address, std::uint64_t bytes) {
  return bytes == 0 || bytes > ~0ULL - kPage || address + (bytes - 1) < address;
}
/// The last page that ends at or below the inclusive `limit`.
constexpr std::uint64_t last_page_below(std::uint64_t limit) {
  const std::uint64_t page = limit >> kPageShift;
  return in_page(limit) == kPage - 1 || page == 0 ? page : page - 1;
}
/// Who waits for invalidations of single pages gives IOVAs back page by page: no cache could take them.
Options resolved(Options options) {
  if (options.invalidation == Invalidation::kExplicit) options.iova.cached_orders = 0;
  return options;
}
unsigned order_of(std::uint64_t bytes) {
  unsigned order = 0;
  while ((kPage << order) < bytes) ++order;
  return order;
}

}  // namespace

DmaDomain::DmaDomain(hal::Os& os, hal::FrameAllocator& frames, domain::Device& device, const Options& options,
                     Statistics& statistics)
    : os_(os),
      frames_(frames),
      device_(device),
      options_(resolved(options)),
      statistics_(statistics),
      iovas_(os, options_.iova, options_.cpus, statistics),
      invalidating_(os.make_mutex()),
      lock_(os.make_mutex()) {}

DmaDomain::~DmaDomain() {
  hal::ensure(domain_ == nullptr || std::uncaught_exceptions() > 0, "a DMA domain ends without close()");
}

int DmaDomain::create(hal::Os& os, hal::FrameAllocator& frames, domain::Device& device, const Options& options,
                      Statistics& statistics, std::unique_ptr<DmaDomain>& out) {
  std::unique_ptr<DmaDomain> fresh(new DmaDomain(os, frames, device, options, statistics));
  if (const int error = fresh->open()) return error;
  out = std::move(fresh);
  return 0;
}

int DmaDomain::open() {
  std::unique_ptr<domain::Domain> domain;
  if (const int error = device_.alloc_domain(domain)) return error;
  if ((domain->page_sizes() & kPage) == 0) return EINVAL;
  reserve(*domain);
  const std::vector<domain::Device*>& devices = device_.group().devices;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const int error = devices[i]->attach(*domain);
    if (error == 0) continue;
    while (i-- > 0) devices[i]->block();
    return error;
  }
  domain_ = std::move(domain);
  FlushSink& sink = *this;
  if (options_.invalidation == Invalidation::kDeferred)
    queue_ = std::make_unique<FlushQueue>(os_, options_, statistics_, sink);
  return 0;
}

/// What no device of the group may be given.
void DmaDomain::reserve(const domain::Domain& domain) {
  limit_ = last_page_below(std::min(options_.iova.dma_mask, domain.aperture_last()));
  if (domain.aperture_start() != 0) iovas_.reserve(0, (domain.aperture_start() - 1) >> kPageShift);
  for (const domain::Device* device : device_.group().devices)
    for (const domain::ReservedRegion& region : device->reserved_regions())
      iovas_.reserve(region.start >> kPageShift, region.last >> kPageShift);
}

void DmaDomain::close() {
  if (queue_) queue_->stop();
  remove_all_fixed();
  for (domain::Device* device : device_.group().devices) device->block();
  hal::ensure(mapped_.load() == 0, "a DMA domain ends while a driver has mappings in it");
  queue_.reset();
  domain_.reset();
}

/// Low addresses first, until there was none once: then the space below is too full to look each time.
int DmaDomain::allocate(std::uint64_t pages, IovaRange& out, unsigned cpu) {
  const std::uint64_t first_limit = last_page_below(options_.iova.first_last);
  if (first_limit < limit_ && low_first_.load(std::memory_order_relaxed)) {
    if (iovas_.allocate(pages, first_limit, true, false, cpu, out)) return 0;
    low_first_ = false;
  }
  if (iovas_.allocate(pages, limit_, false, true, cpu, out)) return 0;
  if (!queue_) return ENOMEM;
  queue_->flush(statistics_.flushes_space);
  return iovas_.allocate(pages, limit_, false, true, cpu, out) ? 0 : ENOMEM;
}

int DmaDomain::map(std::uint64_t spa, std::uint64_t bytes, Direction direction, std::uint64_t& iova_out, unsigned cpu) {
  const Call call(os_, options_.call_ns, statistics_.map_ns);
  if (wraps(spa, bytes)) return EINVAL;
  IovaRange range;
  if (const int error = allocate(pages_of(spa, bytes), range, cpu)) return error;
  if (const int error = domain_->map(range.iova(), spa - in_page(spa), range.bytes(), prot_of(direction))) {
    iovas_.free(range, cpu);
    return error;
  }
  count_map(range);
  iova_out = range.iova() + in_page(spa);
  return 0;
}

void DmaDomain::unmap(std::uint64_t iova, std::uint64_t bytes, unsigned cpu) {
  const Call call(os_, options_.call_ns, statistics_.unmap_ns);
  hal::ensure(!wraps(iova, bytes), "a DMA unmap of no range");
  remove({iova >> kPageShift, pages_of(iova, bytes)}, cpu, false);
}

int DmaDomain::map_sg(const std::vector<Segment>& pieces, Direction direction, ScatterList& out, unsigned cpu) {
  const Call call(os_, options_.call_ns, statistics_.map_ns);
  std::uint64_t pages = 0;
  for (const Segment& piece : pieces) {
    if (wraps(piece.address, piece.bytes)) return EINVAL;
    pages += pages_of(piece.address, piece.bytes);
  }
  if (pages == 0) return EINVAL;
  IovaRange range;
  if (const int error = allocate(pages, range, cpu)) return error;
  ScatterList list;
  std::uint64_t at = range.iova();
  for (const Segment& piece : pieces) {
    const std::uint64_t spa = piece.address - in_page(piece.address);
    const std::uint64_t whole = pages_of(piece.address, piece.bytes) << kPageShift;
    if (const int error = domain_->map(at, spa, whole, prot_of(direction))) {
      undo(range, at - range.iova(), cpu);
      return error;
    }
    const std::uint64_t iova = at + in_page(piece.address);
    if (!list.runs.empty() && list.runs.back().address + list.runs.back().bytes == iova)
      list.runs.back().bytes += piece.bytes;
    else
      list.runs.push_back({iova, piece.bytes});
    at += whole;
  }
  count_map(range);
  list.iova = list.runs.front().address;
  list.bytes = list.runs.back().address + list.runs.back().bytes - list.iova;
  out = std::move(list);
  return 0;
}

void DmaDomain::unmap_sg(const ScatterList& list, unsigned cpu) { unmap(list.iova, list.bytes, cpu); }

int DmaDomain::alloc_range(std::uint64_t bytes, std::uint64_t& iova_out, unsigned cpu) {
  if (wraps(0, bytes)) return EINVAL;
  IovaRange range;
  if (const int error = allocate(pages_of(0, bytes), range, cpu)) return error;
  count_map(range);
  iova_out = range.iova();
  return 0;
}

int DmaDomain::link(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, Direction direction) {
  const Call call(os_, options_.call_ns, statistics_.map_ns);
  return domain_->map(iova, spa, bytes, prot_of(direction));
}

void DmaDomain::free_range(std::uint64_t iova, std::uint64_t bytes, unsigned cpu) {
  const Call call(os_, options_.call_ns, statistics_.unmap_ns);
  hal::ensure(!wraps(iova, bytes) && in_page(iova) == 0, "a range of IOVAs is freed that is none");
  remove({iova >> kPageShift, pages_of(iova, bytes)}, cpu, false, false);
}

int DmaDomain::alloc_coherent(std::uint64_t bytes, Coherent& out, unsigned cpu) {
  if (wraps(0, bytes)) return EINVAL;
  const unsigned order = order_of(bytes);
  const std::uint64_t spa = frames_.alloc(order);
  if (spa == 0) return ENOMEM;
  std::uint64_t iova = 0;
  if (const int error = map(spa, bytes, Direction::kBidirectional, iova, cpu)) {
    frames_.free(spa, order);
    return error;
  }
  out = {spa, iova, bytes};
  return 0;
}

void DmaDomain::free_coherent(const Coherent& memory, unsigned cpu) {
  const Call call(os_, options_.call_ns, statistics_.unmap_ns);
  const IovaRange range{memory.iova >> kPageShift, pages_of(memory.iova, memory.bytes)};
  remove(range, cpu, true);
  frames_.free(memory.spa, order_of(memory.bytes));
}

void DmaDomain::count_map(const IovaRange& range) {
  ++mapped_;
  statistics_.maps.add();
  statistics_.mapped_bytes.add(range.bytes());
}

void DmaDomain::count_unmap(const IovaRange& range) {
  --mapped_;
  statistics_.unmaps.add();
  statistics_.mapped_bytes.sub(range.bytes());
}

}  // namespace iommusim::dma
