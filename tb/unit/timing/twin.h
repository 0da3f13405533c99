// SPDX-License-Identifier: Apache-2.0
// The engine that is compared with the functional engine without caches, whichever it is: the cycle engine under the
// plain driver, or the functional engine with caches. Every member returns when the engine has come to rest.
#pragma once

#include "machine.h"
#include "timing/plain_driver.h"

namespace iommusim::timing::test {

class Twin {
 public:
  virtual ~Twin() = default;
  virtual void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) = 0;
  virtual std::uint64_t read_register(std::uint32_t offset, unsigned bytes) = 0;
  /// All at once, page requests among the others; the answers in the order of `requests`.
  virtual std::vector<translate::Outcome> translate(const std::vector<translate::Request>& requests,
                                                    const std::vector<translate::PageRequest>& page_requests) = 0;
  virtual bool complete(const translate::InvalidationCompletion& message) = 0;
  virtual void time_out(std::uint32_t itag_vector) = 0;
  virtual std::vector<translate::DeviceMessage>& messages() = 0;
  /// Contradiction when what the engine counted does not fit together.
  virtual void check_statistics() const {}

  translate::test::SparseMemory memory;
};

class CycleTwin final : public Twin {
 public:
  /// Far more than a phase of any environment takes; beyond it something goes in circles.
  static constexpr unsigned kMaxEvents = 200000;

  CycleTwin(const EngineParams& params, const PlainDriverParams& driver_params,
            const spec::Implementation& implementation)
      : engine_(params, implementation, driver_params.seed, root_, "iommu", 2),
        driver_(engine_, memory, driver_params) {}

  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) override {
    driver_.write_register(offset, bytes, value);
    rest();
  }
  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override {
    return driver_.read_register(offset, bytes);
  }
  std::vector<translate::Outcome> translate(const std::vector<translate::Request>& requests,
                                            const std::vector<translate::PageRequest>& page_requests) override {
    driver_.finished().clear();
    for (std::uint64_t i = 0; i < std::max(requests.size(), page_requests.size()); ++i) {
      if (i < requests.size())
        while (!driver_.offer(requests[i], i, requests[i].device.value % 2)) step();
      if (i < page_requests.size())
        while (!driver_.page_request(page_requests[i])) step();
    }
    rest();
    base::ensure(driver_.finished().size() == requests.size(), "not every request was answered once");
    std::vector<translate::Outcome> outcomes(requests.size());
    std::vector<bool> seen(requests.size());
    for (const Finished& done : driver_.finished()) {
      base::ensure(!seen.at(done.cookie), "a request was answered twice");
      seen[done.cookie] = true;
      outcomes[done.cookie] = done.outcome;
    }
    return outcomes;
  }
  bool complete(const translate::InvalidationCompletion& message) override {
    const bool expected = driver_.invalidation_completion(message);
    rest();
    return expected;
  }
  void time_out(std::uint32_t itag_vector) override {
    driver_.invalidation_time_out(itag_vector);
    rest();
  }
  std::vector<translate::DeviceMessage>& messages() override { return driver_.messages(); }
  void check_statistics() const override { stats::check_identities(root_); }

 private:
  void step() {
    if (!driver_.advance()) base::contradiction("a full IOMMU has nothing to do: " + engine_.describe());
  }
  void rest() {
    for (unsigned events = 0; driver_.advance(); ++events)
      base::ensure(events < kMaxEvents, "the cycle engine does not come to rest");
    driver_.run_until_idle();
  }

  stats::Group root_{"twins"};
  Engine engine_;
  PlainDriver driver_;
};

class CachedTwin final : public Twin {
 public:
  CachedTwin(const translate::FunctionalCacheParams& caches, const spec::Implementation& implementation)
      : registers_(implementation), engine_(registers_, memory, &outbox_, caches) {}

  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) override {
    engine_.write_register(offset, bytes, value);
  }
  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override {
    return engine_.read_register(offset, bytes);
  }
  std::vector<translate::Outcome> translate(const std::vector<translate::Request>& requests,
                                            const std::vector<translate::PageRequest>& page_requests) override {
    std::vector<translate::Outcome> outcomes;
    for (std::size_t i = 0; i < std::max(requests.size(), page_requests.size()); ++i) {
      if (i < requests.size()) outcomes.push_back(engine_.translate(requests[i]));
      if (i < page_requests.size()) engine_.page_request(page_requests[i]);
    }
    return outcomes;
  }
  bool complete(const translate::InvalidationCompletion& message) override {
    return engine_.invalidation_completion(message);
  }
  void time_out(std::uint32_t itag_vector) override { engine_.invalidation_time_out(itag_vector); }
  std::vector<translate::DeviceMessage>& messages() override { return outbox_.sent; }

 private:
  translate::Registers registers_;
  translate::test::Outbox outbox_;
  translate::FunctionalEngine engine_;
};

}  // namespace iommusim::timing::test
