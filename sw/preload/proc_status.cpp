// SPDX-License-Identifier: Apache-2.0
// Reading and patching of the status text.
#include "preload/proc_status.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "preload/system_calls.h"

namespace iommusim::preload {
namespace {

std::string host_status(int pid) {
  char path[40] = "/proc/self/status";
  if (pid != 0) std::snprintf(path, sizeof path, "/proc/%d/status", pid);
  const int fd = sys::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text;
  char part[4096];
  for (long got = 0; (got = sys::read(fd, part, sizeof part)) > 0;) text.append(part, static_cast<std::size_t>(got));
  sys::close(fd);
  return text;
}

void add_to_line(std::string& text, const char* name, std::uint64_t kb) {
  const std::size_t line = text.find(name);
  if (kb == 0 || line == std::string::npos) return;
  const std::size_t end = text.find('\n', line);
  const std::uint64_t host = std::strtoull(text.c_str() + line + std::strlen(name), nullptr, 10);
  char value[48];
  std::snprintf(value, sizeof value, "%s\t%8llu kB", name, static_cast<unsigned long long>(host + kb));
  text.replace(line, end - line, value);
}

}  // namespace

std::uint64_t read_status_kb(int pid, const char* name) {
  const std::string text = host_status(pid);
  const std::size_t line = text.find(name);
  return line == std::string::npos ? 0 : std::strtoull(text.c_str() + line + std::strlen(name), nullptr, 10);
}

int status_process(const char* path) {
  if (std::strncmp(path, "/proc/", 6) != 0) return -1;
  const char* at = path + 6;
  int pid = 0;
  if (std::strncmp(at, "self/", 5) == 0) {
    at += 5;
  } else if (std::strncmp(at, "thread-self/", 12) == 0) {
    at += 12;
  } else {
    char* end = nullptr;
    const long number = std::strtol(at, &end, 10);
    if (end == at || *end != '/' || number <= 0) return -1;
    pid = static_cast<int>(number);
    at = end + 1;
  }
  if (std::strncmp(at, "task/", 5) == 0) {  // a thread has the address space of its process
    const char* const slash = std::strchr(at + 5, '/');
    if (!slash) return -1;
    at = slash + 1;
  }
  return std::strcmp(at, "status") == 0 ? pid : -1;
}

std::string patched_status(int pid, std::uint64_t pinned_kb, std::uint64_t locked_kb) {
  std::string text = host_status(pid);
  add_to_line(text, "VmLck:", locked_kb);
  add_to_line(text, "VmPin:", pinned_kb);
  return text;
}

}  // namespace iommusim::preload
