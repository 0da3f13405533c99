// SPDX-License-Identifier: Apache-2.0
// A command of the NVMe drive from its fetch to its completion: the pages of its data, the medium, the data itself.
#include <algorithm>

#include "devices/nvme.h"

namespace iommusim::devices {

namespace nvme_hw = device_hw::nvme;

void Nvme::begin(std::uint32_t slot) {
  ActiveCommand& command = commands_[slot];
  if (command.queue == 0) return end(slot, administer(command.command));
  stats_.first_begin = std::min<std::uint64_t>(stats_.first_begin, bus::now_ps());
  begin_io(slot);
}

/// Creates and deletes queues. Model: at once.
std::uint16_t Nvme::administer(const nvme_hw::Command& command) {
  const auto id = static_cast<std::uint16_t>(command.words[10]);
  const std::uint32_t entries = (command.words[10] >> 16) + 1;
  const auto high = static_cast<std::uint16_t>(command.words[11] >> 16);
  if (id == 0 && command.opcode() <= nvme_hw::kCreateCompletion) return nvme_hw::kInvalidQueueId;
  switch (command.opcode()) {
    case nvme_hw::kCreateCompletion: {
      if (completions_.count(id) != 0 || entries < 2) return nvme_hw::kInvalidQueueId;
      CompletionQueue& queue = completions_[id];
      queue.base = command.prp1();
      queue.entries = entries;
      queue.interrupts = (command.words[11] & 2) != 0;
      queue.vector = high;
      return nvme_hw::kSuccess;
    }
    case nvme_hw::kCreateSubmission: {
      if (submissions_.count(id) != 0 || completions_.count(high) == 0 || entries < 2) return nvme_hw::kInvalidQueueId;
      Submission& queue = submissions_[id];
      queue.base = command.prp1();
      queue.entries = entries;
      queue.completion = high;
      return nvme_hw::kSuccess;
    }
    case nvme_hw::kDeleteSubmission:
      return submissions_.erase(id) != 0 ? nvme_hw::kSuccess : nvme_hw::kInvalidQueueId;
    case nvme_hw::kDeleteCompletion:
      return completions_.erase(id) != 0 ? nvme_hw::kSuccess : nvme_hw::kInvalidQueueId;
    default:
      return nvme_hw::kInvalidOpcode;
  }
}

void Nvme::begin_io(std::uint32_t slot) {
  const nvme_hw::Command& command = commands_[slot].command;
  if (command.opcode() == nvme_hw::kFlush) return end(slot, nvme_hw::kSuccess);
  if (command.opcode() != nvme_hw::kRead && command.opcode() != nvme_hw::kWrite)
    return end(slot, nvme_hw::kInvalidOpcode);
  if (command.blocks() > nvme_hw::kMostBlocks) return end(slot, nvme_hw::kInvalidField);
  if (command.block() >= params_.blocks || command.blocks() > params_.blocks - command.block())
    return end(slot, nvme_hw::kOutOfRange);
  find_pages(slot);
}

/// PRP1 names the first page, from an offset on; PRP2 the second one, or a list of all but the first.
void Nvme::find_pages(std::uint32_t slot) {
  ActiveCommand& command = commands_[slot];
  const std::uint64_t bytes = std::uint64_t{command.command.blocks()} * nvme_hw::kBlockBytes;
  command.data.resize(bytes);
  command.pages.push_back(command.command.prp1());
  const std::uint64_t in_first = base::kPageSize - command.command.prp1() % base::kPageSize;
  const std::uint64_t more = bytes <= in_first ? 0 : (bytes - in_first + base::kPageSize - 1) / base::kPageSize;
  if (more <= 1) {
    if (more == 1) command.pages.push_back(command.command.prp2());
    return pages_known(slot);
  }
  // Model: a list does not go on in another page.
  if (command.command.prp2() % 8 != 0 || command.command.prp2() % base::kPageSize + more * 8 > base::kPageSize)
    return end(slot, nvme_hw::kInvalidField);
  Operation* read = nullptr;
  const std::uint64_t cookie = operation(Step::kList, slot, read);
  read->data.resize(more * 8);
  ++stats_.list_reads;
  dma_.push(false, command.command.prp2(), read->data.size(), cookie, read->data.data());
}

void Nvme::pages_known(std::uint32_t slot) {
  ActiveCommand& command = commands_[slot];
  if (command.status != nvme_hw::kSuccess) return end(slot, command.status);
  for (std::size_t i = 1; i < command.pages.size(); ++i)
    if (command.pages[i] % base::kPageSize != 0) return end(slot, nvme_hw::kInvalidField);
  if (command.command.opcode() == nvme_hw::kRead)
    use_medium(slot, bus::now_ps());
  else
    move_data(slot, false);
}

/// One DMA for each page. `write`: into memory.
void Nvme::move_data(std::uint32_t slot, bool write) {
  ActiveCommand& command = commands_[slot];
  command.parts = static_cast<std::uint32_t>(command.pages.size());
  std::uint64_t offset = 0;
  for (const std::uint64_t page : command.pages) {
    const std::uint64_t bytes =
        std::min<std::uint64_t>(base::kPageSize - page % base::kPageSize, command.data.size() - offset);
    Operation* part = nullptr;
    const std::uint64_t cookie = operation(Step::kData, slot, part);
    dma_.push(write, page, bytes, cookie, command.data.data() + offset);
    offset += bytes;
  }
}

void Nvme::data_moved(std::uint32_t slot) {
  const ActiveCommand& command = commands_[slot];
  if (command.command.opcode() == nvme_hw::kRead || command.status != nvme_hw::kSuccess)
    return end(slot, command.status);
  use_medium(slot, bus::now_ps());
}

// The medium.

void Nvme::use_medium(std::uint32_t slot, base::Picoseconds now) {
  to_medium_.push_back(slot);
  wake_at(now);
}

base::Picoseconds Nvme::serve_medium(base::Picoseconds now) {
  for (;;) {
    while (!in_medium_.empty() && in_medium_.begin()->first <= now) {
      const std::uint32_t slot = in_medium_.begin()->second;
      in_medium_.erase(in_medium_.begin());
      stats_.medium.leave(now);
      ActiveCommand& command = commands_[slot];
      if (command.command.opcode() == nvme_hw::kRead) {
        load(command);
        move_data(slot, true);
      } else {
        store(command);
        end(slot, nvme_hw::kSuccess);
      }
    }
    if (to_medium_.empty() || in_medium_.size() >= params_.channels) break;
    const std::uint32_t slot = to_medium_.front();
    to_medium_.pop_front();
    const ActiveCommand& command = commands_[slot];
    base::Picoseconds end =
        now + (command.command.opcode() == nvme_hw::kRead ? params_.read_ns : params_.write_ns) * 1000;
    if (params_.bandwidth_bytes_per_s != 0) {
      const auto transfer = static_cast<unsigned __int128>(command.data.size()) * 1'000'000'000'000ULL;
      medium_free_ =
          std::max(now, medium_free_) + static_cast<base::Picoseconds>(transfer / params_.bandwidth_bytes_per_s);
      end = std::max(end, medium_free_);
    }
    stats_.medium.enter(now);
    in_medium_.emplace(end, slot);
  }
  return in_medium_.empty() ? base::kNever : in_medium_.begin()->first;
}

void Nvme::load(ActiveCommand& command) {
  for (std::uint32_t i = 0; i < command.command.blocks(); ++i) {
    const std::uint64_t block = command.command.block() + i;
    std::uint8_t* const data = command.data.data() + std::size_t{i} * nvme_hw::kBlockBytes;
    const auto kept = written_.find(block);
    if (kept != written_.end())
      std::memcpy(data, kept->second.data(), nvme_hw::kBlockBytes);
    else
      fill_block(block, 0, data, nvme_hw::kBlockBytes);
  }
}

void Nvme::store(const ActiveCommand& command) {
  Block untouched(nvme_hw::kBlockBytes);
  for (std::uint32_t i = 0; i < command.command.blocks(); ++i) {
    const std::uint64_t block = command.command.block() + i;
    const std::uint8_t* const data = command.data.data() + std::size_t{i} * nvme_hw::kBlockBytes;
    fill_block(block, 0, untouched.data(), nvme_hw::kBlockBytes);
    if (std::memcmp(data, untouched.data(), nvme_hw::kBlockBytes) == 0) {
      written_.erase(block);
    } else {
      ++stats_.changed;
      written_[block].assign(data, data + nvme_hw::kBlockBytes);
    }
  }
}

// The end.

void Nvme::end(std::uint32_t slot, std::uint16_t status) {
  ActiveCommand& command = commands_[slot];
  command.status = status;
  const auto submission = submissions_.find(command.queue);
  const auto queue = completions_.find(submission == submissions_.end() ? 0 : submission->second.completion);
  if (queue == completions_.end()) return finish(slot);  // the controller was disabled
  queue->second.ended.push_back(slot);
  wake_at(bus::now_ps());
}

/// The completion is in memory, or will never be.
void Nvme::finish(std::uint32_t slot) {
  ActiveCommand& command = commands_[slot];
  const bool io = command.queue != 0 && command.command.opcode() != nvme_hw::kFlush;
  if (command.status != nvme_hw::kSuccess) {
    ++stats_.failed;
  } else if (!io) {
    ++stats_.admin;
  } else {
    ++(command.command.opcode() == nvme_hw::kRead ? stats_.reads : stats_.writes);
    stats_.payload_bytes += command.data.size();
  }
  stats_.under_way.leave(bus::now_ps());
  if (command.queue != 0) {
    stats_.latency_ps.add(bus::now_ps() - command.begin);
    stats_.last_end = bus::now_ps();
  }
  const auto submission = submissions_.find(command.queue);
  const auto queue = completions_.find(submission == submissions_.end() ? 0 : submission->second.completion);
  if (queue != completions_.end()) queue->second.news = true;
  free_commands_.push_back(slot);
}

}  // namespace iommusim::devices
