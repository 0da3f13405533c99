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
    {uapi::kTestCreateAccess, create_access, true},
    {uapi::kTestDestroyAccessPages, destroy_access_pages, false},
    {uapi::kTestAccessPages, access_pages, true},
    {uapi::kTestAccessRw, access_rw, false},
    {uapi::kTestSetTempMemoryLimit, set_temp_memory_limit, false},
    {uapi::kTestMockDomainReplace, mock_domain_replace, true},
    {uapi::kTestAccessReplaceIoas, access_replace_ioas, false},
    {uapi::kTestMockDomainFlags, mock_domain_flags, true},
    {uapi::kTestDirty, mark_dirty, true},
    {uapi::kTestCheckIotlb, check_iotlb, false},
    {uapi::kTestTriggerIopf, trigger_iopf, false},
    {uapi::kTestDeviceCheckCache, check_device_cache, false},
    {uapi::kTestTriggerVevent, trigger_vevent, false},
    {uapi::kTestPasidAttach, pasid_attach, true},
    {uapi::kTestPasidReplace, pasid_replace, true},
    {uapi::kTestPasidDetach, pasid_detach, false},
    {uapi::kTestPasidCheckHwpt, pasid_check_hwpt, false},
    {uapi::kTestDmabufGet, dmabuf_get, false},
    {uapi::kTestDmabufRevoke, dmabuf_revoke, false},
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
