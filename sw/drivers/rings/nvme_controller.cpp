// SPDX-License-Identifier: Apache-2.0
#include "drivers/rings/nvme_controller.h"

#include <cerrno>
#include <vector>

#include "domain/domain.h"

namespace iommusim::drivers::rings {

namespace nvme_hw = device_hw::nvme;

int NvmeController::open() {
  const int error = port_.map(offset_, kMemory, domain::kRead | domain::kWrite, 0, iova_);
  if (error != 0) return error;
  const std::vector<std::uint8_t> nothing(4096);  // what an earlier queue left there has a phase, too
  port_.write(offset_ + 4096, nothing.data(), nothing.size());
  mmio_.write32(nvme_hw::kAdminAttributes, (kEntries - 1) << 16 | (kEntries - 1));
  mmio_.write64(nvme_hw::kAdminSubmission, iova_);
  mmio_.write64(nvme_hw::kAdminCompletion, iova_ + 4096);
  mmio_.write32(nvme_hw::kConfiguration, 1);
  while ((mmio_.read32(nvme_hw::kStatus) & nvme_hw::kReady) == 0) os_.relax();
  return 0;
}

void NvmeController::close() {
  mmio_.write32(nvme_hw::kConfiguration, 0);
  while ((mmio_.read32(nvme_hw::kStatus) & nvme_hw::kReady) != 0) os_.relax();
  port_.unmap(iova_, kMemory, 0);
}

int NvmeController::execute(nvme_hw::Command command) {
  command.set_head(command.opcode(), next_id_++);
  port_.write(offset_ + std::uint64_t{tail_} * nvme_hw::kCommandBytes, command.words, sizeof command.words);
  tail_ = (tail_ + 1) % kEntries;
  mmio_.write32(nvme_hw::tail_doorbell(0), tail_);
  nvme_hw::Completion completion;
  for (std::uint32_t turn = 1;; ++turn) {
    port_.read(offset_ + 4096 + std::uint64_t{head_} * nvme_hw::kCompletionBytes, completion.words,
               sizeof completion.words);
    if (completion.phase() == phase_) break;
    if (turn % 1024 == 0 && failed()) return -1;
    os_.relax();
  }
  head_ = (head_ + 1) % kEntries;
  if (head_ == 0) phase_ = !phase_;
  mmio_.write32(nvme_hw::head_doorbell(0), head_);
  return completion.status();
}

int NvmeController::create(std::uint16_t id, const NvmeQueuePlace& place) {
  nvme_hw::Command command;
  command.set_head(nvme_hw::kCreateCompletion, 0);
  command.set_prp1(place.completion);
  command.words[10] = id | (place.entries - 1) << 16;
  command.words[11] = 1U | (place.interrupts ? 2U : 0U) | (id - 1U) << 16;
  if (execute(command) != nvme_hw::kSuccess) return EIO;
  command.set_head(nvme_hw::kCreateSubmission, 0);
  command.set_prp1(place.submission);
  command.words[11] = 1U | std::uint32_t{id} << 16;
  return execute(command) == nvme_hw::kSuccess ? 0 : EIO;
}

int NvmeController::destroy(std::uint16_t id) {
  nvme_hw::Command command;
  command.words[10] = id;
  command.set_head(nvme_hw::kDeleteSubmission, 0);
  const int submission = execute(command);
  command.set_head(nvme_hw::kDeleteCompletion, 0);
  return submission == nvme_hw::kSuccess && execute(command) == nvme_hw::kSuccess ? 0 : EIO;
}

}  // namespace iommusim::drivers::rings
