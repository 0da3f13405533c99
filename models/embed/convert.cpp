// SPDX-License-Identifier: Apache-2.0
#include "embed/convert.h"

#include "base/error.h"

namespace iommusim::embed {

namespace {

void check_range(const char* name, std::uint64_t value, std::uint64_t highest) {
  if (value > highest)
    throw base::InputError(std::string(name) + " is " + std::to_string(value) + ", expected at most " +
                           std::to_string(highest));
}

constexpr std::uint32_t kProcessFlags = IOMMUSIM_PROCESS_VALID | IOMMUSIM_PRIVILEGED | IOMMUSIM_EXECUTE;

}  // namespace

translate::Request to_request(const iommusim_request& request) {
  check_range("device", request.device, 0xffffff);
  check_range("process", request.process, 0xfffff);
  check_range("access", request.access, IOMMUSIM_ATOMIC);
  check_range("type", request.type, IOMMUSIM_ATS_REQUEST);
  check_range("flags", request.flags, kProcessFlags | IOMMUSIM_NO_WRITE | IOMMUSIM_CXL | IOMMUSIM_STORE_MSI);
  const std::uint64_t room = base::kPageSize - request.iova % base::kPageSize;
  if (request.bytes == 0 || request.bytes > room)
    throw base::InputError("bytes is " + std::to_string(request.bytes) + ", expected 1.." + std::to_string(room) +
                           " up to the 4 KiB border");
  translate::Request out;
  out.iova = base::Iova(request.iova);
  out.bytes = request.bytes;
  out.device = base::DeviceId(request.device);
  out.process = base::ProcessId(request.process);
  out.process_valid = (request.flags & IOMMUSIM_PROCESS_VALID) != 0;
  out.privileged = (request.flags & IOMMUSIM_PRIVILEGED) != 0;
  out.execute = (request.flags & IOMMUSIM_EXECUTE) != 0;
  out.no_write = (request.flags & IOMMUSIM_NO_WRITE) != 0;
  out.cxl = (request.flags & IOMMUSIM_CXL) != 0;
  out.stores_msi = (request.flags & IOMMUSIM_STORE_MSI) != 0;
  out.data = request.data;
  out.access = request.access == IOMMUSIM_READ    ? translate::Access::kRead
               : request.access == IOMMUSIM_WRITE ? translate::Access::kWrite
                                                  : translate::Access::kAtomic;
  out.type = request.type == IOMMUSIM_UNTRANSLATED ? translate::AddressType::kUntranslated
             : request.type == IOMMUSIM_TRANSLATED ? translate::AddressType::kTranslated
                                                   : translate::AddressType::kAtsRequest;
  return out;
}

iommusim_result to_result(const translate::Outcome& outcome) {
  const translate::AtsCompletion& ats = outcome.ats;
  iommusim_result out{};
  out.address = outcome.spa;
  out.translated = outcome.kind == translate::Outcome::Kind::kTranslated ? 1 : 0;
  switch (outcome.response) {
    case translate::Response::kSuccess:
      out.response = IOMMUSIM_SUCCESS;
      break;
    case translate::Response::kUnsupportedRequest:
      out.response = IOMMUSIM_UNSUPPORTED_REQUEST;
      break;
    case translate::Response::kCompleterAbort:
      out.response = IOMMUSIM_COMPLETER_ABORT;
      break;
  }
  out.size_log2 = outcome.size_log2;
  out.pbmt = outcome.pbmt;
  out.bypass = outcome.bypass ? 1 : 0;
  out.ats = (ats.r ? IOMMUSIM_ATS_R : 0) | (ats.w ? IOMMUSIM_ATS_W : 0) | (ats.x ? IOMMUSIM_ATS_X : 0) |
            (ats.privileged ? IOMMUSIM_ATS_PRIV : 0) | (ats.global ? IOMMUSIM_ATS_GLOBAL : 0) |
            (ats.untranslated_only ? IOMMUSIM_ATS_U : 0) | (ats.cxl_io ? IOMMUSIM_ATS_CXL_IO : 0);
  out.cause = outcome.fault.cause;
  out.fault_record = outcome.record_fault ? 1 : 0;
  out.iotval2 = outcome.fault.iotval2;
  out.rcid = outcome.qos.rcid;
  out.mcid = outcome.qos.mcid;
  if (outcome.is_msi) {
    out.msi = outcome.msi.absorbed ? 3 : outcome.msi.mrif ? 2 : 1;
    out.notice_id = outcome.msi.notice_id;
    out.mrif_address = outcome.msi.mrif_address;
  }
  return out;
}

translate::DeviceFunction to_function(std::uint32_t device, bool segment_valid) {
  check_range("device", device, segment_valid ? 0xffffff : 0xffff);
  return {static_cast<std::uint16_t>(device), segment_valid, static_cast<std::uint8_t>(device >> 16)};
}

translate::PageRequest to_page_request(const iommusim_page_request& request) {
  check_range("process", request.process, 0xfffff);
  check_range("flags", request.flags, kProcessFlags);
  translate::PageRequest out;
  out.function = to_function(request.device, request.segment_valid != 0);
  out.process_valid = (request.flags & IOMMUSIM_PROCESS_VALID) != 0;
  out.process = base::ProcessId(request.process);
  out.privileged = (request.flags & IOMMUSIM_PRIVILEGED) != 0;
  out.execute = (request.flags & IOMMUSIM_EXECUTE) != 0;
  out.payload = request.payload;
  return out;
}

}  // namespace iommusim::embed
