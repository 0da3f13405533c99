// SPDX-License-Identifier: Apache-2.0
// A dma-buf of mock device memory, which the test command revokes. A revocation reaches everybody who maps it; whether
// it may be mapped anew is a flag.
#pragma once

#include <memory>
#include <vector>

#include "hal/dma_buf.h"
#include "hal/file.h"
#include "hal/hardware.h"
#include "hal/os.h"

namespace iommusim::selftest {

class TestDmabuf final : public hal::File, public hal::DmaBuf {
 public:
  static constexpr std::uint64_t kMaxPages = 512;

  /// `pages` from 1 to kMaxPages. Throws std::bad_alloc without frames.
  TestDmabuf(hal::Os& os, hal::FrameAllocator& frames, std::uint64_t pages);
  ~TestDmabuf() override;

  /// Ends all present mappings; `revoked` refuses or allows later ones.
  void revoke(bool revoked);

  hal::DmaBuf* dma_buf() override { return this; }
  std::uint64_t bytes() const override { return bytes_; }
  int attach(hal::DmaBufUser& user, std::uint64_t& spa_out) override;
  void detach(hal::DmaBufUser& user) override;

 private:
  hal::FrameAllocator& frames_;
  const std::uint64_t bytes_;
  const unsigned order_;
  std::unique_ptr<hal::Mutex> lock_;  // guards the last two; held while users are told
  const std::uint64_t spa_;
  bool revoked_ = false;
  std::vector<hal::DmaBufUser*> users_;
};

}  // namespace iommusim::selftest
