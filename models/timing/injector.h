// SPDX-License-Identifier: Apache-2.0
// Decides which events the injections strike, counts and logs each strike. Components ask it at the event, through a
// pointer that is null when nothing is injected: one branch. The same seed and the same events give the same strikes;
// each entry draws from random numbers of its own.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "stats/stats.h"
#include "timing/injection.h"

namespace iommusim::timing {

struct InjectionStats : stats::Group {
  using stats::Group::Group;
  Counter events{*this, "events", Unit::kCount, "events that the entry looks at"};
  Counter strikes{*this, "strikes", Unit::kCount, "of these, struck"};
};

class Injector {
 public:
  /// Statistics go under `parent`.inject, once there is an entry. `seed` is the timing seed.
  Injector(std::uint64_t seed, stats::Group& parent) : seed_(seed), parent_(parent) {}

  /// A name that exists gets the new entry, and its statistics go on. The entry must be without objection.
  void add(const std::string& name, const InjectionParams& injection);
  /// It strikes no more; its statistics stay. false: there is none of that name.
  bool remove(const std::string& name);
  /// How often an entry of that name struck; nothing: there was none.
  std::optional<std::uint64_t> strikes(const std::string& name) const;
  bool empty() const { return entries_.empty(); }

  // Events.
  struct MemoryEvent {
    AccessTarget target = AccessTarget::kOwn;  ///< never kOwn
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
    bool is_write = false;
    base::DeviceId device{};  ///< target dma
  };
  struct MemoryStrike {
    translate::MemoryStatus status = translate::MemoryStatus::kOk;
    bool illegal_command = false;
    std::uint64_t delay_ns = 0;
  };
  MemoryStrike memory(const MemoryEvent& event, base::Picoseconds now);
  MemoryStrike memory(const translate::MemoryAsk& ask, bool is_write, base::Picoseconds now) {
    return memory({target_of(ask.structure), ask.address, ask.bytes, is_write, {}}, now);
  }
  /// Before an entry of the queue; for how long (ns).
  std::uint64_t stall(InjectionQueue queue, base::Picoseconds now);
  struct CompletionStrike {
    bool dropped = false;
    std::uint64_t delay_ns = 0;
  };
  /// A completion of an ATS invalidation arrived.
  CompletionStrike completion(base::DeviceId device, base::Picoseconds now);
  /// An ATS invalidation is sent; nothing, or in how many ns it is given up.
  std::optional<std::uint64_t> time_out(base::DeviceId device, base::Picoseconds now);
  /// A packet of a device is about to take the link; nothing, or how many ns later it is sent once more.
  std::optional<std::uint64_t> retry(const std::string& port, bool is_write, base::Picoseconds now);

  /// One line a strike, oldest first, with a heading: time_ps,name,kind,at,address,device. The first kLogged strikes
  /// only; then a line says how many more there were.
  std::string log() const;
  static constexpr std::size_t kLogged = 100'000;

  /// What a command that does not exist looks like: its opcode is reserved.
  static void make_illegal(translate::MemoryAnswer& answer) { answer.data[0] = ~0ULL; }

 private:
  struct Entry {
    Entry(const std::string& entry_name, stats::Group& parent) : name(entry_name), stats(parent, entry_name) {}
    std::string name;
    InjectionParams params{};
    bool armed = false;
    std::uint64_t seen = 0;    ///< since it was added last
    std::uint64_t struck = 0;  ///< as `seen`
    base::Random random{0};
    InjectionStats stats;
  };
  struct Strike {
    base::Picoseconds time = 0;
    const Entry* entry = nullptr;
    InjectionKind kind{};
    const char* at = "";  ///< a target, a queue; or a port, whose name lives as long as the machine
    std::uint64_t address = 0;
    std::int64_t device = -1;
  };

  Entry* find(const std::string& name);
  bool due(Entry& entry);
  void note(const Entry& entry, base::Picoseconds now, const char* at, std::uint64_t address, std::int64_t device);

  std::uint64_t seed_;
  stats::Group& parent_;
  std::unique_ptr<stats::Group> group_;
  std::deque<Entry> entries_;
  std::vector<Strike> log_;
  std::uint64_t unlogged_ = 0;
};

/// Performs an access that is answered at once, as far as nothing strikes it. `delay_ns` grows by what does.
template <class Perform>
translate::MemoryAnswer perform_with(Injector* injector, const translate::MemoryAsk& ask, bool is_write,
                                     base::Picoseconds now, std::uint64_t& delay_ns, Perform&& perform) {
  if (injector == nullptr) return perform();
  const Injector::MemoryStrike strike = injector->memory(ask, is_write, now);
  delay_ns += strike.delay_ns;
  if (strike.status != translate::MemoryStatus::kOk) return {strike.status, {}};
  translate::MemoryAnswer answer = perform();
  if (strike.illegal_command) Injector::make_illegal(answer);
  return answer;
}

}  // namespace iommusim::timing
