// SPDX-License-Identifier: Apache-2.0
// Writes a trace (traces/FORMAT.md): zstd when the file name ends in .zst, else plain text. The data goes to a
// temporary file beside the target, which finish() renames: a file of the target's name is always whole. Feeding it an
// event that breaks a rule of the format is an internal contradiction.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "traces/event.h"

namespace iommusim::traces {

/// Longest text of an event, with its line feed.
inline constexpr std::size_t kMaxEventText = 128;

/// Writes the line of `event` to `out`; the end of the text.
char* format_event(const Event& event, char* out);

struct WriterOptions {
  int level = 12;                 ///< of zstd, 1 to 22
  std::vector<std::string> head;  ///< comment lines, without '#', to follow the version line
};

class Writer {
 public:
  /// Throws base::InputError when the file cannot be made, here and in the other calls when it cannot be written.
  explicit Writer(const std::string& path, const WriterOptions& options = {});
  /// Without finish(), nothing is left behind.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void write(const Event& event);
  /// At least one event must have been written. Nothing may be written afterwards.
  void finish();

 private:
  class Sink;
  std::unique_ptr<Sink> sink_;
  std::uint64_t last_time_ns_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace iommusim::traces
