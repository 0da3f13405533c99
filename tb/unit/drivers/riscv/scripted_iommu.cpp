// SPDX-License-Identifier: Apache-2.0
// Register behaviour of the scripted IOMMU, as far as a driver sees it.
#include "scripted_iommu.h"

#include <array>
#include <cstdio>

namespace iommusim::drivers::riscv::test {
namespace {

namespace hw = iommu_hw;

std::string scripted_hex(std::uint64_t value) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

std::string register_name(std::uint32_t offset) {
  static const std::map<std::uint32_t, std::string> names = {{hw::kCapabilitiesOffset, "capabilities"},
                                                             {hw::kFctlOffset, "fctl"},
                                                             {hw::kDdtpOffset, "ddtp"},
                                                             {hw::kCqbOffset, "cqb"},
                                                             {hw::kCqhOffset, "cqh"},
                                                             {hw::kCqtOffset, "cqt"},
                                                             {hw::kFqbOffset, "fqb"},
                                                             {hw::kFqhOffset, "fqh"},
                                                             {hw::kFqtOffset, "fqt"},
                                                             {hw::kPqbOffset, "pqb"},
                                                             {hw::kPqhOffset, "pqh"},
                                                             {hw::kPqtOffset, "pqt"},
                                                             {hw::kPqcsrOffset, "pqcsr"},
                                                             {hw::kCqcsrOffset, "cqcsr"},
                                                             {hw::kFqcsrOffset, "fqcsr"},
                                                             {hw::kIpsrOffset, "ipsr"},
                                                             {hw::kIcvecOffset, "icvec"}};
  const auto known = names.find(offset);
  if (known != names.end()) return known->second;
  return offset >= hw::kMsiAddrOffset ? "msi_cfg_tbl+" + scripted_hex(offset - hw::kMsiAddrOffset)
                                      : scripted_hex(offset);
}

constexpr std::uint64_t ppn_of(std::uint64_t base) { return (base & hw::cqb::kPpnMask) >> hw::cqb::kPpnShift; }
constexpr std::uint64_t entries_of(std::uint64_t base) { return 2ULL << (base & hw::cqb::kLog2sz1Mask); }

}  // namespace

std::string describe_command(std::uint64_t word0, std::uint64_t word1) {
  const std::uint64_t opcode = word0 & hw::command::kOpcodeMask;
  const std::uint64_t func3 = (word0 & hw::command::kFunc3Mask) >> hw::command::kFunc3Shift;
  std::string text;
  if (opcode == hw::opcode::kIotinval && func3 <= hw::iotinval_func3::kGvma) {
    text = func3 == hw::iotinval_func3::kVma ? "IOTINVAL.VMA" : "IOTINVAL.GVMA";
    if (word0 & hw::iotinval_w0::kGvMask)
      text += " gscid=" + std::to_string((word0 & hw::iotinval_w0::kGscidMask) >> hw::iotinval_w0::kGscidShift);
    if (word0 & hw::iotinval_w0::kPscvMask)
      text += " pscid=" + std::to_string((word0 & hw::iotinval_w0::kPscidMask) >> hw::iotinval_w0::kPscidShift);
    if (word0 & hw::iotinval_w0::kAvMask)
      text += " addr=" + scripted_hex((word1 & hw::iotinval_w1::kAddrMask) >> hw::iotinval_w1::kAddrShift << 12);
    if (word1 & hw::iotinval_w1::kSMask) text += " s";
    if (word0 & hw::iotinval_w0::kNlMask) text += " nl";
  } else if (opcode == hw::opcode::kIofence && func3 == hw::iofence_func3::kC) {
    text = "IOFENCE.C";
    if (word0 & hw::iofence_w0::kAvMask) text += " av";
    if (word0 & hw::iofence_w0::kWsiMask) text += " wsi";
    if (word0 & hw::iofence_w0::kPrMask) text += " pr";
    if (word0 & hw::iofence_w0::kPwMask) text += " pw";
  } else if (opcode == hw::opcode::kIodir && func3 <= hw::iodir_func3::kInvalPdt) {
    text = func3 == hw::iodir_func3::kInvalDdt ? "INVAL_DDT" : "INVAL_PDT";
    if (word0 & hw::iodir_w0::kDvMask)
      text += " did=" + std::to_string((word0 & hw::iodir_w0::kDidMask) >> hw::iodir_w0::kDidShift);
    if (func3 == hw::iodir_func3::kInvalPdt)
      text += " pid=" + std::to_string((word0 & hw::iodir_w0::kPidMask) >> hw::iodir_w0::kPidShift);
  } else if (opcode == hw::opcode::kAts && func3 <= hw::ats_func3::kPrgr) {
    text = func3 == hw::ats_func3::kInval ? "ATS.INVAL" : "ATS.PRGR";
    if (word0 & hw::ats_w0::kDsvMask) text += " seg=" + std::to_string(word0 >> hw::ats_w0::kDsegShift);
    text += " rid=" + std::to_string((word0 & hw::ats_w0::kRidMask) >> hw::ats_w0::kRidShift);
    if (word0 & hw::ats_w0::kPvMask)
      text += " pid=" + std::to_string((word0 & hw::ats_w0::kPidMask) >> hw::ats_w0::kPidShift);
    text += " " + scripted_hex(word1);
  } else {
    text = "?? " + scripted_hex(word0) + " " + scripted_hex(word1);
  }
  return text;
}

void WatchedMemory::store64(std::uint64_t spa, std::uint64_t value) {
  unsettled_ = true;
  memory_.store64(spa, value);
  if (spa - watched_.start < watched_.bytes)
    note_(watched_.name + "+" + std::to_string(spa - watched_.start) + " = " + scripted_hex(value));
}

ScriptedIommu::ScriptedIommu(const Script& script)
    : script_(script), silent_left_(script.silent_invalidations), memory_([this](const std::string& event) {
        const std::lock_guard guard(lock_);
        note(event);
      }) {
  registers_[hw::kCapabilitiesOffset] = script.capabilities;
  registers_[hw::kFctlOffset] = script.fctl;
  registers_[hw::kDdtpOffset] = script.ddtp;
}

void ScriptedIommu::note(const std::string& event) { events_.push_back(event); }

std::uint64_t ScriptedIommu::read(std::uint32_t offset) {
  note("read " + register_name(offset));
  std::uint64_t value = get(offset);
  if ((offset == hw::kCqcsrOffset || offset == hw::kFqcsrOffset) && csr_busy_ > 0 && csr_busy_--)
    value |= hw::cqcsr::kBusyMask;
  if (offset == hw::kDdtpOffset && ddtp_busy_ > 0 && ddtp_busy_--) value |= hw::ddtp::kBusyMask;
  return value;
}

std::uint32_t ScriptedIommu::read32(std::uint32_t offset) {
  const std::lock_guard guard(lock_);
  return static_cast<std::uint32_t>(read(offset));
}

std::uint64_t ScriptedIommu::read64(std::uint32_t offset) {
  const std::lock_guard guard(lock_);
  return read(offset);
}

void ScriptedIommu::write32(std::uint32_t offset, std::uint32_t value) { write64(offset, value); }

void ScriptedIommu::write64(std::uint32_t offset, std::uint64_t value) {
  const std::lock_guard guard(lock_);
  if (offset != hw::kCqtOffset) note("write " + register_name(offset) + " " + scripted_hex(value));
  write(offset, value);
}

void ScriptedIommu::write(std::uint32_t offset, std::uint64_t value) {
  switch (offset) {
    case hw::kDdtpOffset: {
      std::uint64_t mode = value & hw::ddtp::kIommuModeMask;
      if (mode > script_.max_directory_mode) mode = script_.refused_mode;
      const std::uint64_t ppn =
          script_.fixed_root ? script_.fixed_root << hw::ddtp::kPpnShift : value & hw::ddtp::kPpnMask;
      registers_[offset] = mode | ppn;
      ddtp_busy_ = script_.ddtp_busy_reads;
      break;
    }
    case hw::kCqbOffset:
    case hw::kPqbOffset:
    case hw::kFqbOffset: {
      const std::uint64_t log2 = std::min<std::uint64_t>(value & hw::cqb::kLog2sz1Mask, script_.largest_queue_log2 - 1);
      const bool fixed = offset == hw::kCqbOffset && script_.fixed_queue != 0;
      registers_[offset] = (fixed ? script_.fixed_queue << hw::cqb::kPpnShift : value & hw::cqb::kPpnMask) | log2;
      break;
    }
    case hw::kCqcsrOffset:
      write_csr(offset, static_cast<std::uint32_t>(value), 0xF00);
      if (!paused_) run_commands(~0ULL);  // an error bit may have been cleared
      break;
    case hw::kPqcsrOffset:
    case hw::kFqcsrOffset:
      write_csr(offset, static_cast<std::uint32_t>(value), 0x300);
      break;
    case hw::kIpsrOffset:
      registers_[offset] &= ~value;
      // IOMMU 5 (ipsr): what is still the case is pending again.
      if ((get(hw::kCqcsrOffset) & 0x700) != 0) registers_[offset] |= hw::ipsr::kCipMask;
      break;
    case hw::kIcvecOffset:
      registers_[offset] = value & script_.icvec_mask;
      break;
    case hw::kCqtOffset:
      ++tail_writes_;
      if (memory_.unsettled() && (get(hw::kCqcsrOffset) & hw::cqcsr::kCqonMask) != 0) tail_overtook_a_store_ = true;
      registers_[offset] = value;
      if (!paused_) run_commands(~0ULL);
      break;
    default:
      registers_[offset] = value;
  }
}

void ScriptedIommu::write_csr(std::uint32_t offset, std::uint32_t value, std::uint32_t errors) {
  std::uint64_t& csr = registers_[offset];
  const bool was_on = (csr & hw::cqcsr::kCqenMask) != 0;
  csr = (csr & errors & ~std::uint64_t{value}) | (value & 3U);
  if ((value & 1U) && script_.queue_comes_on) csr |= hw::cqcsr::kCqonMask;
  if ((value & 1U) && !was_on)
    registers_[offset == hw::kCqcsrOffset   ? hw::kCqhOffset
               : offset == hw::kFqcsrOffset ? hw::kFqtOffset
                                            : hw::kPqtOffset] = 0;
  csr_busy_ = script_.csr_busy_reads;
}

void ScriptedIommu::run_commands(std::uint64_t count) {
  const std::uint64_t base = get(hw::kCqbOffset);
  std::uint64_t& head = registers_[hw::kCqhOffset];
  for (; count > 0 && head != get(hw::kCqtOffset) && (get(hw::kCqcsrOffset) & 0x700) == 0; --count) {
    std::array<std::uint64_t, 2> words{};
    const std::uint64_t entry = (ppn_of(base) << 12) + head * sizeof words;
    if (bad_fetches_ != 0 && entry - bad_start_ < bad_bytes_) {
      --bad_fetches_;
      return stop_commands(hw::cqcsr::kCqmfMask);
    }
    memory_.read(entry, words.data(), sizeof words);
    if (refuses_ && refuses_(words[0], words[1])) return stop_commands(hw::cqcsr::kCmdIllMask);
    note(describe_command(words[0], words[1]));
    const std::string name = describe_command(words[0], words[1]).substr(0, 9);
    if (name == "ATS.INVAL" && silent_left_ != 0) {
      --silent_left_;
      timed_out_ = true;
    }
    if (name == "IOFENCE.C" && timed_out_) {  // IOMMU 3.1.4: told once, and the fence stays
      timed_out_ = false;
      return stop_commands(hw::cqcsr::kCmdToMask);
    }
    head = (head + 1) % entries_of(base);
  }
}

void ScriptedIommu::stop_commands(std::uint64_t error) {
  registers_[hw::kCqcsrOffset] |= error;
  registers_[hw::kIpsrOffset] |= hw::ipsr::kCipMask;
}

void ScriptedIommu::refuse(std::function<bool(std::uint64_t, std::uint64_t)> refuses) {
  const std::lock_guard guard(lock_);
  refuses_ = std::move(refuses);
}

void ScriptedIommu::fail_fetches(std::uint64_t start, std::uint64_t bytes, unsigned count) {
  const std::lock_guard guard(lock_);
  bad_start_ = start;
  bad_bytes_ = bytes;
  bad_fetches_ = count;
}

void ScriptedIommu::pause(bool paused) {
  const std::lock_guard guard(lock_);
  paused_ = paused;
  if (!paused) run_commands(~0ULL);
}

void ScriptedIommu::step(unsigned count) {
  const std::lock_guard guard(lock_);
  run_commands(count);
}

void ScriptedIommu::fault(std::uint32_t cause, std::uint32_t device_id, std::uint64_t iova) {
  {
    const std::lock_guard guard(lock_);
    std::uint64_t& csr = registers_[hw::kFqcsrOffset];
    if (csr & (hw::fqcsr::kFqofMask | hw::fqcsr::kFqmfMask)) return;
    const std::uint64_t base = get(hw::kFqbOffset);
    std::uint64_t& tail = registers_[hw::kFqtOffset];
    const std::uint64_t next = (tail + 1) % entries_of(base);
    if (next == get(hw::kFqhOffset)) {
      csr |= hw::fqcsr::kFqofMask;
    } else {
      const std::array<std::uint64_t, 4> words = {cause | (hw::ttyp::kUntranslatedWrite << hw::fault_w0::kTtypShift) |
                                                      (std::uint64_t{device_id} << hw::fault_w0::kDidShift),
                                                  0, iova, 0};
      memory_.write((ppn_of(base) << 12) + tail * sizeof words, words.data(), sizeof words);
      tail = next;
    }
  }
  set_bits(hw::kIpsrOffset, static_cast<std::uint32_t>(hw::ipsr::kFipMask));
}

void ScriptedIommu::page_request(std::uint64_t word0, std::uint64_t word1) {
  {
    const std::lock_guard guard(lock_);
    std::uint64_t& csr = registers_[hw::kPqcsrOffset];
    if (csr & (hw::pqcsr::kPqofMask | hw::pqcsr::kPqmfMask)) return;
    const std::uint64_t base = get(hw::kPqbOffset);
    std::uint64_t& tail = registers_[hw::kPqtOffset];
    const std::uint64_t next = (tail + 1) % entries_of(base);
    if (next == get(hw::kPqhOffset)) {
      csr |= hw::pqcsr::kPqofMask;
    } else {
      const std::array<std::uint64_t, 2> words = {word0, word1};
      memory_.write((ppn_of(base) << 12) + tail * sizeof words, words.data(), sizeof words);
      tail = next;
    }
  }
  set_bits(hw::kIpsrOffset, static_cast<std::uint32_t>(hw::ipsr::kPipMask));
}

void ScriptedIommu::set_bits(std::uint32_t offset, std::uint32_t bits) {
  bool rises = false;
  {
    const std::lock_guard guard(lock_);
    rises = (get(offset) & bits) != bits;
    registers_[offset] |= bits;
  }
  if (offset == hw::kIpsrOffset && rises && interrupt_) interrupt_(bits);
}

std::uint64_t ScriptedIommu::peek(std::uint32_t offset) {
  const std::lock_guard guard(lock_);
  return get(offset);
}

Events ScriptedIommu::take(bool with_reads) {
  const std::lock_guard guard(lock_);
  Events taken;
  for (auto& event : events_)
    if (with_reads || event.rfind("read ", 0) != 0) taken.push_back(std::move(event));
  events_.clear();
  return taken;
}

}  // namespace iommusim::drivers::riscv::test
