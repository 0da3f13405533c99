// SPDX-License-Identifier: Apache-2.0
#include "traces/reader.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "traces/scan.h"

namespace iommusim::traces {
namespace {

constexpr std::string_view kVersionTag = " iommusim-trace ";
constexpr std::string_view kColumnsTag = " columns: ";
constexpr char kHexDigits[] = "0123456789abcdef";
constexpr std::ptrdiff_t kMaxShown = 40;  // characters of a field in a message
constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;
static_assert(kBufferBytes > 2 * kMaxLineBytes, "a line must fit beside what is read ahead");

struct Column {
  const char* name;
  const char* expected;
};
constexpr Column kColumnTexts[kFields] = {
    {"time_ns", "a decimal number below 2^64"},
    {"source", "a PCI address bb:dd.f or ssss:bb:dd.f (lower-case hex, device up to 1f, function up to 7)"},
    {"op", "R, W, X, M, U or I"},
    {"iova", "0x and 1 to 16 lower-case hex digits"},
    {"bytes", "a decimal number below 2^64"},
    {"pa", "0x and 1 to 16 lower-case hex digits, or nothing"},
};

bool starts_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

}  // namespace

Reader::Reader(const std::string& path) : Reader(path, open_file(path)) {}

Reader::Reader(std::string name, std::unique_ptr<ByteSource> bytes)
    : name_(std::move(name)),
      bytes_(std::move(bytes)),
      buffer_(kBufferBytes + 1),  // room for the line feed that the last line may lack
      cursor_(buffer_.data()),
      filled_(cursor_) {
  read_head();
}

void Reader::read_head() {
  std::size_t head_bytes = 0;
  while (next_line()) {
    if (*line_begin_ != '#') {
      pending_ = true;
      return;
    }
    check_declarations();
    head_.emplace_back(line_begin_ + 1, line_end_);
    head_bytes += head_.back().size();
    if (head_bytes > kMaxHeadBytes) refuse(line_begin_, "more than 64 KiB of comments, expected an event before");
  }
  ++line_;
  line_begin_ = line_end_ = cursor_;
  refuse(line_begin_, line_ == 1 ? "empty file, expected at least one event" : "no event, expected at least one");
}

/// The two comments that bind the reader: the version, in line 1, and the names of the columns.
void Reader::check_declarations() const {
  check_characters();
  const std::string_view comment(line_begin_ + 1, static_cast<std::size_t>(line_end_ - line_begin_ - 1));
  if (line_ == 1 && starts_with(comment, kVersionTag) && comment != kVersionLine)
    refuse(line_begin_ + 1 + kVersionTag.size(), "unknown version of the trace format, expected 1");
  if (starts_with(comment, kColumnsTag)) {
    const std::string_view names = comment.substr(kColumnsTag.size());
    if (names.substr(0, names.find_first_of(" \t")) != kColumns)
      refuse(line_begin_ + 1 + kColumnsTag.size(), std::string("unknown columns, expected ") + kColumns);
  }
}

bool Reader::next(Event& event) {
  while (!pending_) {
    if (!next_line()) return false;
    pending_ = *line_begin_ != '#';
    if (!pending_) check_characters();
  }
  pending_ = false;
  parse(event);
  return true;
}

bool Reader::next_line() {
  char* from = cursor_;  // nothing before it is a line feed
  char* feed;
  while ((feed = static_cast<char*>(std::memchr(from, '\n', static_cast<std::size_t>(filled_ - from)))) == nullptr) {
    const std::ptrdiff_t partial = filled_ - cursor_;
    if (partial > static_cast<std::ptrdiff_t>(kMaxLineBytes) + 1) {
      feed = filled_;  // refused below
      break;
    }
    if (!fill()) {
      if (cursor_ == filled_) return false;
      feed = filled_;
      *feed = '\n';
      break;
    }
    from = cursor_ + partial;
  }
  ++line_;
  line_begin_ = cursor_;
  line_end_ = feed;
  cursor_ = std::min(feed + 1, filled_);
  if (line_end_ != line_begin_ && line_end_[-1] == '\r') --line_end_;
  if (line_end_ - line_begin_ > static_cast<std::ptrdiff_t>(kMaxLineBytes))
    refuse(line_begin_ + kMaxLineBytes, "overlong line, expected at most 4096 characters");
  return true;
}

/// Moves the partial line to the front of the buffer and reads on; false at the end of the data.
bool Reader::fill() {
  const std::ptrdiff_t partial = filled_ - cursor_;
  std::memmove(buffer_.data(), cursor_, static_cast<std::size_t>(partial));
  cursor_ = buffer_.data();
  filled_ = cursor_ + partial;
  const std::size_t got = bytes_->read(filled_, kBufferBytes - static_cast<std::size_t>(partial));
  filled_ += got;
  if (!bytes_->error().empty()) {
    ++line_;
    line_begin_ = cursor_;
    refuse(filled_, bytes_->error());
  }
  return got != 0;
}

void Reader::check_characters() const {
  const char* const bad = std::find_if_not(line_begin_, line_end_, is_text);
  if (bad == line_end_) return;
  const auto byte = static_cast<unsigned char>(*bad);
  refuse(bad,
         std::string("byte 0x") + kHexDigits[byte >> 4] + kHexDigits[byte & 15] + ", expected printable ASCII text");
}

void Reader::parse(Event& event) {
  const char* begin[kFields];
  const char* at = line_begin_;
  if (at == line_end_) refuse(at, "empty line, expected an event or a comment");
  const auto take = [&](Field field, auto scan, auto& value) {
    const char* const start = begin[static_cast<unsigned>(field)] = at;
    const Scan result = scan(at, value);
    const bool closed = field == Field::kPa ? at == line_end_ : *at == ',';
    if (result != Scan::kOk || !closed) refuse_field(field, start, result == Scan::kTooLarge);
    ++at;
  };
  take(Field::kTime, scan_decimal, event.time_ns);
  take(Field::kSource, scan_source, event.source);
  take(Field::kOp, scan_op, event.op);
  take(Field::kIova, scan_hex, event.iova);
  take(Field::kBytes, scan_decimal, event.bytes);
  event.has_pa = at != line_end_;
  begin[static_cast<unsigned>(Field::kPa)] = at;
  if (event.has_pa)
    take(Field::kPa, scan_hex, event.pa);
  else
    event.pa = 0;
  event.line = line_;
  if (event.time_ns < last_time_ns_)
    refuse(line_begin_, "time runs backwards, expected at least " + std::to_string(last_time_ns_) +
                            ", the time of the event before");
  last_time_ns_ = event.time_ns;
  Field field;
  if (const char* const broken = broken_rule(event, field)) refuse(begin[static_cast<unsigned>(field)], broken);
}

/// Says what is wrong with a field that did not scan; a foreign character or a wrong number of columns explains more.
void Reader::refuse_field(Field field, const char* begin, bool too_large) const {
  check_characters();
  const auto commas = static_cast<unsigned>(std::count(line_begin_, line_end_, ','));
  if (commas + 1 != kFields) {
    const char* where = line_end_;
    if (commas + 1 > kFields) {
      where = line_begin_;
      for (unsigned i = 0; i < kFields; ++i) where = std::find(where, line_end_, ',') + 1;
    }
    refuse(where,
           std::to_string(commas + 1) + (commas == 0 ? " column, expected 6: " : " columns, expected 6: ") + kColumns);
  }
  const Column& column = kColumnTexts[static_cast<unsigned>(field)];
  const char* const end = std::find(begin, line_end_, ',');
  std::string shown(begin, std::min(end, begin + std::min(kMaxShown, end - begin)));
  if (end - begin > kMaxShown) shown += "...";
  refuse(begin, std::string(column.name) + " '" + shown + (too_large ? "' is too large" : "' is malformed") +
                    ", expected " + column.expected);
}

void Reader::refuse(const char* where, const std::string& what) const {
  const auto line =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(line_, std::numeric_limits<std::uint32_t>::max()));
  throw base::InputError({name_, line, static_cast<std::uint32_t>(where - line_begin_ + 1)}, what);
}

}  // namespace iommusim::traces
