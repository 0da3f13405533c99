// SPDX-License-Identifier: Apache-2.0
// The operations of the test command, each with the checks of test_ops.md L.4 in their order. They return 0 or a
// positive errno, fill the `out` fields of their member, and leave undoing to the Call, as all handlers of ioctls do.
#pragma once

#include "iommufd/call.h"
#include "uapi/test_command.h"

namespace iommusim::selftest {

using Command = uapi::IommuTestCmd;

// mapping_ops.cpp
int add_reserved(iommufd::Call& call, Command& command);
int check_map(iommufd::Call& call, Command& command);
int check_refs(iommufd::Call& call, Command& command);
int set_temp_memory_limit(iommufd::Call& call, Command& command);
int mark_dirty(iommufd::Call& call, Command& command);
int check_iotlb(iommufd::Call& call, Command& command);

// device_ops.cpp
int mock_domain(iommufd::Call& call, Command& command);
int mock_domain_flags(iommufd::Call& call, Command& command);
int mock_domain_replace(iommufd::Call& call, Command& command);
int check_device_cache(iommufd::Call& call, Command& command);
int trigger_iopf(iommufd::Call& call, Command& command);
int trigger_vevent(iommufd::Call& call, Command& command);
int pasid_attach(iommufd::Call& call, Command& command);
int pasid_replace(iommufd::Call& call, Command& command);
int pasid_detach(iommufd::Call& call, Command& command);
int pasid_check_hwpt(iommufd::Call& call, Command& command);

// access_ops.cpp
int create_access(iommufd::Call& call, Command& command);
int destroy_access_pages(iommufd::Call& call, Command& command);
int access_pages(iommufd::Call& call, Command& command);
int access_rw(iommufd::Call& call, Command& command);
int access_replace_ioas(iommufd::Call& call, Command& command);

// test_dmabuf.cpp
int dmabuf_get(iommufd::Call& call, Command& command);
int dmabuf_revoke(iommufd::Call& call, Command& command);

}  // namespace iommusim::selftest
