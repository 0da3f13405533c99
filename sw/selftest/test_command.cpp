// SPDX-License-Identifier: Apache-2.0
// The table of the operations.
#include "selftest/test_command.h"

#include <cerrno>

#include "selftest/ops.h"
#include "uapi/build_options.h"

namespace iommusim::selftest {
namespace {

struct Operation {
  std::uint32_t number;
  int (*run)(iommufd::Call&, Command&);
  bool replies;
};

constexpr Operation kOperations[] = {
    {uapi::kTestAddReserved, add_reserved, false},
    {uapi::kTestMockDomain, mock_domain, true},
    {uapi::kTestCheckMap, check_map, false},
    {uapi::kTestCheckRefs, check_refs, false},
    {uapi::kTestMockDomainReplace, mock_domain_replace, true},
    {uapi::kTestMockDomainFlags, mock_domain_flags, true},
};

int run_command(iommufd::Call& call, void* argument) {
  auto& command = *static_cast<Command*>(argument);
  for (const Operation& operation : kOperations) {
    if (operation.number != command.op) continue;
    if (operation.replies) call.reply_with(uapi::Reply::kStruct);
    return operation.run(call, command);
  }
  return EOPNOTSUPP;
}

}  // namespace

std::unique_ptr<TestCommand> TestCommand::make(hal::Os& os, hal::Memory& memory, hal::FrameAllocator& frames) {
  return uapi::kHasIommufdTest ? std::make_unique<TestCommand>(os, memory, frames) : nullptr;
}

TestCommand::TestCommand(hal::Os& os, hal::Memory& memory, hal::FrameAllocator& frames)
    : ExtraIoctl{uapi::kIommuTestRow, &run_command},
      frames_(frames),
      iommu_(os, drivers::mock_test_hardware(&frames, &memory)) {}

TestCommand& TestCommand::of(iommufd::Call& call) {
  return const_cast<TestCommand&>(static_cast<const TestCommand&>(*call.context().host().extra));
}

}  // namespace iommusim::selftest
