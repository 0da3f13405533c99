// SPDX-License-Identifier: Apache-2.0
#include "drivers/rings/nvme_queue.h"

#include "rig.h"

namespace iommusim::drivers::rings::test {
namespace {

namespace nvm = device_hw::nvme;

/// A controller with one pair of I/O queues. Admin commands are done at once, I/O when it is asked.
class ScriptedNvme {
 public:
  ScriptedNvme(KeptRegisters& registers, MappedMemory& memory) : registers_(registers), memory_(memory) {
    registers.written = [this](std::uint32_t offset, std::uint32_t value) { written(offset, value); };
  }
  std::vector<std::uint32_t> tails, heads;  ///< doorbells of the pair
  std::vector<nvm::Command> pending;        ///< fetched, not done
  std::map<std::uint64_t, std::vector<std::uint8_t>> blocks;
  std::uint32_t interrupt_word = 0;
  std::uint16_t refuse = 0xffff;  ///< an admin opcode

  void finish(std::size_t index, std::uint16_t status = nvm::kSuccess) {
    const nvm::Command command = pending.at(index);
    pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(index));
    if (status == nvm::kSuccess && !move(command)) status = nvm::kDataTransferError;
    answer(pair_, command.id(), status);
  }
  void finish_all() {
    while (!pending.empty()) finish(0);
  }
  void break_down() { registers_.values[nvm::kStatus] |= nvm::kFatal; }
  /// The pages that a command names.
  std::vector<std::uint64_t> pages_of(const nvm::Command& command) {
    std::vector<std::uint64_t> pages{command.prp1()};
    if (command.blocks() == 2) pages.push_back(command.prp2());
    if (command.blocks() > 2) {
      pages.resize(command.blocks());
      EXPECT_TRUE(memory_.dma_read(command.prp2(), pages.data() + 1, (command.blocks() - 1) * 8));
    }
    return pages;
  }

 private:
  struct Pair {
    std::uint64_t submission = 0, completion = 0;
    std::uint32_t entries = 0, head = 0, answers = 0;
    bool phase = true;
  };

  void written(std::uint32_t offset, std::uint32_t value) {
    if (offset == nvm::kConfiguration) {
      registers_.values[nvm::kStatus] = value;
      admin_ = {registers_.values[nvm::kAdminSubmission], registers_.values[nvm::kAdminCompletion],
                static_cast<std::uint32_t>(registers_.values[nvm::kAdminAttributes] & 0xfff) + 1};
    }
    if (offset == nvm::tail_doorbell(0)) {
      std::vector<nvm::Command> commands;
      fetch(admin_, value, commands);
      for (const nvm::Command& command : commands) answer(admin_, command.id(), administrate(command));
    }
    if (offset == nvm::tail_doorbell(1)) {
      tails.push_back(value);
      fetch(pair_, value, pending);
    }
    if (offset == nvm::head_doorbell(1)) heads.push_back(value);
  }
  void fetch(Pair& pair, std::uint32_t tail, std::vector<nvm::Command>& out) {
    for (; pair.head != tail; pair.head = (pair.head + 1) % pair.entries) {
      nvm::Command command;
      EXPECT_TRUE(memory_.dma_read(pair.submission + pair.head * 64, command.words, 64));
      out.push_back(command);
    }
  }
  void answer(Pair& pair, std::uint16_t id, std::uint16_t status) {
    nvm::Completion completion;
    completion.set(1, static_cast<std::uint16_t>(pair.head), id, pair.phase, status);
    EXPECT_TRUE(memory_.dma_write(pair.completion + pair.answers * 16, completion.words, 16));
    pair.answers = (pair.answers + 1) % pair.entries;
    if (pair.answers == 0) pair.phase = !pair.phase;
  }
  std::uint16_t administrate(const nvm::Command& command) {
    if (command.opcode() == refuse) return nvm::kInvalidField;
    if (command.opcode() == nvm::kCreateCompletion) {
      pair_ = {0, command.prp1(), (command.words[10] >> 16) + 1};
      interrupt_word = command.words[11];
    }
    if (command.opcode() == nvm::kCreateSubmission) pair_.submission = command.prp1();
    return nvm::kSuccess;
  }
  bool move(const nvm::Command& command) {
    std::uint64_t block = command.block();
    for (const std::uint64_t page : pages_of(command)) {
      std::vector<std::uint8_t>& data = blocks[block++];
      data.resize(4096);
      const bool moved = command.opcode() == nvm::kWrite ? memory_.dma_read(page, data.data(), 4096)
                                                         : memory_.dma_write(page, data.data(), 4096);
      if (!moved) return false;
    }
    return true;
  }

  KeptRegisters& registers_;
  MappedMemory& memory_;
  Pair admin_, pair_;
};

struct NvmeQueueTest : ::testing::Test, NvmeClient {
  SteppedOs os;
  KeptRegisters registers;
  MappedMemory memory{1 << 20};
  ScriptedNvme drive{registers, memory};
  NvmeQueueOptions options;
  std::unique_ptr<NvmeController> controller;
  std::unique_ptr<NvmeQueue> queue;

  std::vector<NvmeIo> wanted;
  std::size_t asked = 0;
  struct Done {
    std::uint64_t number;
    int status;
    std::uint64_t latency_ns;
  };
  std::vector<Done> ended;
  unsigned mismatched = 0;

  NvmeQueueTest() {
    options.entries = 8;
    options.depth = 4;
    options.buffers.count = 4;
    options.polling = true;
    os.idle = [this] { drive.finish_all(); };
  }
  void want(bool write, std::uint64_t block, std::uint32_t blocks = 1) {
    wanted.push_back({write, block, blocks, wanted.size()});
  }
  void open() {
    controller = std::make_unique<NvmeController>(os, registers, memory, 0);
    queue = std::make_unique<NvmeQueue>(os, registers, memory, *controller, NvmeController::kMemory, options, *this);
    ASSERT_EQ(controller->open(), 0);
    ASSERT_EQ(queue->open(), 0);
  }
  void close() {
    queue->close();
    controller->close();
    EXPECT_TRUE(memory.mapped().empty());
    EXPECT_EQ(queue->buffers().maps(), queue->buffers().unmaps());
  }
  static std::uint8_t byte_of(std::uint64_t block, std::size_t i) { return static_cast<std::uint8_t>(block * 31 + i); }

  bool next(unsigned, NvmeIo& out) override {
    if (asked == wanted.size()) return false;
    out = wanted[asked++];
    return true;
  }
  void fill(unsigned, const NvmeIo& io, std::uint8_t* data) override {
    for (std::size_t i = 0; i < io.blocks * std::size_t{4096}; ++i) data[i] = byte_of(io.block + i / 4096, i % 4096);
  }
  void done(unsigned, const NvmeIo& io, int status, const std::uint8_t* data, std::uint64_t latency_ns) override {
    ended.push_back({io.number, status, latency_ns});
    EXPECT_EQ(data != nullptr, !io.write && status == 0);
    if (data == nullptr) return;
    for (std::size_t i = 0; i < io.blocks * std::size_t{4096}; ++i)
      if (data[i] != byte_of(io.block + i / 4096, i % 4096)) ++mismatched;
  }
};

TEST_F(NvmeQueueTest, ReadsBringWhatWritesStoredOverManyTurnsOfTheQueue) {
  options.buffers.pages = 3;
  for (unsigned i = 0; i < 20; ++i) want(true, 10 * i, 1 + i % 3);
  for (unsigned i = 0; i < 20; ++i) want(false, 10 * i, 1 + i % 3);
  options.depth = 1;  // in order
  open();
  EXPECT_TRUE(queue->run());
  ASSERT_EQ(ended.size(), 40U);
  for (unsigned i = 0; i < 40; ++i) {
    EXPECT_EQ(ended[i].number, i);
    EXPECT_EQ(ended[i].status, 0);
  }
  EXPECT_EQ(mismatched, 0U);
  EXPECT_EQ(drive.heads.back(), 0U) << "40 answers in a queue of 8";
  close();
}

/// One page: PRP1. Two: PRP1 and PRP2. More: a list, whose pages need not be neighbours.
TEST_F(NvmeQueueTest, PagesAreNamedByTheRulesOfPrps) {
  options.buffers.pages = 3;
  options.buffers.scattered = true;
  for (const std::uint32_t blocks : {1U, 2U, 3U}) want(true, 100 * blocks, blocks);
  open();
  unsigned seen = 0;
  os.idle = [&] {
    for (const nvm::Command& command : drive.pending) {
      const std::vector<std::uint64_t> pages = drive.pages_of(command);
      EXPECT_EQ(pages.size(), command.blocks());
      for (const std::uint64_t page : pages) EXPECT_TRUE(memory.mapped().count(page)) << "mapped alone";
      EXPECT_EQ(std::set<std::uint64_t>(pages.begin(), pages.end()).size(), pages.size());
      ++seen;
    }
    drive.finish_all();
  };
  EXPECT_TRUE(queue->run());
  EXPECT_EQ(seen, 3U);
  close();
}

TEST_F(NvmeQueueTest, AnswersMayComeInAnyOrder) {
  for (unsigned i = 0; i < 12; ++i) want(i < 4, i % 4);
  open();
  os.idle = [this] {
    if (!drive.pending.empty()) drive.finish(drive.pending.size() - 1);
  };
  EXPECT_TRUE(queue->run());
  std::set<std::uint64_t> numbers;
  for (const Done& done : ended) numbers.insert(done.number);
  EXPECT_EQ(numbers.size(), 12U);
  EXPECT_EQ(ended[0].number, 3U);
  close();
}

TEST_F(NvmeQueueTest, DriverBatch_CommandsShareADoorbell) {
  options.batch = 3;
  options.depth = 7;
  options.buffers.count = 7;
  for (unsigned i = 0; i < 7; ++i) want(true, i);
  open();
  EXPECT_TRUE(queue->run());
  EXPECT_EQ(drive.tails, (std::vector<std::uint32_t>{3, 6, 7}));
  close();
}

/// The time of a command is part of its latency.
TEST_F(NvmeQueueTest, DriverPacketNs_EachCommandOnce) {
  for (const std::uint64_t ns : {0, 150}) {
    os.now = 0;
    options.command_ns = ns;
    wanted.clear();
    ended.clear();
    asked = 0;
    for (unsigned i = 0; i < 3; ++i) want(true, i);
    open();
    EXPECT_TRUE(queue->run());
    EXPECT_EQ(os.now, 3 * ns);
    ASSERT_EQ(ended.size(), 3U);
    EXPECT_EQ(ended[0].latency_ns, 3 * ns) << "submitted first, answered with the others";
    EXPECT_EQ(ended[2].latency_ns, ns);
    close();
  }
}

TEST_F(NvmeQueueTest, InterruptsAreAskedForUnlessItPolls) {
  want(true, 1);
  open();
  EXPECT_EQ(drive.interrupt_word & 2, 0U);
  EXPECT_TRUE(queue->run());
  close();
  options.polling = false;
  asked = 0;
  open();
  EXPECT_EQ(drive.interrupt_word, 3U) << "vector 0";
  os.idle = [this] {
    drive.finish_all();
    queue->interrupt();
  };
  EXPECT_TRUE(queue->run());
  EXPECT_EQ(queue->waits().interrupts(), 1U);
  EXPECT_EQ(os.now, 0U);
  os.idle = {};
  close();
}

TEST_F(NvmeQueueTest, ACommandThatFailsSaysWhy) {
  options.buffers.wrong_every = 2;
  for (unsigned i = 0; i < 4; ++i) want(true, i);
  open();
  EXPECT_TRUE(queue->run());
  for (const Done& done : ended) EXPECT_EQ(done.status, done.number % 2 == 0 ? 0 : nvm::kDataTransferError);
  close();
}

TEST_F(NvmeQueueTest, ACommandWithoutAMappingEndsWithItsErrno) {
  for (unsigned i = 0; i < 3; ++i) want(true, i);
  open();
  memory.fail_at = memory.maps + 2;
  EXPECT_TRUE(queue->run());
  ASSERT_EQ(ended.size(), 3U);
  EXPECT_EQ(ended[0].number, 1U);
  EXPECT_EQ(ended[0].status, -ENOMEM);
  close();
}

TEST_F(NvmeQueueTest, GivesUpWhenTheDriveStopped) {
  options.polling = false;
  want(true, 0);
  open();
  os.idle = [this] {
    if (os.waits == 3) drive.break_down();
  };
  EXPECT_FALSE(queue->run());
  EXPECT_EQ(os.now, 3 * CompletionWait::kPatienceNs);
}

TEST_F(NvmeQueueTest, ARefusedPairIsAnError) {
  for (const std::uint16_t opcode : {nvm::kCreateCompletion, nvm::kCreateSubmission}) {
    MappedMemory own(1 << 20);
    ScriptedNvme refusing(registers, own);
    refusing.refuse = opcode;
    NvmeController admin(os, registers, own, 0);
    NvmeQueue pair(os, registers, own, admin, NvmeController::kMemory, options, *this);
    ASSERT_EQ(admin.open(), 0);
    EXPECT_EQ(pair.open(), EIO);
  }
}

}  // namespace
}  // namespace iommusim::drivers::rings::test
