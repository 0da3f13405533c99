// SPDX-License-Identifier: Apache-2.0
// The register map in C++, derived from registers.def: for each register an offset constant, a namespace of its fields,
// and a row of kRegisters.
#pragma once

#include "spec/field.h"

namespace iommusim::spec {

// NOLINTBEGIN(cppcoreguidelines-macro-usage)
/// Index of a register in kRegisters.
enum class RegisterId : std::uint8_t {
#define IOMMU_REGISTER(name, Name, offset, bytes, count, stride, text) k##Name,
#include "spec/registers.def"
  kCount
};

#define IOMMU_REGISTER(name, Name, offset, bytes, count, stride, text)     \
  inline constexpr std::uint32_t k##Name##Offset = offset;                 \
  namespace name {                                                         \
  inline constexpr ::iommusim::spec::RegisterId kId = RegisterId::k##Name; \
  }
#define IOMMU_FIELD(register_name, name, Name, lsb, width, access, text)                               \
  namespace register_name {                                                                            \
  inline constexpr ::iommusim::spec::Field k##Name{lsb, width, ::iommusim::spec::FieldAccess::access}; \
  }
#include "spec/registers.def"

/// One register, or an array of `count` registers `stride` bytes apart.
struct RegisterInfo {
  const char* name;
  std::uint32_t offset;
  std::uint8_t bytes;
  std::uint8_t count;
  std::uint8_t stride;
  const char* text;
};
inline constexpr RegisterInfo kRegisters[] = {
#define IOMMU_REGISTER(name, Name, offset, bytes, count, stride, text) {#name, offset, bytes, count, stride, text},
#include "spec/registers.def"
};

/// Bits of the register whose fields have this access.
constexpr std::uint64_t bits_with_access(RegisterId id, FieldAccess access) {
  std::uint64_t bits = 0;
#define IOMMU_FIELD(register_name, name, Name, lsb, width, field_access, text) \
  if (register_name::kId == id && FieldAccess::field_access == access) bits |= register_name::k##Name.mask();
#include "spec/registers.def"
  return bits;
}
// NOLINTEND(cppcoreguidelines-macro-usage)

inline constexpr unsigned kRegisterCount = static_cast<unsigned>(RegisterId::kCount);
inline constexpr std::uint32_t kRegisterPageBytes = 4096;
inline constexpr unsigned kMaxEventCounters = 31;
inline constexpr unsigned kMaxVectors = 16;

}  // namespace iommusim::spec
