// SPDX-License-Identifier: Apache-2.0
// The operations of FORMAT.md section 4 and the comparison of section 5.
#include "conformance/section.h"

#include <algorithm>
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
  if (kind == "page_request") return page_request(operation);
  if (kind == "expect_msg") return expect_message(operation);
  if (kind == "inval_completion") return invalidation_completion(operation);
  if (kind == "ats_timeout") return time_out(operation);
  throw base::InputError({file_, static_cast<std::uint32_t>(line), 0}, "unknown op '" + kind + "'");
}

void Section::end_operation() {
  if (const auto address = memory_.unaccounted()) {
    line_ = last_operation_line_;
    mismatch("the IOMMU wrote to " + hex(*address) + ", which no mem_check expects");
  }
  if (!sent_.empty()) {
    line_ = last_operation_line_;
    mismatch("the IOMMU sent " + message_text(sent_.front()) + ", which no expect_msg expects");
    sent_.clear();
  }
  memory_.begin_operation();
}

SectionResult Section::finish() {
  if (!over()) end_operation();
  return std::move(result_);
}

void Section::reset(const json& operation) {
  const spec::Implementation implementation = implementation_of(operation);
  memory_.clear();
  itags_.clear();
  sent_.clear();
  registers_ = std::make_unique<translate::Registers>(implementation);
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

void Section::memory_check(const json& operation) {
  const std::uint64_t address = number(operation.at("addr"));
  const auto expected = byte_string(operation.at("data"));
  const auto found = memory_.load(address, expected.size());
  auto mask =
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

void Section::page_request(const json& operation) {
  translate::PageRequest request;
  request.function = function_of(operation);
  if (const auto process = optional_number(operation.at("pasid"))) {
    request.process_valid = true;
    request.process = base::ProcessId(static_cast<std::uint32_t>(*process));
  }
  request.privileged = number(operation.at("priv")) != 0;
  request.execute = number(operation.at("exec")) != 0;
  request.payload = number(operation.at("payload"));
  engine_->page_request(request);
}

void Section::expect_message(const json& operation) {
  if (sent_.empty()) {
    if (!operation.value("optional", false)) mismatch("expected " + operation.dump() + ", found no message");
    return;
  }
  const translate::DeviceMessage found = sent_.front();
  sent_.pop_front();
  translate::DeviceMessage expected = found;  // the ITAG is free
  expected.kind = operation.at("msg") == "prg_response" ? translate::DeviceMessage::Kind::kPageResponse
                                                        : translate::DeviceMessage::Kind::kInvalidationRequest;
  expected.function = function_of(operation);
  const auto process = optional_number(operation.at("pasid"));
  expected.process_valid = process.has_value();
  expected.process = base::ProcessId(static_cast<std::uint32_t>(process.value_or(0)));
  expected.payload = number(operation.at("payload"));
  if (message_text(expected) != message_text(found))
    mismatch("expected " + message_text(expected) + ", found " + message_text(found));
  if (operation.contains("ref")) itags_[number(operation.at("ref"))] = found.itag;
}

std::uint32_t Section::itag_vector(const json& operation) const {
  if (operation.at("refs").empty()) return static_cast<std::uint32_t>(number(operation.at("itag_vector")));
  std::uint32_t vector = 0;
  for (const json& ref : operation.at("refs")) vector |= 1U << itags_.at(number(ref));
  return vector;
}

void Section::invalidation_completion(const json& operation) {
  const auto count = static_cast<std::uint8_t>(number(operation.at("cc")));
  const bool expected = operation.at("expect") == "ok";
  if (engine_->invalidation_completion({function_of(operation), itag_vector(operation), count}) != expected)
    mismatch(std::string("invalidation completion: expected ") + (expected ? "ok" : "unexpected"));
}

void Section::time_out(const json& operation) { engine_->invalidation_time_out(itag_vector(operation)); }

void Section::compare_outcome(const json& operation, const translate::Outcome& outcome) {
  const json& expect = operation.at("expect");
  const std::string info = operation.contains("info") ? " (info " + operation.at("info").dump() + ")" : "";
  const std::string status = status_text(outcome.response);
  const json allowed = operation.value("permitted", json::object()).value("status", json::array({expect.at("status")}));
  if (std::find(allowed.begin(), allowed.end(), json(status)) == allowed.end())
    return mismatch("status: expected " + std::string(expect.at("status")) + info + ", found " + status + " cause " +
                    std::to_string(outcome.fault.cause));
  if (status != "success") return;
  const bool is_ats = operation.at("at") == "ats_request";
  if (is_ats) compare_completion(operation, outcome);
  if (is_ats && !outcome.ats.r && !outcome.ats.w) return;
  if (expect.contains("pa") && number(expect.at("pa")) != outcome.spa)
    mismatch("pa: expected " + std::string(expect.at("pa")) + ", found " + hex(outcome.spa));
  if (const auto size_max = optional_number(expect.value("size_max", json())))
    if (outcome.size_log2 < 12 || *size_max >> outcome.size_log2 == 0)
      mismatch("size: expected at most " + hex(*size_max) + ", found 2^" + std::to_string(outcome.size_log2));
  if (expect.contains("pbmt") && expect.at("pbmt") != pbmt_text(outcome.pbmt))
    mismatch("pbmt: expected " + std::string(expect.at("pbmt")) + ", found " + pbmt_text(outcome.pbmt));
  if (expect.contains("msi") && (expect.at("msi") == 1) != outcome.is_msi)
    mismatch("msi: expected " + expect.at("msi").dump() + ", found " + std::to_string(outcome.is_msi));
  if (is_ats) return;
  if (expect.contains("mrif") != (outcome.is_msi && outcome.msi.mrif)) return mismatch("mrif: expected the other mode");
  if (expect.contains("mrif") && (number(expect.at("mrif").at("addr")) != outcome.msi.mrif_address ||
                                  number(expect.at("mrif").at("nid")) != outcome.msi.notice_id))
    mismatch("mrif: expected " + expect.at("mrif").dump() + ", found " + hex(outcome.msi.mrif_address) + " nid " +
             std::to_string(outcome.msi.notice_id));
}

/// FORMAT.md 5.3 and 5.4.
void Section::compare_completion(const json& operation, const translate::Outcome& outcome) {
  const json& expect = operation.at("expect");
  const translate::AtsCompletion& ats = outcome.ats;
  const std::pair<const char*, bool> fields[] = {
      {"r", ats.r},           {"w", ats.w}, {"x", ats.x},   {"priv", ats.privileged},
      {"global", ats.global}, {"n", false}, {"ama", false}, {"u", ats.untranslated_only},
      {"cxl_io", ats.cxl_io},
  };
  for (const auto& [name, found] : fields) {
    if (!expect.contains(name)) continue;
    const json allowed = operation.value("permitted", json::object()).value(name, json::array({expect.at(name)}));
    if (std::find(allowed.begin(), allowed.end(), json(found ? 1 : 0)) == allowed.end())
      mismatch(std::string(name) + ": expected " + allowed.dump() + ", found " + std::to_string(found));
  }
}

}  // namespace iommusim::conformance
