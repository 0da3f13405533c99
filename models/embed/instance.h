// SPDX-License-Identifier: Apache-2.0
// One embedded IOMMU, of either mode, behind the C interface. Errors are exceptions here: InputError for arguments,
// WrongMode for operations that a mode has not; api.cpp makes status codes of them.
#pragma once

#include <memory>

#include "base/time.h"
#include "embed/host.h"
#include "embed/params.h"

namespace iommusim::embed {

class WrongMode : public std::runtime_error {
 public:
  explicit WrongMode(const char* needed)
      : std::runtime_error(std::string("this operation exists in mode ") + needed + " only") {}
};

class Instance {
 public:
  virtual ~Instance() = default;

  virtual std::uint64_t read_register(std::uint32_t offset, std::uint32_t bytes) = 0;
  virtual void write_register(std::uint32_t offset, std::uint32_t bytes, std::uint64_t value) = 0;
  virtual std::uint16_t wires() const = 0;

  virtual iommusim_result translate(const translate::Request& request) = 0;
  /// false: the IOMMU holds it back.
  virtual bool submit(const translate::Request& request, std::uint64_t cookie) = 0;

  virtual base::Cycle now() const = 0;
  /// `cycle` is not before now().
  virtual void advance(base::Cycle cycle) = 0;
  /// What is left inside, in words; empty: nothing.
  virtual std::string run_until_idle() = 0;

  /// false: the IOMMU holds it back.
  virtual bool page_request(const translate::PageRequest& request) = 0;
  virtual bool invalidation_completion(const translate::InvalidationCompletion& message) = 0;
  virtual void invalidation_time_out(std::uint32_t itag_vector) = 0;

  /// The entry must be without objection in this mode.
  void inject(const std::string& name, const timing::InjectionParams& injection);
  timing::Injector& injector() { return injector_; }
  virtual Mode mode() const = 0;

  bool poll(iommusim_result& result) { return host_.poll(result); }
  std::string statistics();
  void reset_statistics();

 protected:
  Instance(const iommusim_host& host, std::uint64_t seed)
      : root_("embed"), host_(host, root_), injector_(seed, root_) {}
  /// There is something to inject from now on.
  virtual void attach(timing::Injector& injector) = 0;

  stats::Group root_;
  Host host_;

 private:
  timing::Injector injector_;
};

std::unique_ptr<Instance> make_instance(const EmbedParams& params, const iommusim_host& host);

}  // namespace iommusim::embed
