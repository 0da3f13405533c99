// SPDX-License-Identifier: Apache-2.0
// The conversation between a resumable process and whoever drives it. A process (a translation, a command, a fault
// report, an interrupt message) asks for one thing at a time and is resumed with the answer. It knows no time and
// allocates nothing. The functional engine answers in a loop, the cycle model charges time for each ask, the
// conformance replayer answers from recorded memory, co-simulation compares asks with what the RTL asks.
#pragma once

#include <array>
#include <cstdint>

#include "spec/contexts.h"
#include "translate/cache_entries.h"
#include "translate/device_message.h"
#include "translate/invalidation.h"
#include "translate/qos.h"

namespace iommusim::translate {

enum class AskKind : std::uint8_t {
  kDone,               ///< finished: read outcome()
  kLookupDevice,       ///< DDT cache: `device`. Answer: hit(DeviceContext) or miss()
  kLookupProcess,      ///< PDT cache: `device`, `process`. Answer: hit(ProcessContext) or miss()
  kLookupTranslation,  ///< IOTLB: `key`. Answer: hit(TranslationEntry) or miss()
  kLookupWalk,         ///< walk cache, the deepest entry known: `walk`. Answer: hit(WalkEntry) or miss()
  kLookupMsi,          ///< cache of MSI page-table entries: `msi`. Answer: hit(MsiEntry) or miss()
  kLookupDirectory,    ///< cache of non-leaf directory entries, deepest known: `directory`. Answer: hit or miss()
  kRead,               ///< `memory`. Answer: memory(MemoryAnswer)
  kWrite,              ///< `memory`. Answer: memory(MemoryAnswer), the data of which is ignored
  kCompareSwap,        ///< `memory`: atomic compare-and-swap of 4 or 8 bytes. Answer: memory(): data[0] = the old word
  kFillDevice,         ///< a device context was fetched and checked: `device`, `device_context`. Answer: resume()
  kFillProcess,        ///< `device`, `process`, `process_context`. Answer: resume()
  kFillTranslation,    ///< a walk found `entry` for `key`. Answer: resume()
  kFillWalk,           ///< a valid non-leaf PTE was read: `walk`, `walk_entry`. Answer: resume()
  kFillMsi,            ///< a valid MSI page-table entry was read: `msi`, `msi_entry`. Answer: resume()
  kFillDirectory,      ///< a valid non-leaf directory entry was read: `directory`. Answer: resume()
  kInvalidate,         ///< remove what `invalidation` selects from the caches. Answer: resume()
  kFence,              ///< all earlier commands, and what `fence` names, must have drained. Answer: resume()
  kSendMessage,        ///< `message` leaves for a device. Answer: resume()
  kAwaitInvalidation,  ///< an ATS invalidation request must complete or time out first. Answer: resume(), at every
                       ///< change
};

/// Why memory is accessed: for statistics, priorities, injected faults and the RTL comparison.
enum class Structure : std::uint8_t {
  kDdt,                  ///< device directory; level = 0 is the leaf (the device context)
  kPdt,                  ///< process directory; level 0 is the leaf
  kFirstStage,           ///< first-stage PTE; level 0 is the 4 KiB level
  kSecondStage,          ///< second-stage PTE of the final address; level as above
  kSecondStageImplicit,  ///< second-stage PTE met while an implicit access (first stage, PDT) was translated
  kMsiPte,
  kMrif,
  kCommandQueue,
  kFaultQueue,
  kPageRequestQueue,
  kFenceData,
  kInterruptMessage,
};
inline constexpr unsigned kStructureCount = 12;

struct MemoryAsk {
  std::uint64_t address = 0;  ///< system-physical
  std::uint8_t bytes = 0;     ///< 4, 8, 16, 32 or 64
  Structure structure = Structure::kDdt;
  std::uint8_t level = 0;
  QosId qos{};
  std::array<std::uint64_t, 4>
      data{};  ///< kWrite: the bytes, little-endian words; kCompareSwap: [0] expected, [1] desired
};

enum class MemoryStatus : std::uint8_t { kOk, kAccessFault, kCorrupt };

struct MemoryAnswer {
  MemoryStatus status = MemoryStatus::kOk;
  std::array<std::uint64_t, 8> data{};
};

/// What a fence waits for beyond the completion of all earlier commands (IOMMU 3.1.2).
struct FenceWait {
  bool previous_reads = false;   ///< PR
  bool previous_writes = false;  ///< PW
};

struct Ask {
  AskKind kind = AskKind::kDone;
  base::DeviceId device{};
  base::ProcessId process{};
  MemoryAsk memory{};
  TranslationKey key{};
  TranslationEntry entry{};
  WalkKey walk{};
  WalkEntry walk_entry{};
  MsiKey msi{};
  MsiEntry msi_entry{};
  DirectoryKey directory{};
  DirectoryEntry directory_entry{};
  const spec::DeviceContext* device_context = nullptr;    ///< valid until the process is resumed
  const spec::ProcessContext* process_context = nullptr;  ///< valid until the process is resumed
  Invalidation invalidation{};
  FenceWait fence{};
  DeviceMessage message{};

  bool reads_page_table() const {
    return kind == AskKind::kRead &&
           (memory.structure == Structure::kFirstStage || memory.structure == Structure::kSecondStage ||
            memory.structure == Structure::kSecondStageImplicit);
  }
};

}  // namespace iommusim::translate
