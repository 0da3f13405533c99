// SPDX-License-Identifier: Apache-2.0
// What the trace tests share: reading text from memory, random valid events, files of a temporary folder.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "traces/reader.h"

namespace iommusim::traces {

/// All events, or the first error.
inline std::vector<Event> read_all(Reader&& reader) {
  std::vector<Event> events;
  Event event;
  while (reader.next(event)) events.push_back(event);
  return events;
}
inline std::vector<Event> read_text(const std::string& text) { return read_all(Reader("t", open_memory(text))); }
inline std::vector<Event> read_path(const std::string& path) { return read_all(Reader(path)); }

/// what() of the InputError, or "no error".
template <class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const base::InputError& error) {
    return error.what();
  }
  return "no error";
}

/// A folder that lives as long as the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "iommusim-traces-XXXXXX").string();
    base::ensure(mkdtemp(name.data()) != nullptr, "no temporary folder");
    folder_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(folder_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(const std::string& name) const { return (folder_ / name).string(); }
  std::string store(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return *this / name;
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()));
  }

 private:
  std::filesystem::path folder_;
};

inline std::string slurp(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

/// An event that keeps every rule, with extreme values as likely as small ones; its time is `time_ns`.
inline Event random_event(std::uint64_t time_ns) {
  Event event;
  event.time_ns = time_ns;
  event.source.segment = *rc::gen::element<std::uint16_t>(0, 0, 1, 0xffff);
  event.source.bdf = *rc::gen::arbitrary<std::uint16_t>();
  event.op = static_cast<Op>(*rc::gen::inRange(0U, kOps));
  const auto wide = [] { return *rc::gen::arbitrary<std::uint64_t>() >> *rc::gen::inRange(0, 64); };
  const bool pages = !is_access(event.op);
  const std::uint64_t mask = pages ? ~std::uint64_t{4095} : ~std::uint64_t{0};
  event.iova = wide() & mask;
  event.bytes = wide() & mask;
  if (event.op == Op::kInvalidate && event.bytes == 0) event.iova = 0;
  if (event.op != Op::kInvalidate && event.bytes == 0) event.bytes = pages ? 4096 : 1;
  event.has_pa = event.op == Op::kMap || (!pages && *rc::gen::arbitrary<bool>());
  if (event.has_pa) event.pa = (wide() & ~std::uint64_t{4095}) | (event.iova & 4095);
  const std::uint64_t start = std::max(event.iova, event.pa);
  if (event.bytes != 0 && event.bytes - 1 > ~start) event.bytes = ~start + 1;
  return event;
}

/// Any number of them, in time order.
inline std::vector<Event> random_events(std::size_t at_least) {
  std::vector<Event> events;
  std::uint64_t time = 0;
  const std::size_t count = at_least + *rc::gen::inRange<std::size_t>(0, 50);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t step = *rc::gen::arbitrary<std::uint64_t>() >> *rc::gen::inRange(6, 64);
    time = time + step < time ? time : time + step;
    events.push_back(random_event(time));
  }
  return events;
}

}  // namespace iommusim::traces
