// SPDX-License-Identifier: Apache-2.0
// The operations of FORMAT.md section 4 and the comparison of section 5.
#include "conformance/section.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "conformance/values.h"
#include "spec/formats.h"

namespace iommusim::conformance {

using nlohmann::json;

Section::Section(std::string file, std::string name, std::size_t most_mismatches)
    : file_(std::move(file)), most_mismatches_(most_mismatches) {
  result_.name = std::move(name);
}

bool Section::over() const { return !result_.skipped.empty() || result_.mismatches.size() >= most_mismatches_; }

void Section::mismatch(const std::string& text) {
  result_.mismatches.push_back({file_ + ":" + std::to_string(line_), text});
}

void Section::perform(const json& operation, std::size_t line) {
  if (over()) return;
  const std::string kind = operation.at("op");
  const bool is_check = kind == "mem_check" || kind == "expect_msg";
  if (!is_check) end_operation();
  line_ = line;
  if (!is_check) last_operation_line_ = line;
  ++result_.operations;
  if (kind == "reset") return reset(operation);
  if (registers_ == nullptr) throw base::InputError({file_, static_cast<std::uint32_t>(line), 0}, "expected op reset");
  if (kind == "mem_write") return memory_.store(number(operation.at("addr")), byte_string(operation.at("data")));
  if (kind == "mem_check") return memory_check(operation);
  if (kind == "mem_fault") return memory_fault(operation);
  if (kind == "reg_write") return register_write(operation);
  if (kind == "reg_read") return register_read(operation);
  if (kind == "process") return void(engine_->run_one_command());
  if (kind == "translate") return translate(operation);
  throw base::InputError({file_, static_cast<std::uint32_t>(line), 0}, "unknown op '" + kind + "'");
}

void Section::end_operation() {
  if (const auto address = memory_.unaccounted()) {
    line_ = last_operation_line_;
    mismatch("the IOMMU wrote to " + hex(*address) + ", which no mem_check expects");
  }
  memory_.begin_operation();
}

SectionResult Section::finish() {
  if (!over()) end_operation();
  return std::move(result_);
}

void Section::reset(const json& operation) {
  const spec::Implementation implementation = implementation_of(operation);
  result_.skipped = missing_feature(implementation);
  if (!result_.skipped.empty()) return;
  memory_.clear();
  registers_ = std::make_unique<translate::Registers>(implementation);
  engine_ = std::make_unique<translate::FunctionalEngine>(*registers_, memory_);
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

void Section::memory_check(const json& operation) {
  const std::uint64_t address = number(operation.at("addr"));
  const auto expected = byte_string(operation.at("data"));
  const auto found = memory_.load(address, expected.size());
  const auto mask =
      operation.contains("mask") ? byte_string(operation.at("mask")) : std::vector<std::uint8_t>(expected.size(), 0xff);
  memory_.account(address, expected.size());
  if (expected.size() == spec::kFaultRecordBytes) clear_page_offset_of_implicit_access(expected, mask);
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (((expected[i] ^ found[i]) & mask[i]) != 0)
      return mismatch(std::string(operation.at("kind")) + " at " + hex(address) + ": expected " +
                      std::string(operation.at("data")) + ", found " + byte_text(found));
}

void Section::memory_fault(const json& operation) {
  const auto kind =
      operation.at("kind") == "access" ? translate::MemoryStatus::kAccessFault : translate::MemoryStatus::kCorrupt;
  memory_.inject(kind, optional_number(operation.at("addr")));
}

void Section::register_write(const json& operation) {
  if (operation.value("unspecified", false)) return;
  engine_->write_register(static_cast<std::uint32_t>(number(operation.at("offset"))),
                          static_cast<unsigned>(number(operation.at("size"))), number(operation.at("value")));
}

void Section::register_read(const json& operation) {
  const auto offset = static_cast<std::uint32_t>(number(operation.at("offset")));
  const std::uint64_t found = engine_->read_register(offset, static_cast<unsigned>(number(operation.at("size"))));
  const std::uint64_t mask = operation.contains("mask") ? number(operation.at("mask")) : ~std::uint64_t{0};
  const std::uint64_t expected = number(operation.at("expect"));
  if (((found ^ expected) & mask) != 0)
    mismatch("register " + hex(offset) + ": expected " + hex(expected) + ", found " + hex(found));
}

void Section::translate(const json& operation) {
  compare_outcome(operation, engine_->translate(request_of(operation)));
}

void Section::compare_outcome(const json& operation, const translate::Outcome& outcome) {
  const json& expect = operation.at("expect");
  const std::string info = operation.contains("info") ? " (info " + operation.at("info").dump() + ")" : "";
  const std::string status = status_text(outcome.response);
  if (status != expect.at("status"))
    return mismatch(
        "status: expected " + std::string(expect.at("status")) + info + ", found " + status +
        (outcome.kind == translate::Outcome::Kind::kFault ? " cause " + std::to_string(outcome.fault.cause) : ""));
  if (status != "success") return;
  if (expect.contains("pa") && number(expect.at("pa")) != outcome.spa)
    mismatch("pa: expected " + std::string(expect.at("pa")) + ", found " + hex(outcome.spa));
  if (const auto size_max = optional_number(expect.value("size_max", json())))
    if (outcome.size_log2 < 12 || *size_max >> outcome.size_log2 == 0)
      mismatch("size: expected at most " + hex(*size_max) + ", found 2^" + std::to_string(outcome.size_log2));
  if (expect.contains("pbmt") && expect.at("pbmt") != pbmt_text(outcome.pbmt))
    mismatch("pbmt: expected " + std::string(expect.at("pbmt")) + ", found " + pbmt_text(outcome.pbmt));
}

}  // namespace iommusim::conformance
