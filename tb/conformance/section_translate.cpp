// SPDX-License-Identifier: Apache-2.0
// Requests and the comparison of their answers (FORMAT.md section 5).
#include <algorithm>

#include "conformance/section.h"
#include "conformance/values.h"

namespace iommusim::conformance {

bool Section::compare(const Operation& operation, const char* name, const std::string& found) {
  const auto allowed = operation.allowed(name);
  if (std::find(allowed.begin(), allowed.end(), found) != allowed.end()) return true;
  std::string values;
  for (const std::string& value : allowed) values += (values.empty() ? "" : " or ") + value;
  mismatch(name, values, found);
  return false;
}

void Section::translate(const Operation& operation) {
  const translate::Outcome outcome = subject_->translate(request_of(operation));
  const std::string status = status_text(outcome.response);
  if (!compare(operation, "status", status)) {
    if (outcome.fault.cause != 0)
      result_.mismatches.back().found += " (cause " + std::to_string(outcome.fault.cause) + ")";
    return;
  }
  if (status != "success") return;
  const bool is_ats = operation.text("at") == "ats_request";
  if (is_ats) compare_completion(operation, outcome.ats);
  if (is_ats && !outcome.ats.r && !outcome.ats.w) return;
  const Operation expect = operation.object("expect");
  compare_address(expect, outcome);
  if (!is_ats) compare_msi(expect, outcome);
}

void Section::compare_address(const Operation& expect, const translate::Outcome& outcome) {
  if (expect.has("pa") && expect.number("pa") != outcome.spa) mismatch("pa", expect.text("pa"), hex(outcome.spa));
  if (const auto size_max = expect.optional_number("size_max"))
    if (outcome.size_log2 < 12 || *size_max >> outcome.size_log2 == 0)
      mismatch("size", "0x1000 to " + hex(*size_max), "2^" + std::to_string(outcome.size_log2));
  if (expect.has("pbmt") && expect.text("pbmt") != pbmt_text(outcome.pbmt))
    mismatch("pbmt", expect.text("pbmt"), pbmt_text(outcome.pbmt));
}

void Section::compare_msi(const Operation& expect, const translate::Outcome& outcome) {
  if (expect.has("msi") && expect.flag("msi") != outcome.is_msi)
    mismatch("msi", std::to_string(expect.number("msi")), outcome.is_msi ? "1" : "0");
  const bool is_mrif = outcome.is_msi && outcome.msi.mrif;
  if (expect.has("mrif") != is_mrif)
    return mismatch("mrif", is_mrif ? "none" : expect.object("mrif").dump(), is_mrif ? "an MRIF" : "none");
  if (!expect.has("mrif")) return;
  const Operation mrif = expect.object("mrif");
  if (mrif.number("addr") != outcome.msi.mrif_address || mrif.number("nid") != outcome.msi.notice_id)
    mismatch("mrif", hex(mrif.number("addr")) + ", nid " + std::to_string(mrif.number("nid")),
             hex(outcome.msi.mrif_address) + ", nid " + std::to_string(outcome.msi.notice_id));
}

void Section::compare_completion(const Operation& operation, const translate::AtsCompletion& ats) {
  const std::pair<const char*, bool> fields[] = {
      {"r", ats.r},           {"w", ats.w}, {"x", ats.x},   {"priv", ats.privileged},
      {"global", ats.global}, {"n", false}, {"ama", false}, {"u", ats.untranslated_only},
      {"cxl_io", ats.cxl_io},
  };
  const Operation expect = operation.object("expect");
  for (const auto& [name, found] : fields)
    if (expect.has(name)) compare(operation, name, found ? "1" : "0");
}

}  // namespace iommusim::conformance
