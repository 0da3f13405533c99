// SPDX-License-Identifier: Apache-2.0
#include "embed/functional_instance.h"

#include "embed/convert.h"

namespace iommusim::embed {

FunctionalInstance::FunctionalInstance(const EmbedParams& params, const iommusim_host& host)
    : Instance(host, params.seed),
      stats_(root_, "functional"),
      registers_(params.implementation),
      engine_(registers_, host_, &host_, params.functional),
      clock_(params.engine.clock_mhz) {}

std::uint64_t FunctionalInstance::read_register(std::uint32_t offset, std::uint32_t bytes) {
  return engine_.read_register(offset, bytes);
}

void FunctionalInstance::write_register(std::uint32_t offset, std::uint32_t bytes, std::uint64_t value) {
  engine_.write_register(offset, bytes, value);
  host_.show_wires(registers_.wires());
}

iommusim_result FunctionalInstance::translate(const translate::Request& request) {
  iommusim_result result = to_result(engine_.translate(request));
  ++(result.translated != 0 ? stats_.translated : stats_.faulted);
  result.accepted = result.done = now_;
  host_.show_wires(registers_.wires());
  return result;
}

bool FunctionalInstance::submit(const translate::Request& request, std::uint64_t cookie) {
  iommusim_result result = translate(request);
  result.cookie = cookie;
  host_.deliver(result);
  return true;
}

void FunctionalInstance::advance(base::Cycle cycle) {
  engine_.count_cycles(cycle - now_);
  now_ = cycle;
  host_.show_wires(registers_.wires());
}

std::string FunctionalInstance::run_until_idle() {
  return translate::CommandExecution::pending(registers_) ? "a command waits for ATS invalidations" : "";
}

bool FunctionalInstance::page_request(const translate::PageRequest& request) {
  engine_.page_request(request);
  host_.show_wires(registers_.wires());
  return true;
}

bool FunctionalInstance::invalidation_completion(const translate::InvalidationCompletion& message) {
  const bool expected = engine_.invalidation_completion(message);
  host_.show_wires(registers_.wires());
  return expected;
}

void FunctionalInstance::invalidation_time_out(std::uint32_t itag_vector) {
  engine_.invalidation_time_out(itag_vector);
  host_.show_wires(registers_.wires());
}

}  // namespace iommusim::embed
