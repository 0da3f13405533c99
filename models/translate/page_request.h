// SPDX-License-Identifier: Apache-2.0
// The handling of one PCIe "Page Request" or "Stop Marker" message (IOMMU 2.7, 3.3): locate the device context, queue
// the message, or else say what the IOMMU itself answers.
#pragma once

#include "translate/device_message.h"
#include "translate/translation.h"

namespace iommusim::translate {

class PageRequestHandling {
 public:
  /// One at a time: the queue's tail moves at the end.
  void start(const PageRequest& request, Registers& registers);
  /// The same for a driver that locates the device context itself: `location` is a translation of location_request()
  /// that is done.
  void start_located(const PageRequest& request, const Translation& location, Registers& registers);
  static Request location_request(const PageRequest& request);
  /// Asks as a Translation does while it locates the context, then for one kWrite of 16 bytes.
  const Ask& ask() const { return locating_ ? location_.ask() : ask_; }
  void miss() {
    continue_after([this] { location_.miss(); });
  }
  template <class Entry>
  void hit(const Entry& entry) {
    continue_after([&] { location_.hit(entry); });
  }
  void memory(const MemoryAnswer& answer);
  void resume() {
    continue_after([this] { location_.resume(); });
  }

  /// Valid when done.
  bool queued() const { return queued_; }
  bool has_fault() const { return has_fault_; }
  const FaultRecord& fault() const { return location_.outcome().fault; }
  bool has_response() const { return has_response_; }
  const DeviceMessage& response() const { return response_; }

 private:
  enum class ResponseCode : std::uint8_t { kSuccess = 0, kInvalidRequest = 1, kFailure = 15 };
  template <class Step>
  void continue_after(Step&& step) {
    step();
    if (location_.ask().kind == AskKind::kDone) located();
  }
  void begin(const PageRequest& request, Registers& registers);
  void located();
  void write_record();
  void respond(ResponseCode code, bool prpr);

  Translation location_{};
  Ask ask_{};
  Registers* registers_ = nullptr;
  PageRequest request_{};
  DeviceMessage response_{};
  bool locating_ = false;
  bool queued_ = false;
  bool has_fault_ = false;
  bool has_response_ = false;
};

}  // namespace iommusim::translate
