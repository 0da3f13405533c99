// SPDX-License-Identifier: Apache-2.0
// The configuration of an embedded IOMMU: what one YAML text says. The groups `implementation` and `engine` are those
// of every other use of the model.
#pragma once

#include <map>
#include <string>

#include "spec/parameters.h"
#include "timing/injection.h"
#include "timing/params.h"
#include "translate/functional_caches.h"

namespace iommusim::embed {

enum class Mode : std::uint8_t { kFunctional, kCycle };
inline constexpr base::Choice<Mode> kModes[] = {
    {"functional", "translates at once", Mode::kFunctional},
    {"cycle", "the cycle model: caches, walkers, queues, contention", Mode::kCycle},
};

/// The host's memory as the cycle model sees it: the callback runs when an access leaves, its answer arrives later.
struct HostMemoryParams {
  std::uint32_t cycles = 100;
  std::uint32_t jitter_cycles = 0;
  std::uint32_t forward_cycles = 100;

  template <class V>
  static constexpr void describe(V&& v) {
    using P = HostMemoryParams;
    using params::Range;
    using params::Unit;
    v("cycles", &P::cycles, Unit::kCycle, Range{1, 1 << 20}, "from an access of the IOMMU itself to its answer");
    v("jitter_cycles", &P::jitter_cycles, Unit::kCycle, Range{0, 1 << 20},
      "random extra of up to this much: answers overtake each other");
    v("forward_cycles", &P::forward_cycles, Unit::kCycle, Range{0, 1 << 20},
      "from the end of a translation until its DMA is performed, for which fences wait");
  }
};

struct EmbedParams {
  Mode mode = Mode::kFunctional;
  std::uint64_t seed = 1;
  spec::Implementation implementation{};
  translate::FunctionalCacheParams functional{};
  timing::EngineParams engine{};
  HostMemoryParams memory{};
  std::map<std::string, timing::InjectionParams> inject;

  template <class V>
  static constexpr void describe(V&& v) {
    using P = EmbedParams;
    v("mode", &P::mode, kModes, "how requests are served");
    v("seed", &P::seed, params::Unit::kCount, params::Range{0, ~0ULL}, "random choices of the hardware; mode cycle");
    v.group("implementation", &P::implementation, "what the implementation chooses of the architecture");
    v.group("functional", &P::functional, "what is remembered; mode functional");
    v.group("engine", &P::engine, "micro-architecture; mode cycle");
    v.group("memory", &P::memory, "the host's memory; mode cycle");
    v.named_groups("inject", &P::inject, "what goes wrong on purpose, by name");
  }
};

/// What can be injected into an instance of that mode.
constexpr timing::InjectionScope injection_scope(Mode mode) {
  const bool cycle = mode == Mode::kCycle;
  return {cycle, cycle, false, false};
}
timing::InjectionParams injection_of_text(const char* yaml, Mode mode);

/// InputError for whatever is wrong, with its place.
EmbedParams params_of_text(const char* yaml);
EmbedParams params_of_file(const char* path);

}  // namespace iommusim::embed
