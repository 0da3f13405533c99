// SPDX-License-Identifier: Apache-2.0
// Writes iommu_hw.h, all of the hardware that sw/ may include, from the .def lists: plain constants, no dependency on
// any other header of ours. Run by the build: write_iommu_hw OUTPUT.
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

std::FILE* out = nullptr;

std::uint64_t field_mask(unsigned lsb, unsigned width) {
  return (width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1) << lsb;
}

/// Fields that follow one another in the same namespace share its block; nullptr closes the last one.
void enter_namespace(const char* space) {
  static const char* open = "";
  const char* wanted = space != nullptr ? space : "";
  if (std::strcmp(open, wanted) == 0) return;
  if (*open != '\0') std::fprintf(out, "}\n");
  if (*wanted != '\0') std::fprintf(out, "namespace %s {\n", wanted);
  open = wanted;
}

void write_field(const char* space, const char* name, unsigned lsb, unsigned width, const char* text) {
  enter_namespace(space);
  std::fprintf(out, "inline constexpr unsigned k%sShift = %u;  ///< %s\n", name, lsb, text);
  std::fprintf(out, "inline constexpr unsigned k%sWidth = %u;\n", name, width);
  std::fprintf(out, "inline constexpr std::uint64_t k%sMask = 0x%016" PRIx64 ";\n", name, field_mask(lsb, width));
}

void write_register(const char* name, unsigned offset, unsigned bytes, unsigned count, unsigned stride,
                    const char* text) {
  enter_namespace(nullptr);
  std::fprintf(out, "\ninline constexpr std::uint32_t k%sOffset = 0x%03x;  ///< %s; %u bytes\n", name, offset, text,
               bytes);
  if (count == 1) return;
  std::fprintf(out, "inline constexpr std::uint32_t k%sStride = %u;\n", name, stride);
  std::fprintf(out, "inline constexpr unsigned k%sCount = %u;\n", name, count);
}

void write_structure(const char* name, unsigned bytes, const char* text) {
  std::fprintf(out, "inline constexpr unsigned k%sBytes = %u;  ///< %s\n", name, bytes, text);
}

void write_format(const char* name, const char* text) {
  enter_namespace(nullptr);
  std::fprintf(out, "\n// %s: %s\n", name, text);
}

void write_value(const char* space, const char* name, unsigned value, const char* text) {
  enter_namespace(space);
  std::fprintf(out, "inline constexpr std::uint64_t k%s = %u;  ///< %s\n", name, value, text);
}

void write_registers() {
  std::fprintf(out, "\n// Registers (IOMMU 5), one namespace a register.\n");
#define IOMMU_REGISTER(name, Name, offset, bytes, count, stride, text) \
  write_register(#Name, offset, bytes, count, stride, text);
#define IOMMU_FIELD(register_name, name, Name, lsb, width, access, text) \
  write_field(#register_name, #Name, lsb, width, text);
#include "spec/registers.def"
  enter_namespace(nullptr);
}

void write_formats() {
  std::fprintf(out,
               "\n// In-memory formats (IOMMU 2, 4), one namespace a 64-bit word; encodings, one namespace a set.\n");
#define IOMMU_STRUCTURE(name, Name, bytes, text) write_structure(#Name, bytes, text);
#define IOMMU_FORMAT(name, text) write_format(#name, text);
#define IOMMU_FORMAT_FIELD(format, name, Name, lsb, width, text) write_field(#format, #Name, lsb, width, text);
#define IOMMU_VALUE(set, Name, value, text) write_value(#set, #Name, value, text);
#include "spec/formats.def"
  enter_namespace(nullptr);
}

void write_causes() {
  std::fprintf(out, "\n// Fault causes (IOMMU 3.2).\nenum class Cause : std::uint16_t {\n");
#define IOMMU_CAUSE(Name, number, reported_with_dtf, ats_answer, text) \
  std::fprintf(out, "  k%s = %d,  ///< %s\n", #Name, number, text);
#include "spec/causes.def"
  std::fprintf(out, "};\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || (out = std::fopen(argv[1], "w")) == nullptr) {
    std::fprintf(stderr, "usage: write_iommu_hw OUTPUT\n");
    return 2;
  }
  std::fprintf(
      out,
      "// SPDX-License-Identifier: Apache-2.0\n"
      "// Generated from models/spec/*.def by write_iommu_hw: the registers and in-memory formats of the RISC-V\n"
      "// IOMMU as constants. The only header about hardware that sw/ includes.\n"
      "#pragma once\n\n#include <cstdint>\n\nnamespace iommusim::iommu_hw {\n");
  write_registers();
  write_formats();
  write_causes();
  std::fprintf(out, "\n}  // namespace iommusim::iommu_hw\n");
  return std::fclose(out) == 0 ? 0 : 1;
}
