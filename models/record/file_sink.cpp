// SPDX-License-Identifier: Apache-2.0
#include "record/file_sink.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "base/error.h"

namespace iommusim::record {

namespace {

using Line = fmt::memory_buffer;

template <class... Arguments>
void append(Line& line, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(line), format, std::forward<Arguments>(arguments)...);
}

/// A file with a cap. `Format` turns a row, and the closing, into a line.
template <class Format>
class FileSink final : public Sink {
 public:
  FileSink(const std::string& path, std::uint64_t max_bytes)
      : path_(path), max_bytes_(max_bytes), file_(std::fopen(path.c_str(), "wb"), &std::fclose) {
    check(file_ != nullptr);
  }
  bool write(const Row& row) override {
    line_.clear();
    Format::row(line_, row);
    if (line_.size() > max_bytes_ - written_) return false;
    put();
    return true;
  }
  void close(const Closing& closing) override {
    line_.clear();
    Format::closing(line_, closing);
    put();
    check(std::fclose(file_.release()) == 0);
  }

 private:
  void put() {
    check(std::fwrite(line_.data(), 1, line_.size(), file_.get()) == line_.size());
    written_ += line_.size();
  }
  void check(bool done) const {
    if (!done) throw base::InputError({path_, 0, 0}, std::string("cannot write the file: ") + std::strerror(errno));
  }

  std::string path_;
  std::uint64_t max_bytes_;
  std::uint64_t written_ = 0;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  Line line_;
};

/// "12000 translation id=1 device=0x10 process=- read iova=0x1000 bytes=64 page=4096 completed done=15000"
struct TextFormat {
  static void row(Line& line, const Row& row) {
    const Event& event = *row.event;
    append(line, "{} {}", event.time, kind_name(event.kind));
    switch (event.kind) {
      case Kind::kTranslation:
        request(line, event);
        append(line, " bytes={} page={} {}", event.bytes, event.page_shift == 0 ? 0 : 1ULL << event.page_shift,
               outcome_name(static_cast<Outcome>(event.code)));
        for (unsigned i = 0; i < kStages; ++i)
          if (const Picoseconds time = row.time_of(static_cast<Stage>(i)); time != base::kNever)
            append(line, " {}={}", stage_name(static_cast<Stage>(i)), time);
        if (const Event* const detail = row.detail; detail != nullptr && detail->code != 0)
          append(line, " found={} reads={}", found_name(static_cast<Found>(detail->code)), detail->bytes);
        if (const Event* const detail = row.detail; detail != nullptr && detail->process != 0)
          append(line, " cause={}", detail->process);
        else if (detail != nullptr && detail->address != 0)
          append(line, " spa={:#x}", detail->address);
        break;
      case Kind::kFault:
        request(line, event);
        append(line, " cause={} iotval={:#x} iotval2={:#x}", event.value[0], event.value[1], event.value[2]);
        break;
      case Kind::kCommand:
        append(line, " id={} words={:#018x},{:#018x} done={}", event.id, event.value[0], event.value[1],
               event.value[2]);
        break;
      case Kind::kRegister:
        append(line, " id={} {} offset={:#x} bytes={} data={:#x} done={}", event.id, event.code == 0 ? "read" : "write",
               event.address, event.bytes, event.value[0], event.value[1]);
        break;
      case Kind::kMap:
      case Kind::kUnmap:
        append(line, " space={} iova={:#x} length={:#x} done={}", event.value[1], event.address, event.value[0],
               event.value[2]);
        break;
      case Kind::kPageRequest:
        page_request(line, event);
        break;
      case Kind::kWideTime:
      case Kind::kDetail:
        base::contradiction("a part of a translation without its translation");
    }
    line.push_back('\n');
  }
  static void closing(Line& line, const Closing& closing) {
    append(line, "# {} at {}: {} records written, {} outside the window, {} not sampled\n",
           closing.full ? "size cap reached, the rest is missing," : "end of run", closing.time, closing.written,
           closing.outside, closing.not_sampled);
  }

 private:
  static void page_request(Line& line, const Event& event) {
    append(line, " id={} device={:#x} payload={:#x}", event.id, event.device, event.value[0]);
  }
  static void request(Line& line, const Event& event) {
    append(line, " id={} device={:#x}", event.id, event.device);
    if (event.process == kNoProcess)
      append(line, " process=-");
    else
      append(line, " process={:#x}", event.process);
    append(line, " {} iova={:#x}", access_name(static_cast<Access>(event.access)), event.address);
  }
};

/// Names and numbers only: nothing needs escaping.
struct JsonFormat {
  static void row(Line& line, const Row& row) {
    const Event& event = *row.event;
    append(line, R"({{"kind":"{}","time":{})", kind_name(event.kind), event.time);
    switch (event.kind) {
      case Kind::kTranslation:
        request(line, event);
        append(line, R"(,"bytes":{},"page_shift":{},"outcome":"{}")", event.bytes, event.page_shift,
               outcome_name(static_cast<Outcome>(event.code)));
        for (unsigned i = 0; i < kStages; ++i)
          if (const Picoseconds time = row.time_of(static_cast<Stage>(i)); time != base::kNever)
            append(line, R"(,"{}":{})", stage_name(static_cast<Stage>(i)), time);
        if (const Event* const detail = row.detail; detail != nullptr)
          append(line, R"(,"found":"{}","reads":{},"cause":{},"spa":{})", found_name(static_cast<Found>(detail->code)),
                 detail->bytes, detail->process, detail->address);
        break;
      case Kind::kFault:
        request(line, event);
        append(line, R"(,"cause":{},"iotval":{},"iotval2":{})", event.value[0], event.value[1], event.value[2]);
        break;
      case Kind::kCommand:
        append(line, R"(,"id":{},"words":[{},{}],"done":{})", event.id, event.value[0], event.value[1], event.value[2]);
        break;
      case Kind::kRegister:
        append(line, R"(,"id":{},"write":{},"offset":{},"bytes":{},"data":{},"done":{})", event.id, event.code != 0,
               event.address, event.bytes, event.value[0], event.value[1]);
        break;
      case Kind::kMap:
      case Kind::kUnmap:
        append(line, R"(,"space":{},"iova":{},"length":{},"done":{})", event.value[1], event.address, event.value[0],
               event.value[2]);
        break;
      case Kind::kPageRequest:
        page_request(line, event);
        break;
      case Kind::kWideTime:
      case Kind::kDetail:
        base::contradiction("a part of a translation without its translation");
    }
    append(line, "}}\n");
  }
  static void closing(Line& line, const Closing& closing) {
    append(line, R"({{"kind":"closing","reason":"{}","time":{},"written":{},"outside":{},"not_sampled":{}}})",
           closing.full ? "size_cap" : "end", closing.time, closing.written, closing.outside, closing.not_sampled);
    line.push_back('\n');
  }

 private:
  static void page_request(Line& line, const Event& event) {
    append(line, R"(,"id":{},"device":{},"payload":{})", event.id, event.device, event.value[0]);
  }
  static void request(Line& line, const Event& event) {
    append(line, R"(,"id":{},"device":{})", event.id, event.device);
    if (event.process != kNoProcess) append(line, R"(,"process":{})", event.process);
    append(line, R"(,"access":"{}","iova":{})", access_name(static_cast<Access>(event.access)), event.address);
  }
};

}  // namespace

std::unique_ptr<Sink> make_text_sink(const std::string& path, std::uint64_t max_bytes) {
  return std::make_unique<FileSink<TextFormat>>(path, max_bytes);
}

std::unique_ptr<Sink> make_json_lines_sink(const std::string& path, std::uint64_t max_bytes) {
  return std::make_unique<FileSink<JsonFormat>>(path, max_bytes);
}

}  // namespace iommusim::record
