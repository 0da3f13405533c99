// SPDX-License-Identifier: Apache-2.0
#include "embed/cycle_instance.h"

#include "embed/convert.h"

namespace iommusim::embed {

namespace {

timing::PlainDriverParams driver_params(const EmbedParams& params) {
  timing::PlainDriverParams out;
  out.memory_cycles = params.memory.cycles;
  out.memory_jitter = params.memory.jitter_cycles;
  out.forward_cycles = params.memory.forward_cycles;
  out.seed = params.seed;
  return out;
}

}  // namespace

CycleInstance::CycleInstance(const EmbedParams& params, const iommusim_host& host)
    : Instance(host, params.seed),
      engine_(params.engine, params.implementation, params.seed, root_),
      driver_(engine_, host_, driver_params(params)) {}

std::uint64_t CycleInstance::read_register(std::uint32_t offset, std::uint32_t bytes) {
  return driver_.read_register(offset, bytes);
}

void CycleInstance::write_register(std::uint32_t offset, std::uint32_t bytes, std::uint64_t value) {
  driver_.write_register(offset, bytes, value);
  tell();
}

iommusim_result CycleInstance::translate(const translate::Request&) { throw WrongMode("functional"); }

bool CycleInstance::submit(const translate::Request& request, std::uint64_t cookie) {
  const bool taken = driver_.offer(request, cookie);
  tell();
  return taken;
}

void CycleInstance::advance(base::Cycle cycle) {
  while (driver_.advance(cycle)) tell();
}

std::string CycleInstance::run_until_idle() {
  while (driver_.advance()) tell();
  return engine_.idle() ? std::string() : engine_.describe();
}

bool CycleInstance::page_request(const translate::PageRequest& request) {
  const bool taken = driver_.page_request(request);
  tell();
  return taken;
}

bool CycleInstance::invalidation_completion(const translate::InvalidationCompletion& message) {
  const bool expected = driver_.invalidation_completion(message);
  tell();
  return expected;
}

void CycleInstance::invalidation_time_out(std::uint32_t itag_vector) {
  driver_.invalidation_time_out(itag_vector);
  tell();
}

void CycleInstance::tell() {
  for (const timing::Finished& finished : driver_.finished()) {
    iommusim_result result = to_result(finished.outcome);
    result.cookie = finished.cookie;
    result.accepted = finished.accepted;
    result.done = finished.done;
    host_.deliver(result);
  }
  driver_.finished().clear();
  for (const translate::DeviceMessage& message : driver_.messages()) host_.send(message);
  driver_.messages().clear();
  host_.show_wires(engine_.wires());
}

}  // namespace iommusim::embed
