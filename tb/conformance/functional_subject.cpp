// SPDX-License-Identifier: Apache-2.0
#include "conformance/subject.h"

namespace iommusim::conformance {
namespace {

class FunctionalSubject : public Subject {
 public:
  FunctionalSubject(const spec::Implementation& implementation, translate::MemoryPort& memory,
                    translate::MessagePort& messages, const FunctionalParams& params)
      : registers_(implementation), engine_(registers_, memory, &messages, params.functional) {
    engine_.set_commands_run_freely(false);
  }
  translate::Outcome translate(const translate::Request& request) override { return engine_.translate(request); }
  void write_register(std::uint32_t offset, unsigned bytes, std::uint64_t value) override {
    engine_.write_register(offset, bytes, value);
  }
  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override {
    return engine_.read_register(offset, bytes);
  }
  void process_command() override { engine_.run_one_command(); }
  void page_request(const translate::PageRequest& request) override { engine_.page_request(request); }
  bool invalidation_completion(const translate::InvalidationCompletion& message) override {
    return engine_.invalidation_completion(message);
  }
  void invalidation_time_out(std::uint32_t itag_vector) override { engine_.invalidation_time_out(itag_vector); }

 private:
  translate::Registers registers_;
  translate::FunctionalEngine engine_;
};

class FunctionalMaker : public SubjectMaker {
 public:
  explicit FunctionalMaker(const FunctionalParams& params) : params_(params) {
    translate::FunctionalCaches{params.functional};  // whether it can be
  }
  std::unique_ptr<Subject> make(const spec::Implementation& implementation, translate::MemoryPort& memory,
                                translate::MessagePort& messages) const override {
    return std::make_unique<FunctionalSubject>(implementation, memory, messages, params_);
  }

 private:
  FunctionalParams params_;
};

}  // namespace

std::unique_ptr<SubjectMaker> functional_subjects(const FunctionalParams& params) {
  return std::make_unique<FunctionalMaker>(params);
}

}  // namespace iommusim::conformance
