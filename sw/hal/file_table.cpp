// SPDX-License-Identifier: Apache-2.0
// The table of a simulated process, and the files of other subsystems in it.
#include "hal/file_table.h"

#include <algorithm>

#include "hal/contradiction.h"

namespace iommusim::hal {
namespace {

constexpr int kFirstFd = 3;
constexpr unsigned kPollIn = 1, kPollOut = 4;

unsigned ready_events(const File& file) {
  switch (file.pollable()) {
    case Pollable::kAlways:
      return kPollIn | kPollOut;
    case Pollable::kReadable:
      return file.readable() ? kPollIn : 0;
    case Pollable::kReadableWritable:
      return kPollOut | (file.readable() ? kPollIn : 0);
  }
  return 0;
}

}  // namespace

struct FileTable::Description {
  std::shared_ptr<File> file;
  std::mutex position_lock;
  std::uint64_t position = 0;
};

class FileTable::Waker final : public ReadinessListener {
 public:
  explicit Waker(Os& os) : lock_(os.make_mutex()), queue_(os.make_wait_queue()) {}
  void readable_changed(bool readable) override {
    if (!readable) return;
    ++changes_;
    queue_->wake_all();
  }
  /// Sleeps a while; the caller looks again.
  void wait_for(std::uint64_t seen, std::uint64_t ns) {
    const std::lock_guard guard(*lock_);
    if (changes_ == seen) queue_->wait_for(*lock_, ns);
  }
  std::uint64_t changes() const { return changes_; }

 private:
  std::unique_ptr<Mutex> lock_;
  std::unique_ptr<WaitQueue> queue_;
  std::atomic<std::uint64_t> changes_{0};
};

FileTable::FileTable(Os& os, std::size_t limit) : os_(os), limit_(limit), waker_(std::make_shared<Waker>(os)) {}
FileTable::~FileTable() {
  for (Slot& slot : slots_)
    if (slot.description) slot.description->file->set_listener(nullptr);
}

int FileTable::place_locked(std::shared_ptr<Description> description, bool published, int& fd_out) {
  const auto free = std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return !slot.description; });
  const auto index = static_cast<std::size_t>(free - slots_.begin());
  if (index + kFirstFd >= limit_) return -EMFILE;
  if (free == slots_.end()) slots_.emplace_back();
  slots_[index] = Slot{std::move(description), published};
  fd_out = static_cast<int>(index) + kFirstFd;
  return 0;
}

int FileTable::reserve(std::shared_ptr<File> file, int& fd_out, bool /*close_on_exec*/) {
  auto description = std::make_shared<Description>();
  description->file = std::move(file);
  File& watched = *description->file;
  {
    const std::lock_guard guard(lock_);
    if (const int error = place_locked(std::move(description), false, fd_out)) return error;
  }
  watched.set_listener(waker_);
  return 0;
}

void FileTable::publish(int fd) {
  const std::lock_guard guard(lock_);
  slots_.at(static_cast<std::size_t>(fd - kFirstFd)).published = true;
}

void FileTable::cancel(int fd) {
  std::shared_ptr<Description> last;  // released without the lock
  const std::lock_guard guard(lock_);
  Slot& slot = slots_.at(static_cast<std::size_t>(fd - kFirstFd));
  ensure(slot.description && !slot.published, "a descriptor is given back that programs can see");
  last = std::exchange(slot.description, nullptr);
}

std::shared_ptr<FileTable::Description> FileTable::get(int fd) const {
  const std::lock_guard guard(lock_);
  const auto index = static_cast<std::size_t>(fd) - kFirstFd;
  if (fd < kFirstFd || index >= slots_.size() || !slots_[index].published) return nullptr;
  return slots_[index].description;
}

int FileTable::find(int fd, std::shared_ptr<File>& out) {
  const auto description = get(fd);
  if (!description) return -EBADF;
  out = description->file;
  return 0;
}

int FileTable::find_event(int fd, std::shared_ptr<EventSignal>& out) {
  const auto description = get(fd);
  if (!description) return -EBADF;
  out = std::dynamic_pointer_cast<EventSignal>(description->file);
  return out ? 0 : -EINVAL;
}

int FileTable::find_memory(int fd, std::shared_ptr<MemoryFile>& out) {
  struct Other final : MemoryFile {
    int pin_page(std::uint64_t, bool, std::uint64_t&) override { return EINVAL; }
    void unpin_page(std::uint64_t) override { contradiction("unpin in a file that pins nothing"); }
  };
  const auto description = get(fd);
  if (!description) return -EBADF;
  out = std::dynamic_pointer_cast<MemoryFile>(description->file);
  if (!out) out = std::make_shared<Other>();
  return 0;
}

int FileTable::close(int fd) {
  std::shared_ptr<Description> last;  // released without the lock
  const std::lock_guard guard(lock_);
  const auto index = static_cast<std::size_t>(fd) - kFirstFd;
  if (fd < kFirstFd || index >= slots_.size() || !slots_[index].published) return -EBADF;
  last = std::exchange(slots_[index].description, nullptr);
  slots_[index].published = false;
  return 0;
}

int FileTable::dup(int fd) {
  auto description = get(fd);
  if (!description) return -EBADF;
  const std::lock_guard guard(lock_);
  int copy = -1;
  const int error = place_locked(std::move(description), true, copy);
  return error ? error : copy;
}

std::int64_t FileTable::read(Process& caller, int fd, std::uint64_t user_va, std::uint64_t bytes) {
  const auto description = get(fd);
  if (!description) return -EBADF;
  std::uint64_t none = 0;
  if (!description->file->has_position()) return description->file->read(caller, user_va, bytes, none);
  const std::lock_guard guard(description->position_lock);
  return description->file->read(caller, user_va, bytes, description->position);
}

std::int64_t FileTable::write(Process& caller, int fd, std::uint64_t user_va, std::uint64_t bytes) {
  const auto description = get(fd);
  if (!description) return -EBADF;
  std::uint64_t none = 0;
  if (!description->file->has_position()) return description->file->write(caller, user_va, bytes, none);
  const std::lock_guard guard(description->position_lock);
  return description->file->write(caller, user_va, bytes, description->position);
}

std::int64_t FileTable::pread(Process& caller, int fd, std::uint64_t user_va, std::uint64_t bytes,
                              std::uint64_t position) {
  const auto description = get(fd);
  if (!description) return -EBADF;
  if (!description->file->has_position()) return -ESPIPE;
  return description->file->read(caller, user_va, bytes, position);
}

std::int64_t FileTable::pwrite(Process& caller, int fd, std::uint64_t user_va, std::uint64_t bytes,
                               std::uint64_t position) {
  const auto description = get(fd);
  if (!description) return -EBADF;
  if (!description->file->has_position()) return -ESPIPE;
  return description->file->write(caller, user_va, bytes, position);
}

std::int64_t FileTable::ioctl(Process& caller, int fd, std::uint32_t command, std::uint64_t arg) {
  const auto description = get(fd);
  return description ? description->file->ioctl(caller, command, arg) : -EBADF;
}

int FileTable::mmap(Process& caller, int fd, std::uint64_t offset, std::uint64_t bytes, unsigned prot, bool shared,
                    MappedRegion& out) {
  const auto description = get(fd);
  if (!description) return -EBADF;
  if (bytes == 0 || offset % 4096 != 0) return -EINVAL;
  return description->file->mmap(caller, offset, (bytes + 4095) / 4096 * 4096, prot, shared, out);
}

int FileTable::poll(int fd, unsigned events, std::uint64_t timeout_ns) {
  const auto description = get(fd);
  if (!description) return -EBADF;
  const std::uint64_t end = os_.now_ns() + timeout_ns;
  for (;;) {
    const std::uint64_t seen = waker_->changes();
    const unsigned ready = ready_events(*description->file) & events;
    const std::uint64_t now = os_.now_ns();
    if (ready != 0 || now >= end) return static_cast<int>(ready);
    waker_->wait_for(seen,
                     std::min<std::uint64_t>(end - now, 100'000));  // short: a wake may fall between look and sleep
  }
}

std::size_t FileTable::open_count() const {
  const std::lock_guard guard(lock_);
  return static_cast<std::size_t>(
      std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.description != nullptr; }));
}

void EventFile::signal() {
  const std::lock_guard guard(lock_);
  ++count_;
  set_readable(true);
}

std::int64_t EventFile::read(Process& caller, std::uint64_t user_va, std::uint64_t bytes, std::uint64_t&) {
  if (bytes < sizeof count_) return -EINVAL;
  std::uint64_t taken = 0;
  {
    const std::lock_guard guard(lock_);
    if (count_ == 0) return -EAGAIN;
    taken = std::exchange(count_, 0);
    set_readable(false);
  }
  return caller.copy_to_user(user_va, &taken, sizeof taken) != 0 ? -EFAULT : 8;
}

std::uint64_t EventFile::count() {
  const std::lock_guard guard(lock_);
  return count_;
}

MemFd::MemFd(FrameAllocator& frames, std::uint64_t pages)
    : File("/memfd:sim", Pollable::kAlways), frames_(frames), spas_(pages) {}

MemFd::~MemFd() {
  for (const std::uint64_t spa : spas_)
    if (spa != 0) frames_.free(spa, 0);
}

int MemFd::pin_page(std::uint64_t offset, bool /*write*/, std::uint64_t& spa_out) {
  const std::lock_guard guard(lock_);
  if (offset / 4096 >= spas_.size()) return EINVAL;
  std::uint64_t& spa = spas_[offset / 4096];
  if (spa == 0) spa = frames_.alloc(0);
  if (spa == 0) return ENOMEM;
  ++pins_;
  spa_out = spa;
  return 0;
}

void MemFd::unpin_page(std::uint64_t spa) {
  const std::lock_guard guard(lock_);
  ensure(pins_ != 0 && std::find(spas_.begin(), spas_.end(), spa) != spas_.end(), "unpin of a page that is not pinned");
  --pins_;
}

std::uint64_t MemFd::pins() {
  const std::lock_guard guard(lock_);
  return pins_;
}

}  // namespace iommusim::hal
