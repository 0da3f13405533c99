// SPDX-License-Identifier: Apache-2.0
// What the devices of an Environment send: requests of all kinds, page requests, and what software asks the debug
// interface. Most of it is what the tables were made for; some comes from nowhere.
#pragma once

#include "environment.h"

namespace iommusim::timing::test {

class Traffic {
 public:
  explicit Traffic(Environment& environment) : environment_(environment), choices_(environment.choices()) {}

  translate::Request request() {
    constexpr translate::Access kAccesses[] = {translate::Access::kRead, translate::Access::kRead,
                                               translate::Access::kWrite, translate::Access::kWrite,
                                               translate::Access::kAtomic};
    const Environment::Page& page = any_page();
    const Environment::Device& device = environment_.device_of(page);
    translate::Request request = Machine::request(device.id, 0, choices_.pick(kAccesses));
    request.type = random_type(device);
    if (request.type == translate::AddressType::kAtsRequest) request.access = translate::Access::kRead;
    request.iova = base::Iova(random_address(page, request.type));
    if (choices_.one_in(32)) request.device.value ^= 1U << choices_.below(24);
    add_process(request, environment_.user_of(page));
    const bool may_execute = request.type == translate::AddressType::kUntranslated || request.process_valid;
    if (request.access == translate::Access::kRead && may_execute) request.execute = choices_.one_in(3);
    if (page.interrupt_file && choices_.below(4) != 0) make_message(request);
    if (request.type != translate::AddressType::kAtsRequest) return request;
    request.no_write = choices_.flag();
    request.cxl = choices_.one_in(4);
    return request;
  }

  translate::PageRequest page_request() {
    const Environment::Page& page = any_page();
    const std::uint32_t id = environment_.device_of(page).id;
    const Environment::User& user = environment_.user_of(page);
    translate::PageRequest request;
    request.function.rid = static_cast<std::uint16_t>(id);
    request.function.segment = static_cast<std::uint8_t>(id >> 16);
    request.function.segment_valid = request.function.segment != 0 || choices_.flag();
    if (choices_.one_in(16)) request.function.rid ^= static_cast<std::uint16_t>(1U << choices_.below(16));
    request.process_valid = user.process_valid || choices_.one_in(4);
    if (request.process_valid) request.process = base::ProcessId(user.process);
    request.privileged = request.process_valid && choices_.flag();
    request.execute = request.process_valid && choices_.flag();
    request.payload = (page.iova & ~base::mask_of(12)) | choices_.number(2) % 4096U;
    return request;
  }

  /// tr_req_ctl with Go, for the address that is put into tr_req_iova.
  std::uint64_t debug_control(std::uint64_t& iova) {
    using namespace spec;
    const Environment::Page& page = any_page();
    const Environment::User& user = environment_.user_of(page);
    iova = page.iova & ~base::mask_of(12);
    std::uint64_t word = tr_req_ctl::kGoBusy.mask() | tr_req_ctl::kDid.of(environment_.device_of(page).id);
    if (user.process_valid) word |= tr_req_ctl::kPv.mask() | tr_req_ctl::kPid.of(user.process);
    if (choices_.flag()) word |= tr_req_ctl::kPriv.mask();
    if (choices_.flag()) word |= tr_req_ctl::kNw.mask();
    return word | (choices_.one_in(4) ? tr_req_ctl::kExe.mask() : 0);
  }

 private:
  const Environment::Page& any_page() {
    const auto& pages = environment_.pages();
    return pages[choices_.below(static_cast<unsigned>(pages.size()))];
  }
  translate::AddressType random_type(const Environment::Device& device) {
    using Type = translate::AddressType;
    constexpr Type kTypes[] = {Type::kUntranslated, Type::kUntranslated, Type::kUntranslated,
                               Type::kTranslated,   Type::kAtsRequest,   Type::kAtsRequest};
    if (device.context.ats_enabled() || choices_.one_in(32)) return choices_.pick(kTypes);
    return Type::kUntranslated;
  }
  /// A translated address is guest-physical when the device was given such.
  std::uint64_t random_address(const Environment::Page& page, translate::AddressType type) {
    const std::uint64_t offset = choices_.below(8) * 0x200;
    std::uint64_t address = (type == translate::AddressType::kTranslated ? page.gpa : page.iova) + offset;
    if (choices_.one_in(10)) address ^= 1ULL << (12 + choices_.below(52));
    return address;
  }
  /// A message that the IOMMU stores into a memory-resident file. Without AMO_MRIF two messages at once may lose one
  /// if their identities share a doubleword, so these have one each.
  void make_message(translate::Request& request) {
    if (request.type == translate::AddressType::kAtsRequest) return;
    request.access = translate::Access::kWrite;
    request.execute = false;
    request.bytes = 4;
    request.stores_msi = true;
    request.iova = base::Iova((request.iova.value & ~base::mask_of(12)) | (choices_.one_in(8) ? 4 : 0));
    const unsigned group = environment_.implementation().amo_mrif ? choices_.one_in(8) : messages_++ % 31;
    request.data = group * 64 + 1 + choices_.below(60);
    if (choices_.one_in(16)) request.data = choices_.flag() ? 0 : 2048;
    if ((request.iova.value & 4) != 0) request.data = __builtin_bswap32(request.data);
  }
  void add_process(translate::Request& request, const Environment::User& user) {
    request.process_valid = user.process_valid != choices_.one_in(32);
    if (!request.process_valid) return;
    request.process = base::ProcessId(user.process);
    if (choices_.one_in(24)) request.process.value ^= 1U << choices_.below(20);
    request.privileged = choices_.one_in(3);
  }

  Environment& environment_;
  Choices& choices_;
  unsigned messages_ = 0;
};

}  // namespace iommusim::timing::test
