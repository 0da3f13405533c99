// SPDX-License-Identifier: Apache-2.0
#include "timing/injector.h"

#include <algorithm>
#include <cstdio>

namespace iommusim::timing {

namespace {

constexpr const char* kind_name(InjectionKind kind) { return kInjectionKinds[static_cast<unsigned>(kind)].name; }

/// FNV-1a: the same on every machine.
std::uint64_t number_of(const std::string& name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

bool concerns(const InjectionParams& params, bool is_write) {
  return params.access == InjectionAccess::kAny || (params.access == InjectionAccess::kWrite) == is_write;
}

bool concerns(const InjectionParams& params, base::DeviceId device) {
  return params.device < 0 || params.device == static_cast<std::int64_t>(device.value);
}

bool concerns(const InjectionParams& params, const Injector::MemoryEvent& event) {
  const bool is_dma = event.target == AccessTarget::kDma;
  if (params.target == AccessTarget::kOwn ? is_dma : params.target != event.target) return false;
  if (params.kind == InjectionKind::kIllegalCommand && event.target != target_of(translate::Structure::kCommandQueue))
    return false;
  if (!concerns(params, event.is_write) || (is_dma && !concerns(params, event.device))) return false;
  if (params.bytes == 0) return true;
  return event.address < params.address ? params.address - event.address < event.bytes
                                        : event.address - params.address < params.bytes;
}

}  // namespace

InjectionObjection object_to(const InjectionParams& p, const InjectionScope& scope) {
  const InjectionParams defaults;
  const std::string kind = kind_name(p.kind);
  const auto means_nothing = [&](const char* field) {
    return InjectionObjection{field, "means nothing with kind " + kind + ", expected none"};
  };
  const bool uses_device = p.strikes_ats() || (p.strikes_memory() && p.target == AccessTarget::kDma);
  if (!p.strikes_memory()) {
    if (p.target != defaults.target) return means_nothing("target");
    if (p.bytes != 0 || p.address != 0) return means_nothing(p.bytes != 0 ? "bytes" : "address");
    if (p.kind != InjectionKind::kLinkRetry && p.access != defaults.access) return means_nothing("access");
  }
  if (p.strikes_memory() && p.address != 0 && p.bytes == 0)
    return {"bytes", "0 is everywhere, expected the length of the range at address"};
  if (p.kind == InjectionKind::kIllegalCommand && p.target != AccessTarget::kOwn &&
      p.target != target_of(translate::Structure::kCommandQueue))
    return {"target", "only a command can be illegal, expected command_queue"};
  if (p.device >= 0 && !uses_device) return {"device", "is known of ats kinds and of target dma only, expected none"};
  if (p.queue != defaults.queue && p.kind != InjectionKind::kQueueStall) return means_nothing("queue");
  if (!p.port.empty() && p.kind != InjectionKind::kLinkRetry) return means_nothing("port");
  const bool needs_delay =
      p.kind == InjectionKind::kDelay || p.kind == InjectionKind::kQueueStall || p.kind == InjectionKind::kAtsLate;
  if (needs_delay && p.delay_ns == 0) return {"delay_ns", "is 0, expected how long"};
  if (p.kind == InjectionKind::kAtsDrop && p.delay_ns != 0) return means_nothing("delay_ns");
  if (!scope.dma && p.target == AccessTarget::kDma && p.strikes_memory())
    return {"target", "DMA does not pass here, expected an access of the IOMMU itself"};
  if (!scope.links && p.kind == InjectionKind::kLinkRetry) return {"kind", "there is no bus here, expected another"};
  if (!scope.queues && (p.kind == InjectionKind::kQueueStall || p.strikes_ats()))
    return {"kind", kind + " needs the cycle model, expected mode cycle"};
  if (!scope.time && p.delay_ns != 0) return {"delay_ns", "accesses take no time here, expected mode cycle"};
  return {};
}

Injector::Entry* Injector::find(const std::string& name) {
  for (Entry& entry : entries_)
    if (entry.name == name) return &entry;
  return nullptr;
}

void Injector::add(const std::string& name, const InjectionParams& injection) {
  if (!group_) group_ = std::make_unique<stats::Group>(parent_, "inject");
  Entry* entry = find(name);
  if (entry == nullptr) entry = &entries_.emplace_back(name, *group_);
  entry->params = injection;
  entry->armed = true;
  entry->seen = entry->struck = 0;
  entry->random = base::Random(seed_ ^ number_of(name));
}

bool Injector::remove(const std::string& name) {
  Entry* const entry = find(name);
  if (entry == nullptr || !entry->armed) return false;
  entry->armed = false;
  return true;
}

std::optional<std::uint64_t> Injector::strikes(const std::string& name) const {
  for (const Entry& entry : entries_)
    if (entry.name == name) return entry.stats.strikes.value();
  return {};
}

/// The entry selects an event: is this one struck?
bool Injector::due(Entry& entry) {
  const InjectionParams& p = entry.params;
  const std::uint64_t number = entry.seen++;
  ++entry.stats.events;
  if (number < p.skip || (number - p.skip) % p.every != 0) return false;
  if (p.count != 0 && entry.struck == p.count) return false;
  constexpr double kSteps = 9007199254740992.0;  // 2^53: all doubles below it are whole
  if (p.probability < 1 && static_cast<double>(entry.random.below(1ULL << 53)) >= p.probability * kSteps) return false;
  ++entry.struck;
  ++entry.stats.strikes;
  return true;
}

void Injector::note(const Entry& entry, base::Picoseconds now, const char* at, std::uint64_t address,
                    std::int64_t device) {
  if (log_.size() == kLogged)
    ++unlogged_;
  else
    log_.push_back({now, &entry, entry.params.kind, at, address, device});
}

Injector::MemoryStrike Injector::memory(const MemoryEvent& event, base::Picoseconds now) {
  MemoryStrike strike;
  for (Entry& entry : entries_) {
    if (!entry.armed || !entry.params.strikes_memory() || !concerns(entry.params, event) || !due(entry)) continue;
    note(entry, now, name_of(event.target), event.address,
         event.target == AccessTarget::kDma ? static_cast<std::int64_t>(event.device.value) : -1);
    strike.delay_ns += entry.params.delay_ns;
    switch (entry.params.kind) {
      case InjectionKind::kAccessFault:
        strike.status = translate::MemoryStatus::kAccessFault;
        break;
      case InjectionKind::kPoison:
        if (strike.status == translate::MemoryStatus::kOk) strike.status = translate::MemoryStatus::kCorrupt;
        break;
      case InjectionKind::kIllegalCommand:
        strike.illegal_command = true;
        break;
      default:
        break;
    }
  }
  return strike;
}

std::uint64_t Injector::stall(InjectionQueue queue, base::Picoseconds now) {
  std::uint64_t stall = 0;
  for (Entry& entry : entries_) {
    if (!entry.armed || entry.params.kind != InjectionKind::kQueueStall || entry.params.queue != queue || !due(entry))
      continue;
    note(entry, now, kInjectionQueues[static_cast<unsigned>(queue)].name, 0, -1);
    stall += entry.params.delay_ns;
  }
  return stall;
}

Injector::CompletionStrike Injector::completion(base::DeviceId device, base::Picoseconds now) {
  CompletionStrike strike;
  for (Entry& entry : entries_) {
    const InjectionKind kind = entry.params.kind;
    if (!entry.armed || (kind != InjectionKind::kAtsDrop && kind != InjectionKind::kAtsLate) ||
        !concerns(entry.params, device) || !due(entry))
      continue;
    note(entry, now, "completion", 0, device.value);
    if (kind == InjectionKind::kAtsDrop) strike.dropped = true;
    strike.delay_ns += entry.params.delay_ns;
  }
  return strike;
}

std::optional<std::uint64_t> Injector::time_out(base::DeviceId device, base::Picoseconds now) {
  std::optional<std::uint64_t> delay;
  for (Entry& entry : entries_) {
    if (!entry.armed || entry.params.kind != InjectionKind::kAtsTimeOut || !concerns(entry.params, device) ||
        !due(entry))
      continue;
    note(entry, now, "invalidation", 0, device.value);
    delay = std::min(delay.value_or(entry.params.delay_ns), entry.params.delay_ns);
  }
  return delay;
}

std::optional<std::uint64_t> Injector::retry(const std::string& port, bool is_write, base::Picoseconds now) {
  std::optional<std::uint64_t> delay;
  for (Entry& entry : entries_) {
    const InjectionParams& p = entry.params;
    if (!entry.armed || p.kind != InjectionKind::kLinkRetry || (!p.port.empty() && p.port != port) ||
        !concerns(p, is_write) || !due(entry))
      continue;
    note(entry, now, port.c_str(), 0, -1);
    delay = delay.value_or(0) + p.delay_ns;
  }
  return delay;
}

std::string Injector::log() const {
  std::string text = "time_ps,name,kind,at,address,device\n";
  for (const Strike& strike : log_) {
    char line[96];
    std::snprintf(line, sizeof line, "0x%llx,", static_cast<unsigned long long>(strike.address));
    text += std::to_string(strike.time) + ',' + strike.entry->name + ',' + kind_name(strike.kind) + ',' + strike.at +
            ',' + (strike.kind <= InjectionKind::kIllegalCommand ? line : ",") +
            (strike.device < 0 ? std::string() : std::to_string(strike.device)) + '\n';
  }
  if (unlogged_ != 0) text += "# " + std::to_string(unlogged_) + " more\n";
  return text;
}

}  // namespace iommusim::timing
