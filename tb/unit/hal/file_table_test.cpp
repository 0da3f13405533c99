// SPDX-License-Identifier: Apache-2.0
// Descriptors of a simulated process: numbers, life time, positions, readiness.
#include "hal/file_table.h"

#include <thread>

#include "hal/buddy_frames.h"
#include "hal/sim_process.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"

namespace iommusim::hal {
namespace {

struct Probe final : File {
  explicit Probe(bool& released, Pollable pollable = Pollable::kReadable, bool position = false)
      : File("probe", pollable), gone(released), counts(position) {}
  ~Probe() override { gone = true; }
  bool has_position() const override { return counts; }
  std::int64_t read(Process&, std::uint64_t, std::uint64_t bytes, std::uint64_t& position) override {
    last_position = position;
    position += bytes;
    return static_cast<std::int64_t>(bytes);
  }
  std::int64_t ioctl(Process&, std::uint32_t command, std::uint64_t arg) override {
    if (inside) inside();
    return static_cast<std::int64_t>(command + arg);
  }
  void become_readable(bool yes) { set_readable(yes); }

  bool& gone;
  bool counts;
  std::uint64_t last_position = 0;
  std::function<void()> inside;
};

class FileTableTest : public ::testing::Test {
 protected:
  bool released = false, other = false;  // outlive the table

  int open(std::shared_ptr<File> file) {
    int fd = -1;
    EXPECT_EQ(files.install(std::move(file), fd), 0);
    return fd;
  }

  ThreadOs os;
  SparseMemory memory;
  BuddyFrames frames{os, memory, 0x100000, 0x100000};
  SimProcess process{os, memory, frames};
  FileTable& files = process.descriptors();
};

TEST_F(FileTableTest, GivesTheLowestFreeNumber) {
  const int first = open(std::make_shared<Probe>(released));
  const int second = open(std::make_shared<Probe>(other));
  EXPECT_EQ(second, first + 1);
  EXPECT_EQ(files.close(first), 0);
  EXPECT_EQ(open(std::make_shared<Probe>(released)), first);
  EXPECT_EQ(files.close(99), -EBADF);
  EXPECT_EQ(files.close(-1), -EBADF);
}

TEST_F(FileTableTest, ReleasesWithTheLastDuplicate) {
  const int fd = open(std::make_shared<Probe>(released));
  const int copy = files.dup(fd);
  EXPECT_EQ(files.close(fd), 0);
  EXPECT_FALSE(released);
  EXPECT_EQ(files.ioctl(process, copy, 1, 2), 3);
  EXPECT_EQ(files.close(copy), 0);
  EXPECT_TRUE(released);
}

TEST_F(FileTableTest, ACallInFlightKeepsItsFile) {
  const auto probe = std::make_shared<Probe>(released);
  const int fd = open(probe);
  bool released_inside = true;
  probe->inside = [&] {
    EXPECT_EQ(files.close(fd), 0);
    released_inside = released;
  };
  EXPECT_EQ(files.ioctl(process, fd, 1, 0), 1);
  EXPECT_FALSE(released_inside);
}

TEST_F(FileTableTest, AReservedNumberIsTakenAndInvisible) {
  int fd = -1;
  ASSERT_EQ(files.reserve(std::make_shared<Probe>(released), fd), 0);
  std::shared_ptr<File> found;
  EXPECT_EQ(files.find(fd, found), -EBADF);
  EXPECT_EQ(files.close(fd), -EBADF);
  EXPECT_NE(open(std::make_shared<Probe>(other)), fd);
  files.cancel(fd);
  EXPECT_TRUE(released);
  EXPECT_EQ(open(std::make_shared<Probe>(other)), fd);
}

TEST_F(FileTableTest, TooManyOpenFilesIsEmfile) {
  FileTable small(os, 5);
  int fd = -1;
  EXPECT_EQ(small.install(std::make_shared<EventFile>(), fd), 0);
  EXPECT_EQ(small.install(std::make_shared<EventFile>(), fd), 0);
  EXPECT_EQ(fd, 4);
  EXPECT_EQ(small.install(std::make_shared<EventFile>(), fd), -EMFILE);
  EXPECT_EQ(small.open_count(), 2U);
}

TEST_F(FileTableTest, DuplicatesShareThePosition) {
  const auto probe = std::make_shared<Probe>(released, Pollable::kAlways, true);
  const int fd = open(probe);
  const int copy = files.dup(fd);
  files.read(process, fd, 0, 10);
  files.read(process, copy, 0, 5);
  EXPECT_EQ(probe->last_position, 10U);
  EXPECT_EQ(files.pread(process, fd, 0, 4, 100), 4);
  EXPECT_EQ(probe->last_position, 100U);
  files.read(process, fd, 0, 1);
  EXPECT_EQ(probe->last_position, 15U);
}

TEST_F(FileTableTest, AFileWithoutPositionRefusesPread) {
  const auto probe = std::make_shared<Probe>(released);
  const int fd = open(probe);
  EXPECT_EQ(files.pread(process, fd, 0, 4, 0), -ESPIPE);
  EXPECT_EQ(files.pwrite(process, fd, 0, 4, 0), -ESPIPE);
  files.read(process, fd, 0, 10);
  files.read(process, fd, 0, 10);
  EXPECT_EQ(probe->last_position, 0U);
}

TEST_F(FileTableTest, WhatAFileDoesNotImplementHasItsErrno) {
  const int fd = open(std::make_shared<Probe>(released));
  MappedRegion region;
  EXPECT_EQ(files.write(process, fd, 0, 8), -EINVAL);
  EXPECT_EQ(files.mmap(process, fd, 0, 4096, 1, true, region), -ENODEV);
  EXPECT_EQ(files.mmap(process, fd, 0, 0, 1, true, region), -EINVAL);
  EXPECT_EQ(files.mmap(process, fd, 1, 4096, 1, true, region), -EINVAL);
}

TEST_F(FileTableTest, PollAnswersAsTheFileSays) {
  const auto probe = std::make_shared<Probe>(released);
  const int fd = open(probe);
  EXPECT_EQ(files.poll(fd, 5), 0);
  probe->become_readable(true);
  EXPECT_EQ(files.poll(fd, 5), 1);
  probe->become_readable(false);
  EXPECT_EQ(files.poll(fd, 5), 0);
  EXPECT_EQ(files.poll(open(std::make_shared<Probe>(other, Pollable::kReadableWritable)), 5), 4);
  EXPECT_EQ(files.poll(open(std::make_shared<Probe>(other, Pollable::kAlways)), 5), 5);
  EXPECT_EQ(files.poll(77, 5), -EBADF);
}

TEST_F(FileTableTest, PollSleepsUntilReadable) {
  const auto probe = std::make_shared<Probe>(released);
  const int fd = open(probe);
  std::thread later([&] { probe->become_readable(true); });
  EXPECT_EQ(files.poll(fd, 1, 10'000'000'000ULL), 1);
  later.join();
}

TEST_F(FileTableTest, EventSignalsAddUpAndOutliveTheDescriptor) {
  const auto event = std::make_shared<EventFile>();
  const int fd = open(event);
  std::shared_ptr<EventSignal> signal;
  ASSERT_EQ(files.find_event(fd, signal), 0);
  signal->signal();
  signal->signal();
  ASSERT_EQ(process.map_frames(0x1000, 4096, kUserRead | kUserWrite), 0);
  EXPECT_EQ(files.read(process, fd, 0x1000, 8), 8);
  std::uint64_t sum = 0;
  process.copy_from_user(&sum, 0x1000, 8);
  EXPECT_EQ(sum, 2U);
  EXPECT_EQ(files.read(process, fd, 0x1000, 8), -EAGAIN);
  EXPECT_EQ(files.close(fd), 0);
  signal->signal();
  EXPECT_EQ(event->count(), 1U);
  EXPECT_EQ(files.find_event(open(std::make_shared<Probe>(released)), signal), -EINVAL);
  EXPECT_EQ(files.find_event(55, signal), -EBADF);
}

TEST_F(FileTableTest, MemoryFilesTellTheirKindAndEndAtThePin) {
  std::shared_ptr<MemoryFile> memfd, other;
  ASSERT_EQ(files.find_memory(open(std::make_shared<MemFd>(frames, 2)), memfd), 0);
  std::uint64_t spa = 0, again = 0;
  EXPECT_EQ(memfd->pin_page(4096, true, spa), 0);
  EXPECT_EQ(memfd->pin_page(4096, false, again), 0);
  EXPECT_EQ(spa, again);
  EXPECT_EQ(memfd->pin_page(8192, true, again), EINVAL);
  memfd->unpin_page(spa);
  memfd->unpin_page(spa);
  EXPECT_THROW(memfd->unpin_page(spa), std::logic_error);
  ASSERT_EQ(files.find_memory(open(std::make_shared<EventFile>()), other), 0);
  EXPECT_EQ(other->pin_page(0, true, spa), EINVAL);
  EXPECT_EQ(files.find_memory(55, other), -EBADF);
}

}  // namespace
}  // namespace iommusim::hal
