// SPDX-License-Identifier: Apache-2.0
#include "platform/replay_workload.h"

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "domain/errno_name.h"
#include "platform/address_map.h"
#include "platform/checks.h"
#include "platform/dma_mapper.h"
#include "platform/iommufd_mapper.h"
#include "platform/kernel.h"
#include "platform/own_iova_mapper.h"

namespace iommusim::platform {

namespace {

std::vector<traces::Source> sources_of(const traces::Summary& summary) {
  std::vector<traces::Source> sources;
  for (const auto& row : summary.sources) sources.push_back(row.source);
  return sources;
}

std::string port_name_of(const std::string& name, traces::Source source) {
  std::string text = name + "_" + to_string(source);
  for (char& c : text)
    if (c == ':' || c == '.') c = '_';
  return text;
}

}  // namespace

std::uint64_t memory_of_trace(const std::string& path) {
  traces::Reader reader(path);
  std::uint64_t end = 0;
  for (traces::Event event; reader.next(event);)
    if (event.op == traces::Op::kMap) end = std::max(end, event.pa + event.bytes);
  return end;
}

ReplayWorkload::ReplayWorkload(const std::string& name, const DeviceParams& params, const SystemParams& system,
                               std::uint64_t buffer, stats::Group& parent)
    : name_(name),
      params_(params),
      stack_(system.software.stack),
      buffer_(buffer),
      memory_(user_memory(system.memory.physical_bits)),
      summary_(traces::summarize(params.trace)),
      sources_(sources_of(summary_)),
      replay_(name.c_str(), params.replay, std::make_unique<traces::Reader>(params.trace), sources_, *this, parent),
      buffers_(system.software.buffer_digest) {
  for (std::size_t i = 0; i < sources_.size(); ++i)
    atcs_.emplace_back(port_name_of(name, sources_[i]), params.atc, base::DeviceId(sources_[i].key()),
                       system.seed.timing + i, replay_.socket(i), parent);
}

std::vector<bus::InitiatorSocket*> ReplayWorkload::sockets() {
  std::vector<bus::InitiatorSocket*> sockets;
  for (AtcSlot& atc : atcs_) sockets.push_back(&atc.socket());
  return sockets;
}

std::vector<std::vector<std::uint32_t>> ReplayWorkload::functions() const {
  std::vector<std::vector<std::uint32_t>> ids;
  for (const traces::Source source : sources_) ids.push_back({source.key()});
  return ids;
}

std::vector<std::string> ReplayWorkload::port_names() const {
  std::vector<std::string> names;
  for (const traces::Source source : sources_) names.push_back(port_name_of(name_, source));
  return names;
}

std::unique_ptr<ReplayMapper> ReplayWorkload::make_mapper(Kernel& kernel) const {
  if (stack_ != Stack::kKernel) return std::make_unique<IommufdMapper>(kernel.start_program(), buffer_);
  if (params_.replay.iovas == devices::ReplayIovas::kOwn)
    return std::make_unique<OwnIovaMapper>(kernel, params_.trace, memory_ + buffer_);
  const bool recorded = params_.replay.invalidations == devices::ReplayInvalidations::kRecorded;
  return std::make_unique<DmaMapper>(kernel, recorded, memory_ + buffer_);
}

void ReplayWorkload::open(Kernel& kernel) {
  lock_ = kernel.os().make_mutex();
  changed_ = kernel.os().make_wait_queue();
  mapper_ = make_mapper(kernel);
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    domain::Device& hardware = kernel.add_device(sources_[i].key(), "devices." + name_ + ".trace", params_.atc);
    if (const int error = mapper_->open(hardware); error != 0)
      throw ParameterError(
          "devices." + name_,
          "function " + to_string(sources_[i]) + " cannot be attached: " + domain::errno_name(error) +
              ", expected an IOMMU with a first stage that the driver can use, and a group of its own");
    atcs_[i].enable(hardware);
  }
}

void ReplayWorkload::run(Kernel& kernel) {
  replay_.start();
  std::unique_lock<hal::Mutex> guard(*lock_);
  while (!finished_) {
    if (!has_request_) {
      changed_->wait(*lock_);
      continue;
    }
    has_request_ = false;
    const traces::Event event = requested_;
    guard.unlock();
    execute(kernel, event);
    replay_.software_done();
    guard.lock();
  }
}

void ReplayWorkload::execute(Kernel& kernel, const traces::Event& event) {
  const std::size_t function = function_of(event.source);
  const auto space = static_cast<std::uint32_t>(function);
  if (event.op == traces::Op::kUnmap) buffers_.unmapping(space, event.iova, event.bytes, kernel.memory());
  const auto refuse = [&](const char* what, int error, const char* expected) {
    if (error != 0)
      throw base::InputError({params_.trace, static_cast<std::uint32_t>(event.line), 1},
                             std::string(what) + " fails with " + domain::errno_name(error) + ", expected " + expected);
  };
  const bool user = stack_ != Stack::kKernel;
  switch (event.op) {
    case traces::Op::kMap:
      refuse(user ? "IOAS_MAP" : "the map", mapper_->map(function, event), "a range that can be mapped here");
      buffers_.mapped(space, event.iova, event.bytes, mapper_->memory() + event.pa);
      return;
    case traces::Op::kUnmap:
      refuse(user ? "IOAS_UNMAP" : "the unmap", mapper_->unmap(function, event.iova, event.bytes),
             "a range that can be unmapped here");
      return;
    default:
      refuse("the invalidation", mapper_->invalidate(function, event.iova, event.bytes), "a range of addresses");
  }
}

std::size_t ReplayWorkload::function_of(traces::Source source) const {
  const auto at = std::find(sources_.begin(), sources_.end(), source);
  base::ensure(at != sources_.end(), "the trace names a source that its summary does not");
  return static_cast<std::size_t>(at - sources_.begin());
}

void ReplayWorkload::close(Kernel& kernel) {
  for (AtcSlot& atc : atcs_) atc.disable();
  buffers_.finish(kernel.memory());
  mapper_->close();
  mapper_.reset();
}

void ReplayWorkload::request(const traces::Event& event) {
  requested_ = event;
  has_request_ = true;
  changed_->wake_all();
}

std::uint64_t ReplayWorkload::address(const traces::Event& access) const {
  return mapper_->address(function_of(access.source), access.iova);
}

void ReplayWorkload::finished() {
  finished_ = true;
  changed_->wake_all();
}

double ReplayWorkload::progress() const {
  const std::uint64_t all =
      params_.replay.max_events != 0 ? std::min(params_.replay.max_events, summary_.events) : summary_.events;
  return all == 0 ? 1.0 : static_cast<double>(replay_.events()) / static_cast<double>(all);
}

std::uint64_t ReplayWorkload::transfers() const { return replay_.statistics().completed.value() + failed_transfers(); }
std::uint64_t ReplayWorkload::failed_transfers() const { return replay_.statistics().failed.value(); }

std::uint64_t ReplayWorkload::bytes_moved() const {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const auto& stats = replay_.master(i).statistics();
    bytes += stats.bytes_read.value() + stats.bytes_written.value();
  }
  return bytes;
}

}  // namespace iommusim::platform
