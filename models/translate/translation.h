// SPDX-License-Identifier: Apache-2.0
// The translation of one request, from the device's transaction to an address or a fault: IOMMU 2.3 "Process to translate
// an IOVA" as a resumable process. One object serves any number of requests one after another (start() begins anew).
#pragma once

#include "translate/ask.h"
#include "translate/fault.h"
#include "translate/request.h"

namespace iommusim::translate {

class Registers;

/// How a request ended.
struct Outcome {
  enum class Kind : std::uint8_t {
    kTranslated,      ///< forward to `spa`
    kFault,           ///< answer with `response`; `fault` is to be recorded if `record_fault`
  };
  Kind kind = Kind::kFault;
  std::uint64_t spa = 0;        ///< of the request's first byte
  std::uint8_t size_log2 = 12;  ///< of the range around it that translates alike
  std::uint8_t pbmt = 0;
  bool bypass = false;          ///< both stages Bare, or ddtp Bare: no translation was needed
  bool record_fault = false;    ///< false: DTF (IOMMU 2.1.3.1) or the debug interface suppresses it
  Response response = Response::kSuccess;
  FaultRecord fault{};
};

class Translation {
 public:
  /// `registers` must outlive the conversation.
  void start(const Request& request, const Registers& registers);

  const Ask& ask() const { return ask_; }
  void miss();
  void hit(const spec::DeviceContext& context);
  void hit(const spec::ProcessContext& context);
  void hit(const TranslationEntry& entry);
  void hit(const WalkEntry& entry);
  void hit(const DirectoryEntry& entry);
  void memory(const MemoryAnswer& answer);
  void resume();

  /// Valid when ask().kind is kDone.
  const Outcome& outcome() const { return outcome_; }
  const Request& request() const { return request_; }

 private:
  Ask ask_{};
  Outcome outcome_{};
  Request request_{};
};

}  // namespace iommusim::translate
