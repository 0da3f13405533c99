// SPDX-License-Identifier: Apache-2.0
// Any bytes are either a trace or refused with a position. What is accepted keeps the rules, is in time order, reads
// the same after being written again, and can be summarized.
#include <cstdint>
#include <string>

#include "base/error.h"
#include "traces/reader.h"
#include "traces/summary.h"
#include "traces/writer.h"

namespace base = iommusim::base;
namespace traces = iommusim::traces;

namespace {

void check_event(const traces::Event& event, std::uint64_t last_time_ns) {
  traces::Field field;
  base::ensure(traces::broken_rule(event, field) == nullptr, "an event that breaks a rule was accepted");
  base::ensure(event.time_ns >= last_time_ns, "an event out of time order was accepted");
  char line[traces::kMaxEventText];
  const std::string text(line, traces::format_event(event, line));
  traces::Reader reader("again", traces::open_memory(text));
  traces::Event again;
  base::ensure(reader.next(again) && again == event, "an event reads differently after it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr unsigned kChecked = 50;  // a small compressed input can hold millions of events
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    traces::Reader reader("input", traces::open_memory(bytes));
    traces::Event event;
    std::uint64_t last_time_ns = 0;
    for (unsigned i = 0; i < kChecked && reader.next(event); ++i) {
      check_event(event, last_time_ns);
      last_time_ns = event.time_ns;
    }
    traces::Reader whole("input", traces::open_memory(bytes));
    base::ensure(!traces::to_json(traces::summarize(whole)).empty(), "an empty summary");
  } catch (const base::InputError& error) {
    const std::string what = error.what();
    base::ensure(what.compare(0, 6, "input:") == 0 && what.find(", expected ") != std::string::npos,
                 "a refusal without position or expectation");
  }
  return 0;
}
