// SPDX-License-Identifier: Apache-2.0
#include "platform/generator_workload.h"

#include <algorithm>
#include <mutex>

#include "base/bits.h"
#include "base/error.h"
#include "domain/errno_name.h"
#include "platform/address_map.h"
#include "platform/checks.h"
#include "platform/kernel.h"

namespace iommusim::platform {

std::unique_ptr<devices::AccessPattern> generator_pattern(const DeviceParams& params, std::uint64_t seed) {
  return devices::make_pattern(pattern_kind_of(params.kind), pattern_params_of(params), seed);
}

devices::TrafficParams generator_traffic(const DeviceParams& params) {
  return pattern_kind_of(params.kind) == devices::PatternKind::kUniform ? devices::traffic_of(params.uniform)
                                                                        : params.traffic;
}

std::vector<std::uint64_t> generator_buffers(const devices::AccessPattern& pattern) {
  std::vector<std::uint64_t> first(pattern.spaces(), ~0ULL), end(pattern.spaces()), at(pattern.spaces());
  for (const devices::Stream& stream : pattern.streams()) {
    first[stream.space] = std::min(first[stream.space], stream.offset);
    end[stream.space] = std::max(end[stream.space], stream.offset + devices::stream_step(stream.bytes));
  }
  std::uint64_t sum = 0;
  for (std::size_t space = 0; space < at.size(); ++space) {
    at[space] = sum;
    sum += devices::stream_step(end[space] - first[space]);
  }
  std::vector<std::uint64_t> out;
  for (const devices::Stream& stream : pattern.streams())
    out.push_back(at[stream.space] + stream.offset - first[stream.space]);
  out.push_back(sum);
  return out;
}

std::uint64_t generator_memory(const DeviceParams& params) {
  return generator_buffers(*generator_pattern(params, 0)).back();
}

GeneratorWorkload::GeneratorWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system,
                                     std::uint64_t buffer, stats::Group& parent)
    : name_(name),
      params_(params),
      generator_(name.c_str(), generator_traffic(params), generator_pattern(params, system.seed.workload), parent),
      atc_(name, params.atc, generator_.device(), system.seed.timing, generator_.socket(), parent),
      buffers_(system.software.buffer_digest),
      count_(generator_traffic(params).count) {
  const std::vector<std::uint64_t> buffers = generator_buffers(generator_.pattern());
  for (std::size_t i = 0; i + 1 < buffers.size(); ++i) {
    const devices::Stream& stream = generator_.pattern().streams()[i];
    const std::uint64_t bytes = base::align_up(stream.bytes, base::kPageSize);
    for (std::uint64_t offset = 0; offset < bytes; offset += params.window.chunk_bytes)
      chunks_.push_back({stream.space, params.window.iova + stream.offset + offset, buffer + buffers[i] + offset,
                         std::min(params.window.chunk_bytes, bytes - offset)});
  }
}

void GeneratorWorkload::attach(Kernel& kernel) {
  os_ = &kernel.os();
  lock_ = os_->make_mutex();
  changed_ = os_->make_wait_queue();
  std::vector<base::DeviceId> functions;
  for (std::uint32_t space = 0; space < generator_.pattern().spaces(); ++space)
    functions.push_back(generator_.device(space));
  attachment_.open(kernel, name_, bdf_parameter(name_, params_.kind), functions, params_.atc);
  atc_.enable(attachment_.hardware());
}

std::vector<std::vector<std::uint32_t>> GeneratorWorkload::functions() const {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t space = 0; space < generator_.pattern().spaces(); ++space)
    ids.push_back(generator_.device(space).value);
  return {ids};
}

int GeneratorWorkload::map(const Chunk& chunk) {
  return -attachment_.program().ioas_map(attachment_.ioas(chunk.space), chunk.iova, kBufferVa + chunk.buffer,
                                         chunk.bytes);
}

void GeneratorWorkload::unmap(const Chunk& chunk) {
  base::ensure(attachment_.program().ioas_unmap(attachment_.ioas(chunk.space), chunk.iova, chunk.bytes) == 0,
               "a chunk cannot be unmapped");
}

void GeneratorWorkload::take_digest(const Chunk& chunk) {
  buffers_.mapped(attachment_.ioas(chunk.space), chunk.iova, chunk.bytes,
                  chunk.buffer + attachment_.program().buffers());
}

void GeneratorWorkload::start() {
  generator_.start(params_.window.iova, [this] {
    finished_ = true;
    changed_->wake_all();
  });
}

double GeneratorWorkload::progress() const { return static_cast<double>(transfers()) / static_cast<double>(count_); }

std::uint64_t GeneratorWorkload::transfers() const {
  return generator_.master().statistics().completed.value() + failed_transfers();
}

std::uint64_t GeneratorWorkload::bytes_moved() const {
  const auto& stats = generator_.master().statistics();
  return stats.bytes_read.value() + stats.bytes_written.value();
}

void WindowWorkload::open(Kernel& kernel) {
  attach(kernel);
  for (const Chunk& chunk : chunks()) {
    if (const int error = map(chunk); error != 0)
      throw ParameterError("devices." + name_ + ".window.iova",
                           std::string("the window cannot be mapped: ") + domain::errno_name(error) +
                               ", expected one inside what the IOMMU and memory can hold");
    take_digest(chunk);
  }
}

void WindowWorkload::run(Kernel&) {
  start();
  std::unique_lock<hal::Mutex> guard(*lock_);
  while (!finished()) changed_->wait(*lock_);
}

void WindowWorkload::close(Kernel& kernel) {
  atc_.disable();
  buffers_.finish(kernel.memory());
  for (const Chunk& chunk : chunks()) unmap(chunk);
  detach();
}

}  // namespace iommusim::platform
