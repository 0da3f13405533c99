// SPDX-License-Identifier: Apache-2.0
// One section of a vector file under replay: an IOMMU, its memory, and the comparison of answers.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "conformance/replayer.h"
#include "conformance/vector_memory.h"

namespace iommusim::conformance {

class Section : public translate::MessagePort {
 public:
  Section(std::string file, std::string name, std::size_t most_mismatches);
  /// Performs one operation; `line` counts from 1. After a skip or too many mismatches it does nothing.
  void perform(const nlohmann::json& operation, std::size_t line);
  /// The last operation's writes are accounted for.
  SectionResult finish();

 private:
  void reset(const nlohmann::json& operation);
  void memory_check(const nlohmann::json& operation);
  void memory_fault(const nlohmann::json& operation);
  void register_write(const nlohmann::json& operation);
  void register_read(const nlohmann::json& operation);
  void translate(const nlohmann::json& operation);
  void page_request(const nlohmann::json& operation);
  void expect_message(const nlohmann::json& operation);
  void invalidation_completion(const nlohmann::json& operation);
  void time_out(const nlohmann::json& operation);
  /// The ITAGs that the IOMMU chose for these requests; without any, the recorded ones.
  std::uint32_t itag_vector(const nlohmann::json& operation) const;
  void send(const translate::DeviceMessage& message) override { sent_.push_back(message); }
  void compare_outcome(const nlohmann::json& operation, const translate::Outcome& outcome);
  void compare_completion(const nlohmann::json& operation, const translate::Outcome& outcome);
  void end_operation();
  void mismatch(const std::string& text);
  bool over() const;

  std::string file_;
  std::size_t most_mismatches_;
  std::size_t line_ = 0;
  std::size_t last_operation_line_ = 0;
  SectionResult result_;
  VectorMemory memory_;
  std::deque<translate::DeviceMessage> sent_;    ///< during the last operation, not yet expected
  std::map<std::uint64_t, std::uint8_t> itags_;  ///< by `ref`
  std::unique_ptr<translate::Registers> registers_;
  std::unique_ptr<translate::FunctionalEngine> engine_;
};

}  // namespace iommusim::conformance
