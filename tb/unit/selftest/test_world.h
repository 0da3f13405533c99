// SPDX-License-Identifier: Apache-2.0
// A machine with the test command, and one program on it.
#pragma once

#include "../iommufd/world.h"
#include "selftest/test_command.h"
#include "uapi/test_command.h"

namespace iommusim::selftest {

using iommufd::kFixed;
using iommufd::kHeap;
using iommufd::kLinear;
using iommufd::kPage;
using iommufd::kReadOnly;
using iommufd::kReadWrite;
using iommufd::ObjectId;
using Command = uapi::IommuTestCmd;

inline constexpr std::uint64_t kMockStart = 0x01000000;  ///< of the aperture of kind DEFAULT
inline constexpr std::uint64_t kMockPage = 2048;

struct TestWorld : iommufd::World {
  TestWorld() { host.extra = &command; }
  ~TestWorld() {
    close_all();
    context.reset();  // before the command
  }
  void close_all() {
    for (int fd = 3; fd < 1100; ++fd) user.descriptors().close(fd);
  }

  static Command make(std::uint32_t op, ObjectId id = 0) {
    Command command{};
    command.op = op;
    command.id = id;
    return command;
  }
  /// The errno; the structure receives the reply.
  int test(Command& argument) { return call(uapi::kIommuTest, argument); }
  int test(Command&& argument) { return call(uapi::kIommuTest, argument); }

  /// What the ioctl returns, for the operation that returns a descriptor.
  int result(Command argument) {
    argument.size = sizeof argument;
    const std::uint64_t at = slot();
    user.copy_to_user(at, &argument, sizeof argument);
    return context->ioctl(process, uapi::kIommuTest, at);
  }

  struct Mock {
    ObjectId stdev, hwpt, idev;
  };
  int mock_domain(ObjectId page_table, Mock& out, std::uint32_t flags = 0) {
    Command argument = make(uapi::kTestMockDomainFlags, page_table);
    argument.mock_domain.dev_flags = flags;
    const int error = test(argument);
    out = {argument.mock_domain.out_stdev_id, argument.mock_domain.out_hwpt_id, argument.mock_domain.out_idev_id};
    return error;
  }
  Mock mock(ObjectId page_table, std::uint32_t flags = 0) {
    Mock out{};
    hal::ensure(mock_domain(page_table, out, flags) == 0, "MOCK_DOMAIN failed");
    return out;
  }
  int check_map(ObjectId hwpt, std::uint64_t iova, std::uint64_t length, std::uint64_t user_va) {
    Command argument = make(uapi::kTestCheckMap, hwpt);
    argument.check_map = {iova, length, user_va};
    return test(argument);
  }
  int check_refs(std::uint64_t user_va, std::uint64_t length, std::uint32_t refs) {
    Command argument = make(uapi::kTestCheckRefs);
    argument.check_refs = {length, user_va, refs};
    return test(argument);
  }

  TestCommand command{os, memory, frames};
};

}  // namespace iommusim::selftest
