// SPDX-License-Identifier: Apache-2.0
// A program that knows the layouts but not the rules: ioctls in any order on two contexts, reads, writes, mappings and
// closes of the descriptors that come out, and memory that goes away under mappings. Behind the stack are the mock
// hardware and, as two devices that are bound from the start, the RISC-V driver on the functional model. It may answer
// anything but must stay whole: when everything is closed, no object, device, page table, pin, charge or frame is left.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "hal/buddy_frames.h"
#include "hal/contradiction.h"
#include "hal/sim_process.h"
#include "hal/sparse_memory.h"
#include "hal/thread_os.h"
#include "iommufd/context_file.h"
#include "iommufd/device.h"
#include "iommufd_program.h"
#include "model_bench.h"
#include "selftest/test_command.h"

using namespace iommusim;  // a program of one file
using fuzz::Choices;

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kData = 0x10000000, kReadOnly = 0x20000000, kArgument = 0x30000000, kNowhere = 0x40000000;
constexpr unsigned kOperations = 200;

/// A kernel log would be as long as the campaign.
class QuietOs final : public hal::Os {
 public:
  std::unique_ptr<hal::Mutex> make_mutex() override { return os_.make_mutex(); }
  std::unique_ptr<hal::RwLock> make_rwlock() override { return os_.make_rwlock(); }
  std::unique_ptr<hal::WaitQueue> make_wait_queue() override { return os_.make_wait_queue(); }
  std::uint64_t now_ns() override { return os_.now_ns(); }
  void sleep_ns(std::uint64_t ns) override { os_.sleep_ns(ns); }
  void relax() override { os_.relax(); }
  void spend_ns(std::uint64_t) override {}
  void start_thread(const std::string& name, std::function<void()> body) override { os_.start_thread(name, body); }
  void log(const std::string&) override {}

 private:
  hal::ThreadOs os_;
};

class Play {
 public:
  explicit Play(Choices& choices) : choices_(choices) {
    host_.extra = &command_;
    process_.map_frames(kData, 16 * kPage, hal::kUserRead | hal::kUserWrite);
    process_.map_frames(kReadOnly, kPage, hal::kUserRead);
    process_.map_frames(kArgument, 2 * kPage, hal::kUserRead | hal::kUserWrite);
    for (unsigned i = 0; i < 2; ++i) {
      iommufd::ContextOptions options;
      options.destroy = i == 0 ? iommufd::DestroyPolicy::kWait : iommufd::DestroyPolicy::kBusy;
      auto context = iommufd::Context::open(host_, options);
      contexts_[i] = context;
      install(std::make_shared<iommufd::ContextFile>("/dev/iommu", std::move(context)));
    }
    install(std::make_shared<hal::MemFd>(frames_, 8));
    for (fuzz::Knowledge& knowledge : known_) {
      knowledge.data = kData, knowledge.nowhere = kNowhere, knowledge.read_only = kReadOnly;
      knowledge.learn(fuzz::Kind::kFd, 5);
    }
    fill_data();
    if (choices_.flag()) bind_riscv();
    if (choices_.one_in(4)) return;
    for (const int fd : {4, 3}) {
      context_fd_ = fd;
      prologue();
    }
  }

  void run() {
    for (unsigned i = 0; i < kOperations && !choices_.empty(); ++i) operation();
    mapped_.clear();
    unbind_riscv();
    for (int fd = 0; fd < 1100; ++fd) descriptors().close(fd);
    hal::ensure(descriptors().open_count() == 0, "descriptors are left");
    hal::ensure(command_.iommu().live_devices() == 0 && command_.iommu().live_domains() == 0, "hardware is left");
    hal::ensure(process_.pinned_pages() == 0 && process_.locked_pages() == 0, "pages are left");
    process_.unmap(0, ~0ULL);
    hal::ensure(frames_.frames_in_use() == 0, "frames are left");
  }

 private:
  hal::FileTable& descriptors() { return process_.descriptors(); }

  void install(std::shared_ptr<hal::File> file) {
    int fd = -1;
    hal::ensure(descriptors().install(std::move(file), fd) == 0, "no descriptor is free");
  }

  /// A device behind the model, in each context.
  void bind_riscv() {
    for (unsigned i = 0; i < 2; ++i) {
      riscv_.push_back({contexts_[i].lock(), 0});
      hal::ensure(iommufd::device_bind(*riscv_[i].context, bench_.add(i + 1), riscv_[i].id) == 0, "bind failed");
      known_[i].learn(fuzz::Kind::kDevice, riscv_[i].id);
    }
  }
  void unbind_riscv() {
    for (Bound& device : riscv_) {
      for (const std::uint32_t pasid : {0U, 1U, 1024U, 0xFFFFFU})
        (void)iommufd::device_detach(*device.context, device.id, pasid);
      hal::ensure(iommufd::device_unbind(*device.context, device.id) == 0, "unbind failed");
    }
    riscv_.clear();
    hal::ensure(!::testing::Test::HasFailure(), "the driver failed");
  }
  void move_riscv() {
    if (riscv_.empty()) return;
    const unsigned which = choices_.below(2);
    const Bound& device = riscv_[which];
    constexpr std::uint32_t kPasids[] = {0, 0, 1, 1024, 0xFFFFF};
    const std::uint32_t pasid = choices_.pick(kPasids);
    auto page_table = static_cast<iommufd::ObjectId>(known_[which].draw(choices_, {0, 4, fuzz::Kind::kTable}));
    switch (choices_.below(6)) {
      case 0:
        (void)iommufd::device_detach(*device.context, device.id, pasid);
        return;
      case 1:
        (void)iommufd::device_replace(*device.context, device.id, page_table, pasid);
        return;
      case 2:
      case 3:
        (void)iommufd::device_attach(*device.context, device.id, page_table, pasid);
        return;
      default: {
        const std::uint64_t iova = known_[which].draw(choices_, {0, 8, fuzz::Kind::kIova});
        (void)bench_.dma(which + 1, iova, choices_.flag(), pasid == 0 ? -1 : static_cast<int>(pasid));
      }
    }
  }

  // Structures that programs hand over lie there: words that mean something.
  void fill_data() {
    constexpr std::uint32_t kWords[] = {0, 1, 0x99, 2, 3, 0xbadbeef, 0xFFFFFFFF, 0x01001000};
    std::uint32_t words[24] = {};
    for (std::uint32_t& word : words) word = choices_.pick(kWords);
    for (std::uint64_t half = 0; half < 32; half += 2) process_.copy_to_user(kData + half * 2048, words, sizeof words);
    // A first stage of a guest, with its root in guest memory at the start of the aperture of the mock hardware.
    const std::uint64_t stage1[4] = {std::uint64_t{40} << 32, std::uint64_t{8} << 60 | 0x1000, 0, 0};
    process_.copy_to_user(kData + kPage, stage1, sizeof stage1);
  }

  fuzz::Knowledge& knowledge() { return known_[context_fd_ == 3 ? 0 : 1]; }
  int any_fd() { return static_cast<int>(knowledge().draw(choices_, {0, 4, fuzz::Kind::kFd})); }

  // Some of everything, so that what follows has something to act on.
  void prologue() {
    using Fields = std::vector<fuzz::Field>;
    const auto fixed = [](std::uint8_t offset, std::uint64_t value) {
      return fuzz::Field{offset, 4, fuzz::Kind::kFixed, value};
    };
    // Ids are the lowest free ones: address space 1, mock device 2 and 3, page table 4, fault queue 5, ...
    const std::uint64_t parent_flags = choices_.flag() ? 9 : 11;
    const std::pair<std::uint32_t, Fields> kSteps[] = {
        {0x3B81, {}},
        {0x3BA0 + (12 << 16), {fixed(8, 1), fixed(28, 4)}},
        {0x3B85, {fixed(8, 1)}},
        {0x3B8E, {}},
        {0x3B89, {fixed(4, parent_flags), fixed(8, 3), fixed(12, 1)}},
        {0x3B90, {fixed(12, 3), fixed(16, 6)}},
        {0x3B91, {fixed(4, 7), fixed(8, 3)}},
        {0x3B93, {fixed(8, 7)}},
        {0x3B89, {fixed(8, 3), fixed(12, 7), fixed(24, 0xdead), fixed(28, 4), fixed(32, kData)}},
        {0x3BA0 + (5 << 16), {fixed(8, 1), fixed(20, choices_.flag())}},
    };
    for (const auto& [which, fields] : kSteps) {
      Choices usual(nullptr, 0);
      for (const fuzz::Shape& shape : fuzz::shapes())
        if (shape.command == (which & 0xFFFF) && shape.op == which >> 16) {
          std::vector<unsigned char> bytes = knowledge().fill(usual, shape);
          for (const fuzz::Field& field : fields) std::memcpy(&bytes[field.offset], &field.parameter, field.bytes);
          call(shape, bytes, 0, context_fd_);
          break;
        }
    }
  }

  void ioctl() {
    const fuzz::Shape& shape = choices_.pick(fuzz::shapes());
    const std::vector<unsigned char> bytes = knowledge().fill(choices_, shape);
    const std::uint64_t offset = choices_.one_in(64) ? 2 * kPage - bytes.size() / 2 : 0;
    call(shape, bytes, offset, choices_.one_in(32) ? any_fd() : context_fd_);
  }

  void call(const fuzz::Shape& shape, const std::vector<unsigned char>& bytes, std::uint64_t offset, int fd) {
    const std::uint64_t at = kArgument + offset;
    process_.copy_to_user(kArgument, std::vector<unsigned char>(512).data(), 512);
    process_.copy_to_user(at, bytes.data(), bytes.size());
    const std::int64_t result = descriptors().ioctl(process_, fd, shape.command, at);
    hal::ensure(result > -4096 && result < 1100, "no result of a system call");
    if (result < 0) return;
    if (result > 0) knowledge().learn(fuzz::Kind::kFd, static_cast<std::uint64_t>(result));
    if (shape.command == 0x3B80) {
      std::uint32_t id = 0;
      std::memcpy(&id, bytes.data() + 4, sizeof id);
      knowledge().forget(id);
    }
    unsigned char reply[128] = {};
    process_.copy_from_user(reply, kArgument, sizeof reply);
    knowledge().learn_reply(shape, reply);
  }

  void memory_changes() {
    switch (choices_.below(4)) {
      case 0:
        return fill_data();
      case 1:
        process_.unmap(kData, 16 * kPage);
        process_.map_frames(kData, 16 * kPage, hal::kUserRead | hal::kUserWrite);
        return fill_data();
      case 2:
        return process_.set_locked_limit(choices_.flag() ? hal::SimProcess::kUnlimited : choices_.below(16));
      default:
        return;
    }
  }

  void map_region() {
    hal::MappedRegion region;
    const std::uint64_t offset = (1 + choices_.below(8)) * kPage;
    const int fd = choices_.one_in(8) ? any_fd() : context_fd_;
    if (descriptors().mmap(process_, fd, offset, 2 * kPage, choices_.one_in(8) ? 7 : 3, !choices_.one_in(8), region) ==
        0)
      mapped_.push_back(std::move(region.hold));
    else
      mapped_.clear();
  }

  void operation() {
    switch (choices_.below(36)) {
      case 35:
      case 34:
      case 33:
      case 32:
        return move_riscv();
      case 31:
        descriptors().read(process_, any_fd(), kData + choices_.below(16) * kPage, choices_.below(8) * 40);
        return;
      case 30:
        descriptors().read(process_, any_fd(), kData + choices_.below(16) * kPage, choices_.below(200));
        return;
      case 29:
        descriptors().write(process_, any_fd(), kData + choices_.below(16) * kPage, choices_.below(8) * 8);
        return;
      case 28:
        descriptors().close(any_fd());
        return;
      case 27:
        return map_region();
      case 26:
        return memory_changes();
      case 25:
        (void)descriptors().poll(any_fd(), 5);
        return;
      case 24:
        context_fd_ = 7 - context_fd_;  // 3 or 4
        return;
      default:
        return ioctl();
    }
  }

  Choices& choices_;
  struct Bound {
    std::shared_ptr<iommufd::Context> context;
    iommufd::ObjectId id;
  };

  drivers::riscv::test::ModelBench bench_{drivers::riscv::test::everything(), drivers::riscv::test::small_queues()};
  hal::SparseMemory& memory_ = bench_.memory;
  QuietOs os_;
  hal::BuddyFrames frames_{os_, memory_, 0x1000000, 32 << 20};
  selftest::TestCommand command_{os_, memory_, frames_};
  iommufd::Host host_{os_, memory_};
  hal::SimProcess process_{os_, memory_, frames_};
  std::vector<std::shared_ptr<void>> mapped_;
  std::array<fuzz::Knowledge, 2> known_;
  int context_fd_ = 3;
  std::array<std::weak_ptr<iommufd::Context>, 2> contexts_;
  std::vector<Bound> riscv_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  Play(choices).run();
  return 0;
}
