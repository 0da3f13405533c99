// SPDX-License-Identifier: Apache-2.0
// Device memory that its driver exports behind a file descriptor (a dma-buf), so that others map it for their devices,
// and that it may revoke at any time.
#pragma once

#include <cstdint>

namespace iommusim::hal {

/// Somebody who maps a dma-buf.
class DmaBufUser {
 public:
  virtual ~DmaBufUser() = default;
  /// No device may reach the memory any more when this returns; it will not come back for this user.
  virtual void revoked() = 0;
};

/// Physically contiguous. Thread-safe.
class DmaBuf {
 public:
  virtual ~DmaBuf() = default;
  virtual std::uint64_t bytes() const = 0;
  /// Tells where the memory is, and tells `user` when it is revoked, until detach(). 0, ENODEV (is revoked), EOPNOTSUPP
  /// (this exporter has no addresses to give). Not called from within revoked().
  virtual int attach(DmaBufUser& user, std::uint64_t& spa_out) = 0;
  /// Returns when no revoked() of this user is running.
  virtual void detach(DmaBufUser& user) = 0;
};

}  // namespace iommusim::hal
