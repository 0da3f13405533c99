// SPDX-License-Identifier: Apache-2.0
#include "traces/writer.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "traces/reader.h"
#include "traces/scan.h"

namespace iommusim::traces {
namespace {

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

char* put_decimal(char* out, std::uint64_t value) { return std::to_chars(out, out + 20, value).ptr; }

char* put_hex(char* out, std::uint64_t value) {
  *out++ = '0';
  *out++ = 'x';
  return std::to_chars(out, out + 16, value, 16).ptr;
}

char* put_padded_hex(char* out, unsigned value, unsigned digits) {
  for (unsigned i = digits; i-- > 0;) *out++ = "0123456789abcdef"[(value >> (4 * i)) & 15];
  return out;
}

char* put_source(char* out, Source source) {
  if (source.segment != 0) {
    out = put_padded_hex(out, source.segment, 4);
    *out++ = ':';
  }
  out = put_padded_hex(out, source.bdf >> 8, 2);
  *out++ = ':';
  out = put_padded_hex(out, (source.bdf >> 3) & 0x1f, 2);
  *out++ = '.';
  return put_padded_hex(out, source.bdf & 7, 1);
}

}  // namespace

char* format_event(const Event& event, char* out) {
  out = put_decimal(out, event.time_ns);
  *out++ = ',';
  out = put_source(out, event.source);
  *out++ = ',';
  *out++ = kOpLetters[static_cast<unsigned>(event.op)];
  *out++ = ',';
  out = put_hex(out, event.iova);
  *out++ = ',';
  out = put_decimal(out, event.bytes);
  *out++ = ',';
  if (event.has_pa) out = put_hex(out, event.pa);
  *out++ = '\n';
  return out;
}

/// The temporary file: text in, compressed or not, removed at the end unless commit() renamed it.
class Writer::Sink {
 public:
  Sink(const std::string& path, int level) : path_(path), temporary_(path + ".partial-" + std::to_string(::getpid())) {
    if (ends_with(path, ".gz"))
      throw base::InputError({path, 0, 0}, "gzip is read but not written, expected a name with .zst or without suffix");
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd_ < 0) fail("cannot create");
    if (!ends_with(path, ".zst")) return;
    zstd_ = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(zstd_, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(zstd_, ZSTD_c_checksumFlag, 1);
  }
  ~Sink() {
    ZSTD_freeCCtx(zstd_);
    if (fd_ >= 0) {
      ::close(fd_);
      ::unlink(temporary_.c_str());
    }
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  /// Room for one event's text; give its end to took().
  char* room() {
    if (used_ + kMaxEventText > sizeof text_) flush(false);
    return text_ + used_;
  }
  void took(const char* end) { used_ = static_cast<std::size_t>(end - text_); }
  void put(std::string_view bytes) {
    for (const char c : bytes) {
      *room() = c;
      ++used_;
    }
  }
  void commit() {
    flush(true);
    const int fd = fd_;
    fd_ = -1;
    const bool done = ::close(fd) == 0 && std::rename(temporary_.c_str(), path_.c_str()) == 0;
    if (done) return;
    const int why = errno;
    ::unlink(temporary_.c_str());
    errno = why;
    fail("cannot write");
  }

 private:
  void flush(bool last) {
    if (zstd_ == nullptr) {
      store(text_, used_);
    } else {
      ZSTD_inBuffer in{text_, used_, 0};
      std::size_t left;
      do {
        ZSTD_outBuffer out{packed_, sizeof packed_, 0};
        left = ZSTD_compressStream2(zstd_, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        base::ensure(ZSTD_isError(left) == 0, "zstd refuses to compress");
        store(packed_, out.pos);
      } while (last ? left != 0 : in.pos < in.size);
    }
    used_ = 0;
  }
  void store(const char* bytes, std::size_t count) {
    while (count > 0) {
      const ssize_t done = ::write(fd_, bytes, count);
      if (done < 0 && errno != EINTR) fail("cannot write");
      if (done <= 0) continue;
      bytes += done;
      count -= static_cast<std::size_t>(done);
    }
  }
  [[noreturn]] void fail(const char* what) const {
    throw base::InputError({path_, 0, 0}, std::string(what) + ": " + std::strerror(errno));
  }

  std::string path_;
  std::string temporary_;
  int fd_ = -1;  ///< -1: never made, or committed
  ZSTD_CCtx* zstd_ = nullptr;
  std::size_t used_ = 0;
  char text_[64 * 1024];
  char packed_[64 * 1024];
};

Writer::Writer(const std::string& path, const WriterOptions& options)
    : sink_(std::make_unique<Sink>(path, options.level)) {
  sink_->put(std::string("#") + kVersionLine + '\n');
  std::size_t head_bytes = sizeof kVersionLine;
  for (const std::string& line : options.head) {
    head_bytes += line.size();
    base::ensure(std::all_of(line.begin(), line.end(), is_text), "trace writer: a comment is not ASCII text");
    if (line.size() >= kMaxLineBytes || head_bytes > kMaxHeadBytes)
      throw base::InputError({path, 0, 0}, "the comments are too long, expected 4095 characters a line, 64 KiB in all");
    sink_->put('#' + line + '\n');
  }
}

Writer::~Writer() = default;

void Writer::write(const Event& event) {
  Field field;
  if (const char* const broken = broken_rule(event, field)) base::contradiction(std::string("trace writer: ") + broken);
  base::ensure(event.time_ns >= last_time_ns_, "trace writer: time runs backwards");
  last_time_ns_ = event.time_ns;
  ++events_;
  sink_->took(format_event(event, sink_->room()));
}

void Writer::finish() {
  base::ensure(events_ != 0, "trace writer: a trace needs an event");
  sink_->commit();
}

}  // namespace iommusim::traces
