// SPDX-License-Identifier: Apache-2.0
// A part of a dma-buf that is mapped: device memory, so there is nothing to pin, charge, or copy (R3.12). It knows
// every page table that shows it, because its exporter may revoke it at any moment, and must find no device able to
// reach it afterwards. Once revoked it is never shown again; the areas over it stay, empty.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "domain/domain.h"
#include "hal/file.h"
#include "hal/os.h"

namespace iommusim::pagetable {

class DmaWindow final : public hal::DmaBufUser {
 public:
  /// The file has a dma_buf(); bytes [start, start + bytes) of it.
  DmaWindow(hal::Os& os, std::shared_ptr<hal::File> file, std::uint64_t start, std::uint64_t bytes);
  /// No page table shows it.
  ~DmaWindow() override;
  /// Once, before use. 0, EINVAL (beyond its end), ENODEV, EOPNOTSUPP.
  int open();

  std::uint64_t start() const { return start_; }

  /// Shows [iova, iova + bytes) from byte `offset` of the window's first page on, in pieces. Does nothing, and
  /// succeeds, when revoked. 0, or what the domain said.
  int map(domain::Domain& domain, std::uint64_t iova, std::uint64_t offset, std::uint64_t bytes, unsigned prot,
          std::uint64_t longest_piece);
  /// Undoes map(); returns after the invalidation. Cannot fail.
  void unmap(domain::Domain& domain, std::uint64_t iova, std::uint64_t bytes) noexcept;

  void revoked() override;

 private:
  struct Shown {
    domain::Domain* domain;
    std::uint64_t iova;
    std::uint64_t bytes;
  };

  const std::shared_ptr<hal::File> file_;
  const std::uint64_t start_;
  const std::uint64_t bytes_;
  bool attached_ = false;
  std::unique_ptr<hal::Mutex> lock_;  // guards everything below; taken after all other locks of the mapping core
  std::uint64_t spa_ = 0;             // of byte 0 of the dma-buf
  bool revoked_ = false;
  std::vector<Shown> shown_;
};

}  // namespace iommusim::pagetable
