// SPDX-License-Identifier: Apache-2.0
#include "pagetable/dma_window.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "hal/contradiction.h"
#include "pagetable/interval.h"
#include "pagetable/undo.h"

namespace iommusim::pagetable {
namespace {

void clear_window(domain::Domain& domain, std::uint64_t iova, std::uint64_t bytes) noexcept {
  domain::Gather gather;
  hal::ensure(domain.unmap(iova, bytes, gather) == bytes, "a domain lost part of a dma-buf");
  domain.sync(gather);
}

}  // namespace

DmaWindow::DmaWindow(hal::Os& os, std::shared_ptr<hal::File> file, std::uint64_t start, std::uint64_t bytes)
    : file_(std::move(file)), start_(start), bytes_(bytes), lock_(os.make_mutex()) {}

DmaWindow::~DmaWindow() {
  hal::ensure(shown_.empty(), "a dma-buf ends while a page table shows it");
  if (attached_) file_->dma_buf()->detach(*this);
}

int DmaWindow::open() {
  hal::DmaBuf& buffer = *file_->dma_buf();
  if (start_ + (bytes_ - 1) < start_ || start_ + (bytes_ - 1) >= buffer.bytes()) return EINVAL;
  std::uint64_t spa = 0;
  if (const int error = buffer.attach(*this, spa)) return error;
  attached_ = true;
  const std::lock_guard guard(*lock_);
  spa_ = spa;
  return 0;
}

int DmaWindow::map(domain::Domain& domain, std::uint64_t iova, std::uint64_t offset, std::uint64_t bytes, unsigned prot,
                   std::uint64_t longest_piece) {
  const std::lock_guard guard(*lock_);
  if (revoked_) return 0;
  shown_.reserve(shown_.size() + 1);  // so that nothing fails after the mapping
  const std::uint64_t spa = spa_ + (start_ - start_ % kPage) + offset;
  std::uint64_t done = 0;
  Undo clear([&] {
    if (done != 0) clear_window(domain, iova, done);
  });
  while (done < bytes) {
    const std::uint64_t piece = std::min(longest_piece, bytes - done);
    if (const int error = domain.map(iova + done, spa + done, piece, prot)) return error;
    done += piece;
  }
  clear.keep();
  shown_.push_back({&domain, iova, bytes});
  return 0;
}

void DmaWindow::unmap(domain::Domain& domain, std::uint64_t iova, std::uint64_t bytes) noexcept {
  const std::lock_guard guard(*lock_);
  const auto is_it = [&](const Shown& one) { return one.domain == &domain && one.iova == iova && one.bytes == bytes; };
  const auto at = std::find_if(shown_.begin(), shown_.end(), is_it);
  if (at == shown_.end()) return;  // was revoked
  clear_window(domain, iova, bytes);
  shown_.erase(at);
}

void DmaWindow::revoked() {
  const std::lock_guard guard(*lock_);
  revoked_ = true;
  for (const Shown& one : shown_) clear_window(*one.domain, one.iova, one.bytes);
  shown_.clear();
}

}  // namespace iommusim::pagetable
