// SPDX-License-Identifier: Apache-2.0
// Writes reference documents from the lists that the code is made of: `write_reference registers` (register map and
// fault causes) and `write_reference ioctls`. scripts/write-docs puts the output into docs/.
#include <cstdio>
#include <string_view>

#include "spec/causes.h"
#include "spec/registers.h"
#include "uapi/ioctls.h"

namespace {

using namespace iommusim;

struct FieldRow {
  spec::RegisterId owner;
  const char* name;
  unsigned lsb, width;
  spec::FieldAccess access;
  const char* text;
};
constexpr FieldRow kFieldRows[] = {
#define IOMMU_FIELD(register_name, name, Name, lsb, width, access, text) \
  {spec::register_name::kId, #name, lsb, width, spec::FieldAccess::access, text},
#include "spec/registers.def"
};

const char* access_name(spec::FieldAccess access) {
  switch (access) {
    case spec::FieldAccess::kReadOnly:
      return "read only";
    case spec::FieldAccess::kReadWrite:
      return "read-write";
    case spec::FieldAccess::kWarl:
      return "WARL";
    case spec::FieldAccess::kWriteOneClear:
      return "write 1 to clear";
    case spec::FieldAccess::kWriteOneSet:
      return "write 1 to set";
  }
  return "?";
}

void write_registers() {
  std::puts("## Registers\n\n| Register | Offset | Bytes | Contents |\n|---|---|---|---|");
  for (const spec::RegisterInfo& row : spec::kRegisters) {
    std::printf("| `%s` | 0x%03x", row.name, row.offset);
    if (row.count > 1) std::printf(", %u times, every %u bytes", unsigned{row.count}, unsigned{row.stride});
    std::printf(" | %u | %s |\n", unsigned{row.bytes}, row.text);
  }
  std::puts("\n## Fields\n\nBits that no field names read 0 and ignore writes.\n");
  std::puts("| Field | Bits | Access | Meaning |\n|---|---|---|---|");
  for (const FieldRow& row : kFieldRows) {
    std::printf("| `%s.%s` | ", spec::kRegisters[static_cast<unsigned>(row.owner)].name, row.name);
    if (row.width > 1) std::printf("%u:", row.lsb + row.width - 1);
    std::printf("%u | %s | %s |\n", row.lsb, access_name(row.access), row.text);
  }
}

void write_causes() {
  std::puts("\n## Fault causes\n\nDTF: whether the record is written although `DC.tc.DTF` is 1.\n");
  std::puts("| Cause | Meaning | Recorded with DTF |\n|---|---|---|");
  for (const spec::CauseInfo& row : spec::kCauses)
    std::printf("| %u | %s | %s |\n", static_cast<unsigned>(row.cause), row.text, row.reported_with_dtf ? "yes" : "no");
}

void write_ioctls() {
  static constexpr const char* kReplies[] = {"nothing", "the whole structure", "its last 8 bytes"};
  std::puts("| Command | Name | Structure | Bytes | Smallest `size` | Copied back | What it does |");
  std::puts("|---|---|---|---|---|---|---|");
  for (const uapi::IoctlRow& row : uapi::kIommuIoctls)
    std::printf("| 0x%04x | %s | `%s` | %u | %u | %s | %s |\n", row.command, row.name, row.struct_name, row.struct_size,
                row.min_size, kReplies[static_cast<unsigned>(row.reply)], row.help);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "registers") {
    write_registers();
    write_causes();
  } else if (what == "ioctls") {
    write_ioctls();
  } else {
    std::fputs("usage: write_reference registers|ioctls\n", stderr);
    return 2;
  }
  return 0;
}
