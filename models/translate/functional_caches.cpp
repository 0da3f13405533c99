// SPDX-License-Identifier: Apache-2.0
#include "translate/functional_caches.h"

#include "base/error.h"

namespace iommusim::translate {
namespace {

std::uint32_t size_of(std::uint32_t entries, const char* name) {
  if ((entries & (entries - 1)) != 0)
    throw base::InputError(std::string("functional.") + name + " is " + std::to_string(entries) +
                           ", expected 0 or a power of two");
  return entries;
}

}  // namespace

FunctionalCaches::FunctionalCaches(const FunctionalCacheParams& params)
    : outcomes_(size_of(params.translations, "translations")),
      devices_(size_of(params.contexts, "contexts")),
      processes_(params.contexts),
      walks_(size_of(params.walk_entries, "walk_entries")) {}

void FunctionalCaches::keep(const Request& request, const Outcome& outcome) {
  const bool plain = request.type == AddressType::kUntranslated || request.type == AddressType::kTranslated;
  if (plain && !request.debug && !outcome.is_msi && outcome.kind == Outcome::Kind::kTranslated)
    outcomes_.put(key_of(request), outcome);
}

FunctionalKey FunctionalCaches::key_of(const WalkKey& key, unsigned level) {
  const unsigned index_bits = key.levels == 2 ? 10 : 9;
  return {std::uint64_t{key.tag.gscid.value} | std::uint64_t{key.tag.pscid.value} << 16 |
              std::uint64_t{key.tag.first_stage} << 36 | std::uint64_t{key.tag.second_stage} << 37 |
              std::uint64_t{key.second_stage} << 38 | std::uint64_t{key.levels} << 40 | std::uint64_t{level} << 44,
          key.address >> (base::kPageShift + index_bits * level)};
}

const WalkEntry* FunctionalCaches::walk(const WalkKey& key) {
  for (unsigned level = 1; level < key.levels; ++level)
    if (const WalkEntry* const entry = walks_.find(key_of(key, level)); entry != nullptr) return entry;
  return nullptr;
}

void FunctionalCaches::fill(const Ask& ask) {
  switch (ask.kind) {
    case AskKind::kFillDevice:
      return devices_.put({ask.device.value, 0}, *ask.device_context);
    case AskKind::kFillProcess:
      return processes_.put({ask.device.value, ask.process.value}, *ask.process_context);
    case AskKind::kFillWalk:
      return walks_.put(key_of(ask.walk, ask.walk.level), ask.walk_entry);
    default:
      return;
  }
}

/// An outcome stands on a context and on page tables; a non-leaf entry is tagged with its address space alone.
void FunctionalCaches::invalidate(const Invalidation& invalidation) {
  outcomes_.clear();
  if (invalidation.kind == Invalidation::Kind::kVma || invalidation.kind == Invalidation::Kind::kGvma)
    return walks_.clear();
  devices_.clear();
  processes_.clear();
}

void FunctionalCaches::clear() {
  outcomes_.clear();
  devices_.clear();
  processes_.clear();
  walks_.clear();
}

}  // namespace iommusim::translate
