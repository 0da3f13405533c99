// SPDX-License-Identifier: Apache-2.0
// Doorbells of interrupt controllers, for devices whose MSIs are translated like DMA (R5.4): each has a page of a
// window of IOVAs that is reserved in the address space, and a page table shows it from its first use on. Which page
// that is is the same in all page tables of a context, so a device that moves keeps its interrupt addresses.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "domain/domain.h"
#include "hal/os.h"

namespace iommusim::iommufd {

/// The pages of the window that one page table shows, by IOVA. Guarded by the lock of MsiPages.
using MsiShown = std::vector<std::uint64_t>;

class MsiPages {
 public:
  explicit MsiPages(hal::Os& os) : lock_(os.make_mutex()) {}

  /// Shows the page of `doorbell` in the window that starts at `window`; `iova_out` is where `doorbell` is then.
  /// Nothing to do when it is there already. 0, ENOMEM, or what a map says. May throw std::bad_alloc.
  int show(domain::Domain& domain, MsiShown& shown, std::uint64_t window, std::uint64_t doorbell,
           std::uint64_t& iova_out);
  /// At the end of a page table, to which nothing is attached.
  static void hide(domain::Domain& domain, MsiShown& shown);

 private:
  std::unique_ptr<hal::Mutex> lock_;
  std::vector<std::uint64_t> doorbells_;  // pages, in order of first use
};

}  // namespace iommusim::iommufd
