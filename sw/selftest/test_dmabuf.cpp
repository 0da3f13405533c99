// SPDX-License-Identifier: Apache-2.0
// Users of a dma-buf, and its operations.
#include "selftest/test_dmabuf.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <new>

#include "pagetable/interval.h"
#include "selftest/ops.h"
#include "selftest/test_command.h"

namespace iommusim::selftest {
namespace {

using pagetable::kPage;

unsigned order_of(std::uint64_t pages) {
  unsigned order = 0;
  while ((1ULL << order) < pages) ++order;
  return order;
}

}  // namespace

TestDmabuf::TestDmabuf(hal::Os& os, hal::FrameAllocator& frames, std::uint64_t pages)
    : File("/dmabuf:", hal::Pollable::kAlways),
      frames_(frames),
      bytes_(pages * kPage),
      order_(order_of(pages)),
      lock_(os.make_mutex()),
      spa_(frames.alloc(order_)) {
  if (spa_ == 0) throw std::bad_alloc();
}

TestDmabuf::~TestDmabuf() { frames_.free(spa_, order_); }

int TestDmabuf::attach(hal::DmaBufUser& user, std::uint64_t& spa_out) {
  const std::lock_guard guard(*lock_);
  if (revoked_) return ENODEV;
  users_.push_back(&user);
  spa_out = spa_;
  return 0;
}

void TestDmabuf::detach(hal::DmaBufUser& user) {
  const std::lock_guard guard(*lock_);
  users_.erase(std::remove(users_.begin(), users_.end(), &user), users_.end());
}

void TestDmabuf::revoke(bool revoked) {
  const std::lock_guard guard(*lock_);
  revoked_ = revoked;
  for (hal::DmaBufUser* const user : users_) user->revoked();
  users_.clear();
}

int dmabuf_get(iommufd::Call& call, Command& command) {
  const std::uint64_t pages = (std::uint64_t{command.dmabuf_get.length} + kPage - 1) / kPage;
  if (pages == 0 || pages > TestDmabuf::kMaxPages) return EINVAL;
  auto buffer = std::make_shared<TestDmabuf>(call.context().os(), TestCommand::of(call).frames(), pages);
  std::uint32_t fd = 0;
  if (const int error = call.open(std::move(buffer), fd, (command.dmabuf_get.open_flags & O_CLOEXEC) != 0))
    return error;
  call.set_result(static_cast<int>(fd));
  return 0;
}

int dmabuf_revoke(iommufd::Call& call, Command& command) {
  hal::Files* const files = call.caller().files();
  std::shared_ptr<hal::File> file;
  if (!files || files->find(command.dmabuf_revoke.dmabuf_fd, file) != 0) return EBADF;
  if (!file || !file->dma_buf()) return EINVAL;
  auto* const mine = dynamic_cast<TestDmabuf*>(file.get());
  if (!mine) return EOPNOTSUPP;
  mine->revoke(command.dmabuf_revoke.revoked != 0);
  return 0;
}

}  // namespace iommusim::selftest
