// SPDX-License-Identifier: Apache-2.0
// The operations of FORMAT.md section 4, but for the answers to requests (section_translate.cpp).
#include "conformance/section.h"

#include "base/error.h"
#include "conformance/values.h"
#include "spec/formats.h"

namespace iommusim::conformance {

namespace {

/// Ops of FORMAT.md section 4 behind case and reset.
constexpr const char* kOperations =
    "mem_write, mem_check, mem_fault, reg_write, reg_read, process, translate, page_request, expect_msg, "
    "inval_completion or ats_timeout";

}  // namespace

Section::Section(std::string file, std::uint32_t line, std::string name, const SubjectMaker& maker,
                 std::size_t most_mismatches)
    : file_(std::move(file)), maker_(maker), most_mismatches_(most_mismatches) {
  result_.name = std::move(name);
  result_.first_line = result_.last_line = line;
}

void Section::mismatch(const std::string& what, const std::string& expected, const std::string& found) {
  result_.mismatches.push_back({file_, line_, last_operation_line_, what, expected, found});
}

void Section::perform(const Operation& operation, std::uint32_t line) {
  result_.last_line = line;
  if (over()) return;
  const std::string kind = operation.text("op");
  const bool is_check = kind == "mem_check" || kind == "expect_msg";
  if (kind != "reset" && subject_ == nullptr) throw base::InputError("expected op reset after op case");
  if (!is_check) end_operation();
  line_ = line;
  if (!is_check) last_operation_line_ = line;
  ++result_.operations;
  if (kind == "reset") return reset(operation);
  if (kind == "mem_write") return memory_.store(operation.number("addr"), operation.bytes("data"));
  if (kind == "mem_check") return memory_check(operation);
  if (kind == "mem_fault") return memory_fault(operation);
  if (kind == "reg_write") return register_write(operation);
  if (kind == "reg_read") return register_read(operation);
  if (kind == "process") return subject_->process_command();
  if (kind == "translate") return translate(operation);
  if (kind == "page_request") return subject_->page_request(page_request_of(operation));
  if (kind == "expect_msg") return expect_message(operation);
  if (kind == "inval_completion") return invalidation_completion(operation);
  if (kind == "ats_timeout") return subject_->invalidation_time_out(itag_vector(operation));
  throw base::InputError("unknown op '" + kind + "', expected " + kOperations);
}

void Section::end_operation() {
  const auto address = memory_.unaccounted();
  if (address || !sent_.empty()) line_ = last_operation_line_;
  if (address) mismatch("memory at " + hex(*address), "no write", byte_text(memory_.load(*address, 1)));
  if (!sent_.empty()) mismatch("message", "none", message_text(sent_.front()));
  sent_.clear();
  memory_.begin_operation();
}

SectionResult Section::finish() {
  if (!over()) end_operation();
  return std::move(result_);
}

void Section::reset(const Operation& operation) {
  memory_.clear();
  itags_.clear();
  sent_.clear();
  const spec::Implementation implementation = implementation_of(operation);
  result_.skipped = out_of_range(implementation);
  if (!result_.skipped.empty()) return;
  subject_ = maker_.make(implementation, memory_, *this);
}

namespace {

/// FORMAT.md 4.4: for a guest-page fault of an implicit access bits 11:2 of iotval2 are not compared. Some records
/// carry neither the mask nor the kind that says so, but no other structure has 32 bytes.
void clear_page_offset_of_implicit_access(const std::vector<std::uint8_t>& record, std::vector<std::uint8_t>& mask) {
  const auto is_guest_fault = [](unsigned low) { return low >= 20 && low <= 23; };
  const bool little = is_guest_fault(record[0]) && (record[24] & 1) != 0;
  const bool big = is_guest_fault(record[7]) && (record[31] & 1) != 0;
  if (little) mask[24] &= 3, mask[25] &= 0xf0;
  if (big) mask[31] &= 3, mask[30] &= 0xf0;
}

}  // namespace

void Section::memory_check(const Operation& operation) {
  const std::uint64_t address = operation.number("addr");
  const auto expected = operation.bytes("data");
  const auto found = memory_.load(address, expected.size());
  auto mask = operation.has("mask") ? operation.bytes("mask") : std::vector<std::uint8_t>(expected.size(), 0xff);
  if (mask.size() != expected.size()) throw base::InputError("member 'mask': expected as many bytes as in 'data'");
  memory_.account(address, expected.size());
  if (expected.size() == spec::kFaultRecordBytes) clear_page_offset_of_implicit_access(expected, mask);
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (((expected[i] ^ found[i]) & mask.at(i)) != 0)
      return mismatch(operation.text("kind") + " at " + hex(address), byte_text(expected), byte_text(found));
}

void Section::memory_fault(const Operation& operation) {
  const bool access = operation.choice("kind", {"access", "corrupt"}) == "access";
  memory_.inject(access ? translate::MemoryStatus::kAccessFault : translate::MemoryStatus::kCorrupt,
                 operation.optional_number("addr"));
}

void Section::register_write(const Operation& operation) {
  const RegisterAccess access = register_access_of(operation);
  const std::uint64_t value = operation.number("value");
  if (operation.optional_number("unspecified").value_or(0) != 0) return;
  subject_->write_register(access.offset, access.bytes, value);
}

void Section::register_read(const Operation& operation) {
  const RegisterAccess access = register_access_of(operation);
  const std::uint64_t found = subject_->read_register(access.offset, access.bytes);
  const std::uint64_t mask = operation.optional_number("mask").value_or(~std::uint64_t{0});
  const std::uint64_t expected = operation.number("expect");
  if (((found ^ expected) & mask) != 0) mismatch("register " + hex(access.offset), hex(expected), hex(found));
}

void Section::expect_message(const Operation& operation) {
  if (sent_.empty()) {
    if (operation.optional_number("optional").value_or(0) == 0)
      mismatch("message", message_text(message_of(operation)), "none");
    return;
  }
  const std::string expected = message_text(message_of(operation));
  const std::string found = message_text(sent_.front());
  if (expected != found) mismatch("message", expected, found);
  if (operation.has("ref")) itags_[operation.number("ref")] = sent_.front().itag;
  sent_.pop_front();
}

std::uint32_t Section::itag_vector(const Operation& operation) const {
  const auto refs = operation.numbers("refs");
  if (refs.empty()) return static_cast<std::uint32_t>(operation.number("itag_vector"));
  std::uint32_t vector = 0;
  for (const std::uint64_t ref : refs) {
    const auto itag = itags_.find(ref);
    if (itag != itags_.end()) vector |= 1U << itag->second;
  }
  return vector;
}

void Section::invalidation_completion(const Operation& operation) {
  const auto count = static_cast<std::uint8_t>(operation.number("cc"));
  const bool ok = subject_->invalidation_completion({function_of(operation), itag_vector(operation), count});
  const std::string expected = operation.choice("expect", {"ok", "unexpected"});
  if (ok != (expected == "ok")) mismatch("invalidation completion", expected, ok ? "ok" : "unexpected");
}

}  // namespace iommusim::conformance
