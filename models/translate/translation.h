// SPDX-License-Identifier: Apache-2.0
// The translation of one request, from the device's transaction to an address or a fault: IOMMU 2.3 "Process to
// translate an IOVA" as a resumable process. One object serves any number of requests one after another (start() begins
// anew).
#pragma once

#include "spec/causes.h"
#include "translate/ask.h"
#include "translate/fault.h"
#include "translate/page_walk.h"
#include "translate/request.h"

namespace iommusim::translate {

class Registers;

/// What the address of a virtual interrupt file was translated to (IOMMU 2.3.3).
struct MsiTarget {
  std::uint64_t address = 0;  ///< of the interrupt file, or of the notice message in MRIF mode
  bool mrif = false;
  std::uint64_t mrif_address = 0;  ///< of the memory-resident interrupt file
  std::uint16_t notice_id = 0;     ///< data of the notice message
  bool absorbed = false;  ///< the IOMMU did all there was to do: nothing is forwarded, a read is answered with zeros
};

/// Fields of an ATS translation completion (IOMMU 2.6). With r and w both 0 nothing is granted.
struct AtsCompletion {
  bool r = false, w = false, x = false;
  bool privileged = false;
  bool global = false;
  bool untranslated_only = false;
  bool cxl_io = false;
};

/// How a request ended.
struct Outcome {
  enum class Kind : std::uint8_t {
    kTranslated,  ///< forward to `spa`
    kFault,       ///< answer with `response`; `fault` is to be recorded if `record_fault`
  };
  Kind kind = Kind::kFault;
  std::uint64_t spa = 0;        ///< of the request's first byte; with T2GPA an ATS request gets the GPA instead
  std::uint8_t size_log2 = 12;  ///< of the range around it that translates alike
  std::uint8_t pbmt = 0;
  QosId qos{};                ///< of what is forwarded
  bool bypass = false;        ///< both stages Bare, or ddtp Bare: no translation was needed
  bool record_fault = false;  ///< false: DTF (IOMMU 2.1.3.1) or the debug interface suppresses it
  Response response = Response::kSuccess;
  FaultRecord fault{};
  bool is_msi = false;  ///< `msi` has the target
  MsiTarget msi{};
  AtsCompletion ats{};  ///< ATS requests that end with success
  bool absorbed() const { return is_msi && msi.absorbed; }
};

/// Whether a translation leaves traces in memory.
enum class Effects : std::uint8_t {
  kAll,
  kNone,         ///< A and D are neither demanded nor set; for looking without touching
  kSpeculative,  ///< A is demanded and neither A nor D set: where an update is due the request faults
};

class Translation {
 public:
  /// `registers` must outlive the conversation.
  void start(const Request& request, const Registers& registers, Effects effects = Effects::kAll);

  const Ask& ask() const { return ask_; }
  void miss();
  void hit(const spec::DeviceContext& context);
  void hit(const spec::ProcessContext& context);
  void hit(const TranslationEntry& entry);
  void hit(const WalkEntry& entry);
  void hit(const DirectoryEntry& entry);
  void hit(const MsiEntry& entry);
  void memory(const MemoryAnswer& answer);
  void resume();

  /// Valid when ask().kind is kDone.
  const Outcome& outcome() const { return outcome_; }
  const Request& request() const { return request_; }
  /// Whose page-table entry is read or updated, while that is asked for.
  WalkKey entry_key() const;
  /// The device context in use, once located; else nullptr.
  const spec::DeviceContext* device_context() const { return device_located_ ? &device_context_ : nullptr; }

 private:
  /// What the last ask was for; the answer goes on from there.
  enum class Step : std::uint8_t {
    kDeviceLookup,
    kDeviceDirectoryLookup,
    kDeviceDirectoryRead,
    kDeviceDirectoryFill,
    kDeviceRead,
    kDeviceFill,
    kProcessLookup,
    kProcessDirectoryLookup,
    kProcessDirectoryRead,
    kProcessDirectoryFill,
    kProcessRead,
    kProcessFill,
    kTranslationLookup,
    kTranslationFill,
    kFirstLookup,
    kFirstRead,
    kFirstUpdate,
    kFirstFill,
    kSecondLookup,
    kSecondRead,
    kSecondUpdate,
    kSecondFill,
    kMsiLookup,
    kMsiRead,
    kMsiFill,
    kMrifRead,
    kMrifSwap,
    kMrifWrite,
    kMrifEnableRead,
    kNoticeWrite,
  };
  /// Whose guest-physical address the second stage translates, and so what comes after it.
  enum class Goal : std::uint8_t { kFinal, kFirstStageRead, kFirstStageUpdate, kProcessDirectory };

  // translation_device.cpp: IOMMU 2.3 steps 3 to 10, and 2.3.1.
  bool device_id_too_wide() const;
  unsigned device_directory_index(unsigned level) const;
  DirectoryKey directory_key(unsigned level) const;
  void begin_device_directory();
  void locate_device();
  void next_device_directory_entry();
  void take_device_directory_entry(std::uint64_t entry);
  void take_device_context(const MemoryAnswer& answer);
  void device_directory_fault(MemoryStatus status);
  bool transaction_disallowed() const;
  void use_device_context();
  void use_for_message();

  // translation_process.cpp: IOMMU 2.3 steps 11 to 16, and 2.3.2.
  void use_process_directory();
  std::uint64_t process_directory_offset() const;
  void locate_process();
  void next_process_directory_entry();
  void process_directory_reached(std::uint64_t spa);
  void read_process_directory();
  void take_process_directory_entry(std::uint64_t entry);
  void take_process_context(const MemoryAnswer& answer);
  void use_process_context();

  // translation.cpp: steps 17 to 20.
  void set_first_stage(unsigned mode, std::uint64_t ppn, base::Pscid pscid);
  void prepare_second_stage();
  void translate();
  std::uint8_t range_log2(const TranslationEntry& entry, std::uint64_t gpa) const;
  void finish_walks();
  AddressSpaceTag tag() const;
  QosId device_qos() const;
  void ask_read(std::uint64_t spa, unsigned bytes, Structure structure, unsigned level, Step step);

  // translation_walk.cpp: both stages of "Two-Stage Address Translation".
  void name_walk(const PageWalk& walk, WalkKey& key) const;
  void ask_walk_cache(const PageWalk& walk, Step step);
  void fill_walk_cache(const PageWalk& walk, std::uint64_t table, Step step);
  void ask_update(const PageWalk& walk, bool big_endian, Structure structure, bool set_dirty, Step step);
  void begin_first_stage();
  void next_first_stage_entry();
  void first_stage_entry_reached(std::uint64_t spa);
  void read_first_stage();
  void take_first_stage_entry(std::uint64_t word);
  void take_first_stage_leaf();
  void update_first_stage();
  void first_stage_swapped(std::uint64_t old_word);
  void first_stage_done();
  bool second_stage_accepts(std::uint64_t gpa) const;
  void begin_second_stage(std::uint64_t gpa, Goal goal);
  void read_second_stage();
  void take_second_stage_entry(std::uint64_t word);
  void take_second_stage_leaf();
  bool second_stage_wants_dirty() const;
  void second_stage_swapped(std::uint64_t old_word);
  void second_stage_done();
  std::uint64_t first_stage_word(std::uint64_t word) const;
  std::uint64_t second_stage_word(std::uint64_t word) const;

  // translation_msi.cpp: IOMMU 2.3.3.
  bool has_msi_translation() const;
  bool holds_msi_address(std::uint64_t gpa, unsigned size_log2) const;
  bool is_msi_address(std::uint64_t gpa) const;
  void find_msi_pte(std::uint64_t gpa);
  void read_msi_pte();
  void keep_msi_pte(std::uint64_t word0, std::uint64_t word1);
  void msi_pte_fault(MemoryStatus status);
  spec::Cause msi_pte_cause(std::uint64_t word0, std::uint64_t word1) const;
  void use_msi_pte(const MsiEntry& entry);
  void use_mrif_msi_pte(std::uint64_t word0, std::uint64_t word1);
  void msi_translated(const MsiTarget& target);

  // translation_mrif.cpp: the store into a memory-resident interrupt file (AIA).
  void store_msi();
  bool is_msi_write() const;
  void access_mrif(AskKind kind, std::uint64_t address, Step step);
  void mrif_fault(MemoryStatus status);
  void mrif_pending_read(std::uint64_t word);
  void mrif_pending_swapped(std::uint64_t old_word);
  void mrif_pending_set();
  void mrif_enable_read(std::uint64_t word);
  void notice_written(MemoryStatus status);

  // translation_outcome.cpp: permissions, faults, results.
  bool first_stage_permits(const StageAttributes& attributes) const;
  bool second_stage_permits(const StageAttributes& attributes) const;
  void page_fault();
  void guest_page_fault(std::uint64_t gpa, Goal goal);
  void walk_memory_fault(MemoryStatus status, Goal goal);
  void fault(spec::Cause cause, std::uint64_t iotval2 = 0);
  spec::Cause by_access(spec::Cause execute, spec::Cause read, spec::Cause write) const;
  std::uint8_t transaction_type() const;
  void bypass(std::uint64_t address);
  void translated(const TranslationEntry& entry);
  void succeed(const TranslationEntry& entry, std::uint64_t address, const MsiTarget* msi);
  void complete_ats(const TranslationEntry& entry, const MsiTarget* msi);
  bool wants_write() const;

  Ask ask_{};
  Outcome outcome_{};
  Request request_{};
  const Registers* registers_ = nullptr;
  spec::DeviceContext device_context_{};
  spec::ProcessContext process_context_{};
  PageWalk first_{};
  PageWalk second_{};
  std::uint64_t first_root_ = 0;
  std::uint64_t msi_gpa_ = 0;
  std::uint64_t mrif_bit_ = 0;  ///< that of the interrupt identity in its doublewords
  base::Pscid pscid_{};
  base::ProcessId process_{};    ///< of the request, or the default
  std::uint64_t directory_ = 0;  ///< table of the directory walk; a GPA in a process directory under a second stage
  std::uint64_t directory_entry_ = 0;  ///< system-physical, of the process directory entry to read next
  std::uint8_t directory_level_ = 0;
  Step step_ = Step::kDeviceLookup;
  Goal goal_ = Goal::kFinal;
  Effects effects_ = Effects::kAll;
  bool device_located_ = false;  ///< from here on DTF counts
  bool fill_due_ = false;        ///< a non-leaf entry was read, the address of its table is being translated
  bool supervisor_ = false;      ///< the first stage checks the access as a supervisor's
  bool sum_ = false;
};

}  // namespace iommusim::translate
