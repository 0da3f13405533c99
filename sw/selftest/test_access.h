// SPDX-License-Identifier: Apache-2.0
// A kernel user of an address space that a program drives through a file descriptor: it pins ranges, each under a
// number, and copies. When the program unmaps what is pinned, the pins are given back at once. Closing the file ends
// it.
#pragma once

#include <memory>
#include <vector>

#include "hal/file.h"
#include "iommufd/access.h"

namespace iommusim::selftest {

class TestAccess final : public hal::File {
 public:
  /// `pins`: it may pin.
  static int create(iommufd::Context& context, bool pins, std::shared_ptr<TestAccess>& out);
  explicit TestAccess(hal::Os& os);
  ~TestAccess() override;

  iommufd::Access& access() { return *access_; }
  bool may_pin() const { return pins_; }

  /// Pins the range and gives it a number, unless `check(physical addresses of its pages)` says otherwise. 0 or an
  /// errno of Access::pin() or of `check`.
  template <class Check>
  int pin(std::uint64_t iova, std::uint64_t bytes, bool write, std::uint32_t& number, Check check) {
    const std::lock_guard guard(*lock_);  // so that whoever unmaps finds the pin in the list
    items_.reserve(items_.size() + 1);
    std::vector<std::uint64_t> spas;
    if (const int error = access_->pin(iova, bytes, write, spas)) return error;
    if (const int error = check(spas)) {
      access_->unpin(iova, bytes);
      return error;
    }
    number = next_number_++;
    items_.push_back({number, iova, iova + (bytes - 1)});
    return 0;
  }
  /// 0 or ENOENT.
  int unpin(std::uint32_t number);

 private:
  struct Item {
    std::uint32_t number;
    std::uint64_t iova, last;
  };
  void unmapping(std::uint64_t iova, std::uint64_t bytes);

  bool pins_ = false;
  iommufd::Access* access_ = nullptr;
  std::unique_ptr<hal::Mutex> lock_;  // guards what follows
  std::uint32_t next_number_ = 0;
  std::vector<Item> items_;
};

}  // namespace iommusim::selftest
