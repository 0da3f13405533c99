// SPDX-License-Identifier: Apache-2.0
// Up to 512 neighbouring pages of a page array: where each is and how many need it, in one piece of memory of 12 bytes
// a page. The address of a page without a user means nothing.
#pragma once

#include <cstdint>
#include <memory>

namespace iommusim::pagetable {

class PageChunk {
 public:
  static constexpr std::uint64_t kPages = 512;

  explicit PageChunk(std::uint64_t pages) : words_(new std::uint64_t[pages + (pages + 1) / 2]), pages_(pages) {
    for (std::uint64_t i = 0; i < pages; ++i) users()[i] = 0;
  }

  std::uint64_t* spas() { return words_.get(); }
  const std::uint64_t* spas() const { return words_.get(); }
  std::uint32_t* users() { return reinterpret_cast<std::uint32_t*>(words_.get() + pages_); }
  const std::uint32_t* users() const { return reinterpret_cast<const std::uint32_t*>(words_.get() + pages_); }
  std::uint64_t pages() const { return pages_; }

  std::uint64_t in_use = 0;  ///< pages with a user

 private:
  std::unique_ptr<std::uint64_t[]> words_;
  std::uint64_t pages_;
};

}  // namespace iommusim::pagetable
