// SPDX-License-Identifier: Apache-2.0
// Sinks that write one line a record to a file: text for people, JSON lines for tools. Times are absolute picoseconds.
// The last line says why the file ends and what is not in it.
#pragma once

#include <memory>

#include "base/choice.h"
#include "record/sink.h"

namespace iommusim::record {

/// Creates the file at `path`, which holds at most `max_bytes` of records; the closing line comes on top. A file that
/// cannot be written is a base::InputError, here or later.
std::unique_ptr<Sink> make_text_sink(const std::string& path, std::uint64_t max_bytes);
std::unique_ptr<Sink> make_json_lines_sink(const std::string& path, std::uint64_t max_bytes);

using FileSinkMaker = std::unique_ptr<Sink> (*)(const std::string& path, std::uint64_t max_bytes);
inline constexpr base::Choice<FileSinkMaker> kFileSinks[] = {
    {"text", "one line a record, for people", make_text_sink},
    {"jsonl", "one JSON object a line, for tools", make_json_lines_sink},
};

}  // namespace iommusim::record
