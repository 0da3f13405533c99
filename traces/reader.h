// SPDX-License-Identifier: Apache-2.0
// Reads a trace (traces/FORMAT.md) event by event, in constant memory: plain text, zstd or gzip, told apart by content.
// Every rule of the format is checked; the first line that breaks one ends the reading with a base::InputError that
// carries file, line and the column of the field to blame. Events before that line have been delivered.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "traces/byte_source.h"
#include "traces/event.h"

namespace iommusim::traces {

inline constexpr char kVersionLine[] = " iommusim-trace 1";           ///< after the '#' of the first line
inline constexpr std::size_t kMaxLineBytes = 4096;                    ///< without the line ending
inline constexpr std::size_t kMaxHeadBytes = std::size_t{64} * 1024;  ///< all comments before the first event

class Reader {
 public:
  /// Reads up to the first event; throws when there is none.
  explicit Reader(const std::string& path);
  /// `name` is what messages call the file.
  Reader(std::string name, std::unique_ptr<ByteSource> bytes);

  /// The next event; false at the end of the trace.
  bool next(Event& event);

  /// The comment lines before the first event, without '#' and line ending.
  const std::vector<std::string>& head() const { return head_; }
  const std::string& name() const { return name_; }

 private:
  void read_head();
  void check_declarations() const;
  bool next_line();
  bool fill();
  void check_characters() const;
  void parse(Event& event);
  [[noreturn]] void refuse_field(Field field, const char* begin, bool too_large) const;
  [[noreturn]] void refuse(const char* where, const std::string& what) const;

  std::string name_;
  std::unique_ptr<ByteSource> bytes_;
  std::vector<std::string> head_;
  std::vector<char> buffer_;
  char* cursor_;  ///< first character behind the current line
  char* filled_;  ///< end of the characters in the buffer
  /// The current line. *line_end_ is '\r' or '\n': scanning needs no bounds check.
  const char* line_begin_ = nullptr;
  const char* line_end_ = nullptr;
  std::uint64_t line_ = 0;
  std::uint64_t last_time_ns_ = 0;
  bool pending_ = false;  ///< the current line is an event that next() has not delivered
};

}  // namespace iommusim::traces
