// SPDX-License-Identifier: Apache-2.0
#include "traces/byte_source.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/error.h"

namespace iommusim::traces {
namespace {

/// The compressed (or plain) side: a window [pos, end) on the raw bytes. Owns the descriptor.
class RawInput {
 public:
  explicit RawInput(int fd) : fd_(fd), buffer_(kChunk, '\0') {}
  explicit RawInput(std::string bytes) : buffer_(std::move(bytes)), end_(buffer_.size()) {}
  RawInput(const RawInput&) = delete;
  RawInput& operator=(const RawInput&) = delete;
  ~RawInput() {
    if (fd_ >= 0) ::close(fd_);
  }

  std::string_view window() const { return std::string_view(buffer_).substr(pos_, end_ - pos_); }
  void consume(std::size_t bytes) { pos_ += bytes; }
  const std::string& error() const { return error_; }

  /// Makes at least `wanted` bytes visible; false when the data ends before.
  bool ensure(std::size_t wanted) {
    if (end_ - pos_ >= wanted) return true;
    if (fd_ < 0) return false;
    buffer_.replace(0, end_ - pos_, buffer_, pos_, end_ - pos_);
    end_ -= pos_;
    pos_ = 0;
    while (end_ < wanted) {
      const ssize_t got = ::read(fd_, buffer_.data() + end_, buffer_.size() - end_);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) error_ = std::string("cannot read: ") + std::strerror(errno);
      if (got <= 0) return false;
      end_ += static_cast<std::size_t>(got);
    }
    return true;
  }

 private:
  static constexpr std::size_t kChunk = std::size_t{256} * 1024;
  int fd_ = -1;  ///< -1: all bytes are in the buffer
  std::string buffer_;
  std::size_t pos_ = 0;
  std::size_t end_ = 0;
  std::string error_;
};

class PlainBytes final : public ByteSource {
 public:
  explicit PlainBytes(std::unique_ptr<RawInput> input) : input_(std::move(input)) {}
  std::size_t read(char* out, std::size_t capacity) override {
    if (!input_->ensure(1)) {
      error_ = input_->error();
      return 0;
    }
    const std::string_view window = input_->window();
    const std::size_t bytes = std::min(capacity, window.size());
    std::memcpy(out, window.data(), bytes);
    input_->consume(bytes);
    return bytes;
  }

 private:
  std::unique_ptr<RawInput> input_;
};

class ZstdBytes final : public ByteSource {
 public:
  explicit ZstdBytes(std::unique_ptr<RawInput> input) : input_(std::move(input)), stream_(ZSTD_createDStream()) {}
  ZstdBytes(const ZstdBytes&) = delete;
  ZstdBytes& operator=(const ZstdBytes&) = delete;
  ~ZstdBytes() override { ZSTD_freeDStream(stream_); }

  std::size_t read(char* out, std::size_t capacity) override {
    ZSTD_outBuffer produced{out, capacity, 0};
    while (error_.empty() && produced.pos == 0) {
      const bool more = input_->ensure(1);
      if (!more && !input_->error().empty()) return fail(input_->error());
      if (!more && !in_frame_) return 0;
      ZSTD_inBuffer taken{input_->window().data(), input_->window().size(), 0};
      const std::size_t result = ZSTD_decompressStream(stream_, &produced, &taken);
      input_->consume(taken.pos);
      if (ZSTD_isError(result) != 0)
        return fail(std::string("broken zstd data (") + ZSTD_getErrorName(result) + "), expected a zstd frame");
      in_frame_ = result != 0;
      if (!more && in_frame_ && produced.pos == 0) return fail("truncated zstd frame, expected more compressed data");
    }
    return produced.pos;
  }

 private:
  std::size_t fail(std::string why) {
    error_ = std::move(why);
    return 0;
  }
  std::unique_ptr<RawInput> input_;
  ZSTD_DStream* stream_;
  bool in_frame_ = false;
};

class GzipBytes final : public ByteSource {
 public:
  explicit GzipBytes(std::unique_ptr<RawInput> input) : input_(std::move(input)) {
    base::ensure(inflateInit2(&stream_, 15 + 16) == Z_OK, "zlib refuses to start");
  }
  GzipBytes(const GzipBytes&) = delete;
  GzipBytes& operator=(const GzipBytes&) = delete;
  ~GzipBytes() override { inflateEnd(&stream_); }

  std::size_t read(char* out, std::size_t capacity) override {
    const auto room = static_cast<uInt>(std::min<std::size_t>(capacity, 1U << 30));
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = room;
    while (error_.empty() && stream_.avail_out == room) {
      const bool more = input_->ensure(1);
      if (!more && !input_->error().empty()) return fail(input_->error());
      if (!more && !in_member_) return 0;
      const std::string_view window = input_->window();
      const auto offered = static_cast<uInt>(std::min<std::size_t>(window.size(), 1U << 30));
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(window.data()));
      stream_.avail_in = offered;
      in_member_ = true;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      input_->consume(offered - stream_.avail_in);
      if (result == Z_STREAM_END) {  // another member may follow
        in_member_ = false;
        inflateReset(&stream_);
      } else if (!more && stream_.avail_out == room) {
        return fail("truncated gzip stream, expected more compressed data");
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return fail("broken gzip data, expected a gzip member");
      }
    }
    return room - stream_.avail_out;
  }

 private:
  std::size_t fail(std::string why) {
    error_ = std::move(why);
    return 0;
  }
  std::unique_ptr<RawInput> input_;
  z_stream stream_{};
  bool in_member_ = false;
};

std::unique_ptr<ByteSource> open_by_content(std::unique_ptr<RawInput> input) {
  input->ensure(4);
  const std::string_view head = input->window();
  const auto starts_with = [head](std::string_view magic) { return head.substr(0, magic.size()) == magic; };
  // RFC 8878 3.1.1 and 3.1.2: a frame, or a skippable frame (0x184d2a50 to 5f) before it.
  const bool skippable = head.size() >= 4 && (head[0] & '\xf0') == '\x50' && head.substr(1, 3) == "\x2a\x4d\x18";
  if (starts_with("\x28\xb5\x2f\xfd") || skippable) return std::make_unique<ZstdBytes>(std::move(input));
  if (starts_with("\x1f\x8b")) return std::make_unique<GzipBytes>(std::move(input));
  return std::make_unique<PlainBytes>(std::move(input));
}

}  // namespace

std::unique_ptr<ByteSource> open_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw base::InputError({path, 0, 0}, std::string("cannot open: ") + std::strerror(errno));
  return open_by_content(std::make_unique<RawInput>(fd));
}

std::unique_ptr<ByteSource> open_memory(std::string bytes) {
  return open_by_content(std::make_unique<RawInput>(std::move(bytes)));
}

}  // namespace iommusim::traces
