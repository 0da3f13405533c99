// SPDX-License-Identifier: Apache-2.0
// What a driver must know of the NVMe controller: registers, queue entries, commands. Data without behaviour, included
// by the model and by the driver. Names and numbers are those of the NVM Express base specification; what is not here
// the controller does not have.
#pragma once

#include <cstdint>

namespace iommusim::device_hw::nvme {

// Registers.
inline constexpr std::uint32_t kCapabilities = 0x0;      ///< 64 bits; MQES in 15:0: entries of a queue, less one
inline constexpr std::uint32_t kConfiguration = 0x14;    ///< CC; bit 0 enables
inline constexpr std::uint32_t kStatus = 0x1c;           ///< CSTS; bit 0 ready, bit 1 fatal
inline constexpr std::uint32_t kAdminAttributes = 0x24;  ///< AQA: entries less one; completion 27:16, submission 11:0
inline constexpr std::uint32_t kAdminSubmission = 0x28;  ///< ASQ, 64 bits
inline constexpr std::uint32_t kAdminCompletion = 0x30;  ///< ACQ, 64 bits
inline constexpr std::uint32_t kDoorbells = 0x1000;  ///< of queue y: submission tail at 8y, completion head at 8y + 4
inline constexpr std::uint32_t kReady = 1, kFatal = 2;

constexpr std::uint32_t tail_doorbell(std::uint32_t queue) { return kDoorbells + 8 * queue; }
constexpr std::uint32_t head_doorbell(std::uint32_t queue) { return kDoorbells + 8 * queue + 4; }

inline constexpr std::uint32_t kCommandBytes = 64, kCompletionBytes = 16;
inline constexpr std::uint32_t kBlockBytes = 4096;  ///< of the one namespace
inline constexpr std::uint32_t kMostBlocks = 512;   ///< of a command: what one page of PRP entries and PRP1 can name

enum AdminOpcode : std::uint8_t {
  kDeleteSubmission = 0x00,
  kCreateSubmission = 0x01,
  kDeleteCompletion = 0x04,
  kCreateCompletion = 0x05
};
enum IoOpcode : std::uint8_t { kFlush = 0x00, kWrite = 0x01, kRead = 0x02 };

/// Status codes, type in 10:8 and code in 7:0.
enum Status : std::uint16_t {
  kSuccess = 0x000,
  kInvalidOpcode = 0x001,
  kInvalidField = 0x002,
  kDataTransferError = 0x004,
  kOutOfRange = 0x080,
  kInvalidQueueId = 0x101,
};

/// A submission queue entry as its sixteen words.
struct Command {
  std::uint32_t words[16] = {};

  std::uint8_t opcode() const { return static_cast<std::uint8_t>(words[0]); }
  std::uint16_t id() const { return static_cast<std::uint16_t>(words[0] >> 16); }
  std::uint64_t prp1() const { return words[6] | std::uint64_t{words[7]} << 32; }
  std::uint64_t prp2() const { return words[8] | std::uint64_t{words[9]} << 32; }
  std::uint64_t block() const { return words[10] | std::uint64_t{words[11]} << 32; }
  std::uint32_t blocks() const { return (words[12] & 0xffff) + 1; }

  void set_head(std::uint8_t opcode, std::uint16_t id) { words[0] = opcode | std::uint32_t{id} << 16; }
  void set_prp1(std::uint64_t iova) { set(6, iova); }
  void set_prp2(std::uint64_t iova) { set(8, iova); }
  void set_range(std::uint64_t block, std::uint32_t blocks) {
    words[1] = 1;  // the namespace
    set(10, block);
    words[12] = blocks - 1;
  }

 private:
  void set(unsigned word, std::uint64_t value) {
    words[word] = static_cast<std::uint32_t>(value);
    words[word + 1] = static_cast<std::uint32_t>(value >> 32);
  }
};
static_assert(sizeof(Command) == kCommandBytes);

/// A completion queue entry as its four words. The phase bit changes with each turn of the queue, and begins with 1.
struct Completion {
  std::uint32_t words[4] = {};

  std::uint16_t head() const { return static_cast<std::uint16_t>(words[2]); }
  std::uint16_t id() const { return static_cast<std::uint16_t>(words[3]); }
  bool phase() const { return (words[3] >> 16 & 1) != 0; }
  std::uint16_t status() const { return static_cast<std::uint16_t>(words[3] >> 17 & 0x7ff); }
  void set(std::uint16_t queue, std::uint16_t head, std::uint16_t id, bool phase, std::uint16_t status) {
    words[2] = head | std::uint32_t{queue} << 16;
    words[3] = id | std::uint32_t{phase} << 16 | std::uint32_t{status} << 17;
  }
};
static_assert(sizeof(Completion) == kCompletionBytes);

}  // namespace iommusim::device_hw::nvme
