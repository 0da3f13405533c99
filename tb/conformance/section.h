// SPDX-License-Identifier: Apache-2.0
// One section of a vector file under replay: an IOMMU, its memory, the messages it sends, and the comparison of
// answers.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "conformance/operation.h"
#include "conformance/replayer.h"
#include "conformance/vector_memory.h"

namespace iommusim::conformance {

class Section : public translate::MessagePort {
 public:
  Section(std::string file, std::uint32_t line, std::string name, const SubjectMaker& maker,
          std::size_t most_mismatches);
  /// Performs one operation; `line` counts from 1. A skipped section, and one with too many mismatches, does nothing.
  void perform(const Operation& operation, std::uint32_t line);
  /// The last operation's writes and messages are accounted for.
  SectionResult finish();

 private:
  void reset(const Operation& operation);
  void memory_check(const Operation& operation);
  void memory_fault(const Operation& operation);
  void register_write(const Operation& operation);
  void register_read(const Operation& operation);
  void translate(const Operation& operation);
  void compare_address(const Operation& expect, const translate::Outcome& outcome);
  void compare_msi(const Operation& expect, const translate::Outcome& outcome);
  void compare_completion(const Operation& operation, const translate::AtsCompletion& ats);
  void expect_message(const Operation& operation);
  void invalidation_completion(const Operation& operation);
  /// The ITAGs that the IOMMU chose for these requests; without any, the recorded ones.
  std::uint32_t itag_vector(const Operation& operation) const;
  void send(const translate::DeviceMessage& message) override { sent_.push_back(message); }
  /// Compares with the texts that are allowed; false and a mismatch if none fits.
  bool compare(const Operation& operation, const char* name, const std::string& found);
  void end_operation();
  void mismatch(const std::string& what, const std::string& expected, const std::string& found);
  bool over() const { return !result_.skipped.empty() || result_.mismatches.size() >= most_mismatches_; }

  std::string file_;
  const SubjectMaker& maker_;
  std::size_t most_mismatches_;
  std::uint32_t line_ = 0;
  std::uint32_t last_operation_line_ = 0;
  SectionResult result_;
  VectorMemory memory_;
  std::deque<translate::DeviceMessage> sent_;    ///< during the last operation, not yet expected
  std::map<std::uint64_t, std::uint8_t> itags_;  ///< by `ref`
  std::unique_ptr<Subject> subject_;
};

}  // namespace iommusim::conformance
