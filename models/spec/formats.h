// SPDX-License-Identifier: Apache-2.0
// The in-memory formats in C++, derived from formats.def: for each word a namespace of its fields and its reserved
// bits, for each encoding set a namespace of constants, and the sizes of the structures.
#pragma once

#include "spec/field.h"

namespace iommusim::spec {

// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define IOMMU_STRUCTURE(name, Name, bytes, text) inline constexpr unsigned k##Name##Bytes = bytes;
#include "spec/formats.def"

#define IOMMU_FORMAT_FIELD(format, name, Name, lsb, width, text) \
  namespace format {                                             \
  inline constexpr ::iommusim::spec::Field k##Name{lsb, width};  \
  }
#include "spec/formats.def"

#define IOMMU_VALUE(set, Name, value, text)      \
  namespace set {                                \
  inline constexpr std::uint8_t k##Name = value; \
  }
#include "spec/formats.def"

/// Index of a word format in kReservedBits.
enum class FormatId : std::uint8_t {
#define IOMMU_FORMAT(name, text) k_##name,
#include "spec/formats.def"
  kCount
};

/// Bits of the word that no field names: reserved for standard use.
constexpr std::uint64_t reserved_bits(FormatId format) {
  std::uint64_t named = 0;
#define IOMMU_FORMAT_FIELD(format_name, name, Name, lsb, width, text) \
  if (format == FormatId::k_##format_name) named |= base::mask_of(width) << (lsb);
#include "spec/formats.def"
  return ~named;
}

#define IOMMU_FORMAT(name, text)                                                                                    \
  namespace name {                                                                                                  \
  inline constexpr std::uint64_t kReserved = ::iommusim::spec::reserved_bits(::iommusim::spec::FormatId::k_##name); \
  }
#include "spec/formats.def"
// NOLINTEND(cppcoreguidelines-macro-usage)

}  // namespace iommusim::spec
