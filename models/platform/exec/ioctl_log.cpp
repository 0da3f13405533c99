// SPDX-License-Identifier: Apache-2.0
#include "platform/exec/ioctl_log.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "domain/errno_name.h"
#include "uapi/fields.h"

namespace iommusim::platform {

namespace {

struct Shape {
  std::string name;
  std::string_view structure;
  std::uint32_t bytes = 0;
};

/// IoasMap -> IOMMU_IOAS_MAP
std::string iommu_name(const char* name) {
  std::string out = "IOMMU";
  for (const char* c = name; *c != '\0'; ++c) {
    if (std::isupper(static_cast<unsigned char>(*c)) != 0) out += '_';
    out += static_cast<char>(std::toupper(static_cast<unsigned char>(*c)));
  }
  return out;
}

bool is_context(const std::string& file) { return file == "/dev/iommu" || file == "/dev/vfio/vfio"; }

Shape shape_of(const std::string& file, std::uint32_t command) {
  if (is_context(file)) {
    if (const uapi::IoctlRow* const row = uapi::find_iommu_ioctl(command))
      return {iommu_name(row->name), row->struct_name, row->struct_size};
    for (const uapi::CallRow& row : uapi::kContainerCalls)
      if (row.command == command) return {row.name, row.structure, row.bytes};
  } else {
    for (const uapi::CallRow& row : uapi::kVfioDeviceCalls)
      if (row.command == command) return {row.name, row.structure, row.bytes};
  }
  char number[16];
  std::snprintf(number, sizeof number, "0x%X", command);
  return {number, {}, 0};
}

/// Of this process, without a fault; as much as there is.
std::vector<unsigned char> copy_of(std::uint64_t va, std::size_t bytes) {
  std::vector<unsigned char> out(bytes);
  iovec to{out.data(), bytes};
  iovec from{reinterpret_cast<void*>(va), bytes};
  const ssize_t done = bytes == 0 ? 0 : process_vm_readv(getpid(), &to, 1, &from, 1, 0);
  out.resize(done < 0 ? 0 : static_cast<std::size_t>(done));
  return out;
}

std::string value_of(const uapi::FieldRow& field, const std::vector<unsigned char>& bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + field.offset, field.bytes);
  char text[24];
  if (field.is_signed && field.bytes == 4)
    std::snprintf(text, sizeof text, "%d", static_cast<std::int32_t>(value));
  else
    std::snprintf(text, sizeof text, field.bytes == 8 ? "0x%llx" : "%llu", static_cast<unsigned long long>(value));
  return text;
}

/// {name=value, ...}; with `other`, what differs from it alone.
std::string fields_of(std::string_view structure, const std::vector<unsigned char>& bytes,
                      const std::vector<unsigned char>* other) {
  std::string out;
  for (const uapi::FieldRow& field : uapi::kFields) {
    const std::size_t end = field.offset + field.bytes;
    if (field.structure != structure || end > bytes.size()) continue;
    if (other != nullptr && (end > other->size() ||
                             std::memcmp(bytes.data() + field.offset, other->data() + field.offset, field.bytes) == 0))
      continue;
    out += (out.empty() ? "{" : ", ") + std::string(field.name) + "=" + value_of(field, bytes);
  }
  return out.empty() ? out : out + "}";
}

/// The first word of a structure says how long the program believes it to be.
std::vector<unsigned char> argument_of(const Shape& shape, std::uint64_t argument) {
  std::vector<unsigned char> head = copy_of(argument, shape.bytes < 4 ? 0 : 4);
  if (head.size() < 4) return {};
  std::uint32_t size = 0;
  std::memcpy(&size, head.data(), sizeof size);
  return copy_of(argument, size < shape.bytes ? size : shape.bytes);
}

}  // namespace

std::string IoctlLog::name_of(const std::string& file, std::uint32_t command) { return shape_of(file, command).name; }

IoctlLog::IoctlLog(const std::string& path) : out_(std::fopen(path.c_str(), "we")) {
  if (out_ == nullptr)
    throw base::InputError(path + ": cannot be written: " + std::strerror(errno) + ", expected a file that can");
}

IoctlLog::Call IoctlLog::begin(const char* file, std::uint32_t command, std::uint64_t argument) {
  Call call{file, command, argument, {}};
  call.before = argument_of(shape_of(call.file, command), argument);
  return call;
}

void IoctlLog::end(const Call& call, std::int64_t result, std::uint64_t start_ps, std::uint64_t end_ps, int thread) {
  const Shape shape = shape_of(call.file, call.command);
  std::string argument = fields_of(shape.structure, call.before, nullptr);
  if (argument.empty()) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(call.argument));
    argument = text;
  } else if (result >= 0) {
    const std::string changed = fields_of(shape.structure, argument_of(shape, call.argument), &call.before);
    if (!changed.empty()) argument += " => " + changed;
  }
  std::string answer = std::to_string(result);
  if (result < 0) answer = std::string("-1 ") + domain::errno_name(static_cast<int>(-result));
  const std::lock_guard<std::mutex> guard(lock_);
  if (out_ == nullptr) return;
  std::fprintf(out_, "%.9f [%d] %s %s(%s) = %s <%.9f>\n", static_cast<double>(start_ps) * 1e-12, thread,
               call.file.c_str(), shape.name.c_str(), argument.c_str(), answer.c_str(),
               static_cast<double>(end_ps - start_ps) * 1e-12);
  std::fflush(out_);
}

void IoctlLog::close() {
  const std::lock_guard<std::mutex> guard(lock_);
  if (out_ != nullptr) std::fclose(out_);
  out_ = nullptr;
}

}  // namespace iommusim::platform
