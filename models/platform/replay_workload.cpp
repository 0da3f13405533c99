// SPDX-License-Identifier: Apache-2.0
#include "platform/replay_workload.h"

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "domain/errno_name.h"
#include "iommufd/device.h"
#include "platform/address_map.h"
#include "platform/checks.h"
#include "platform/kernel.h"

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
      buffer_(buffer),
      summary_(traces::summarize(params.trace)),
      sources_(sources_of(summary_)),
      replay_(name.c_str(), params.replay, std::make_unique<traces::Reader>(params.trace), sources_, *this, parent),
      buffers_(system.software.buffer_digest) {
  for (const traces::Source source : sources_) functions_.push_back({source, 0, 0, nullptr});
  for (std::size_t i = 0; i < sources_.size(); ++i)
    atcs_.emplace_back(port_name_of(name, sources_[i]), params.atc, base::DeviceId(sources_[i].key()),
                       system.seed.timing + i, replay_.socket(i), parent);
}

std::vector<bus::InitiatorSocket*> ReplayWorkload::sockets() {
  std::vector<bus::InitiatorSocket*> sockets;
  for (AtcSlot& atc : atcs_) sockets.push_back(&atc.socket());
  return sockets;
}

std::vector<std::string> ReplayWorkload::port_names() const {
  std::vector<std::string> names;
  for (const traces::Source source : sources_) names.push_back(port_name_of(name_, source));
  return names;
}

void ReplayWorkload::open(Kernel& kernel) {
  lock_ = kernel.os().make_mutex();
  changed_ = kernel.os().make_wait_queue();
  program_ = kernel.start_program();
  iommufd::Context& context = program_->context();
  for (Function& function : functions_) {
    function.hardware = &kernel.add_device(function.source.key(), "devices." + name_ + ".trace", params_.atc);
    int error = iommufd::device_bind(context, *function.hardware, function.device);
    if (error == 0) error = -program_->ioas_alloc(function.ioas);
    iommufd::ObjectId page_table = function.ioas;
    if (error == 0) error = iommufd::device_attach(context, function.device, page_table);
    if (error != 0)
      throw ParameterError("devices." + name_, "function " + to_string(function.source) +
                                                   " cannot be attached: " + domain::errno_name(error) +
                                                   ", expected an IOMMU with a first stage that the driver can use");
    atcs_[static_cast<std::size_t>(&function - functions_.data())].enable(*function.hardware);
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
    if (event.op == traces::Op::kUnmap)
      buffers_.unmapping(function_of(event.source).ioas, event.iova, event.bytes, kernel.memory());
    execute(event);
    replay_.software_done();
    guard.lock();
  }
}

void ReplayWorkload::execute(const traces::Event& event) {
  const Function& function = function_of(event.source);
  const bool map = event.op == traces::Op::kMap;
  const int result = map ? program_->ioas_map(function.ioas, event.iova, va_of(event.pa), event.bytes)
                         : program_->ioas_unmap(function.ioas, event.iova, event.bytes);
  if (result != 0)
    throw base::InputError({params_.trace, static_cast<std::uint32_t>(event.line), 1},
                           std::string(map ? "IOAS_MAP" : "IOAS_UNMAP") + " fails with " + domain::errno_name(-result) +
                               ", expected a range that can be " + (map ? "mapped" : "unmapped") + " here");
  if (map) buffers_.mapped(function.ioas, event.iova, event.bytes, program_->buffers() + buffer_ + event.pa);
}

std::uint64_t ReplayWorkload::va_of(std::uint64_t pa) const { return kBufferVa + buffer_ + pa; }

ReplayWorkload::Function& ReplayWorkload::function_of(traces::Source source) {
  for (Function& function : functions_)
    if (function.source == source) return function;
  base::contradiction("the trace names a source that its summary does not");
}

void ReplayWorkload::close(Kernel& kernel) {
  for (AtcSlot& atc : atcs_) atc.disable();
  buffers_.finish(kernel.memory());
  for (Function& function : functions_) {
    program_->ioas_unmap(function.ioas, 0, ~0ULL);
    base::ensure(iommufd::device_detach(program_->context(), function.device) == 0, "a function cannot be detached");
    base::ensure(iommufd::device_unbind(program_->context(), function.device) == 0, "a function cannot be unbound");
    base::ensure(program_->destroy(function.ioas) == 0, "an IOAS cannot be destroyed");
  }
  base::ensure(program_->pinned_pages() == 0, "pages are pinned after everything was unmapped");
  program_.reset();
}

void ReplayWorkload::request(const traces::Event& event) {
  requested_ = event;
  has_request_ = true;
  changed_->wake_all();
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
