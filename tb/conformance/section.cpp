// SPDX-License-Identifier: Apache-2.0
// The operations of FORMAT.md section 4, but for the answers to requests (section_translate.cpp).
#include "conformance/section.h"

#include "base/error.h"
#include "conformance/values.h"
#include "spec/formats.h"

namespace iommusim::conformance {

Section::Section(std::string file, std::string name, std::size_t most_mismatches)
    : file_(std::move(file)), most_mismatches_(most_mismatches) {
  result_.name = std::move(name);
}

void Section::mismatch(const std::string& text) {
  result_.mismatches.push_back({file_ + ":" + std::to_string(line_), text});
}

void Section::perform(const Operation& operation, std::size_t line) {
  if (over()) return;
  const std::string kind = operation.text("op");
  const bool is_check = kind == "mem_check" || kind == "expect_msg";
  if (!is_check) end_operation();
  line_ = line;
  if (!is_check) last_operation_line_ = line;
  ++result_.operations;
  if (kind == "reset") return reset(operation);
  if (registers_ == nullptr) throw base::InputError("expected op reset");
  if (kind == "mem_write") return memory_.store(operation.number("addr"), operation.bytes("data"));
  if (kind == "mem_check") return memory_check(operation);
  if (kind == "mem_fault") return memory_fault(operation);
  if (kind == "reg_write") return register_write(operation);
  if (kind == "reg_read") return register_read(operation);
  if (kind == "process") return void(engine_->run_one_command());
  if (kind == "translate") return translate(operation);
  if (kind == "page_request") return engine_->page_request(page_request_of(operation));
  if (kind == "expect_msg") return expect_message(operation);
  if (kind == "inval_completion") return invalidation_completion(operation);
  if (kind == "ats_timeout") return engine_->invalidation_time_out(itag_vector(operation));
  throw base::InputError("unknown op '" + kind + "'");
}

void Section::end_operation() {
  const auto address = memory_.unaccounted();
  if (address || !sent_.empty()) line_ = last_operation_line_;
  if (address) mismatch("the IOMMU wrote to " + hex(*address) + ", which no mem_check expects");
  if (!sent_.empty()) mismatch("the IOMMU sent " + message_text(sent_.front()) + ", which no expect_msg expects");
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
  registers_ = std::make_unique<translate::Registers>(implementation_of(operation));
  engine_ = std::make_unique<translate::FunctionalEngine>(*registers_, memory_, this);
  engine_->set_commands_run_freely(false);
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
  memory_.account(address, expected.size());
  if (expected.size() == spec::kFaultRecordBytes) clear_page_offset_of_implicit_access(expected, mask);
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (((expected[i] ^ found[i]) & mask.at(i)) != 0)
      return mismatch(operation.text("kind") + " at " + hex(address) + ": expected " + byte_text(expected) +
                      ", found " + byte_text(found));
}

void Section::memory_fault(const Operation& operation) {
  const bool access = operation.text("kind") == "access";
  memory_.inject(access ? translate::MemoryStatus::kAccessFault : translate::MemoryStatus::kCorrupt,
                 operation.optional_number("addr"));
}

void Section::register_write(const Operation& operation) {
  if (operation.optional_number("unspecified").value_or(0) != 0) return;
  engine_->write_register(static_cast<std::uint32_t>(operation.number("offset")),
                          static_cast<unsigned>(operation.number("size")), operation.number("value"));
}

void Section::register_read(const Operation& operation) {
  const auto offset = static_cast<std::uint32_t>(operation.number("offset"));
  const std::uint64_t found = engine_->read_register(offset, static_cast<unsigned>(operation.number("size")));
  const std::uint64_t mask = operation.optional_number("mask").value_or(~std::uint64_t{0});
  const std::uint64_t expected = operation.number("expect");
  if (((found ^ expected) & mask) != 0)
    mismatch("register " + hex(offset) + ": expected " + hex(expected) + ", found " + hex(found));
}

void Section::expect_message(const Operation& operation) {
  if (sent_.empty()) {
    if (operation.optional_number("optional").value_or(0) == 0)
      mismatch("expected " + message_text(message_of(operation)) + ", found no message");
    return;
  }
  const std::string expected = message_text(message_of(operation));
  const std::string found = message_text(sent_.front());
  if (expected != found) mismatch("expected " + expected + ", found " + found);
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
  const bool ok = engine_->invalidation_completion({function_of(operation), itag_vector(operation), count});
  if (ok != (operation.text("expect") == "ok"))
    mismatch("invalidation completion: expected " + operation.text("expect") + ", found the other");
}

}  // namespace iommusim::conformance
