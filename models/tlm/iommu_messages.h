// SPDX-License-Identifier: Apache-2.0
// Messages of the IOMMU to devices: the credits that devices gave, which message goes where, and how long an
// Invalidation Request may wait for its completion (PCIe ATS: the time-out that IOMMU 3.1.4 speaks of).
#pragma once

#include <array>
#include <deque>
#include <map>
#include <string>

#include "stats/stats.h"
#include "tlm/message_extension.h"

namespace iommusim::bus {

struct MessageStats : stats::Group {
  using stats::Group::Group;
  Counter page_requests{*this, "page_requests", Unit::kCount, "page requests and stop markers that arrived"};
  Counter completions{*this, "completions", Unit::kCount, "Invalidation Completion messages that arrived"};
  Counter unexpected{*this, "unexpected", Unit::kCount, "of these, ignored: they answer no outstanding request"};
  Counter invalidations{*this, "invalidations", Unit::kCount, "Invalidation Requests sent"};
  Counter responses{*this, "responses", Unit::kCount, "Page Request Group Responses sent"};
  Counter undeliverable{*this, "undeliverable", Unit::kCount, "of both, lost: no such function"};
  Counter time_outs{*this, "time_outs", Unit::kCount, "Invalidation Requests given up without their completion"};
};

class IommuMessages {
 public:
  IommuMessages(Picoseconds time_out, stats::Group& parent, const std::string& name)
      : time_out_(time_out), stats_(parent, name) {}

  /// A credit, and with send() the message in it.
  struct Delivery {
    Payload* answer = nullptr;
    unsigned port = 0;
    sc_core::sc_event* done = nullptr;  ///< of a blocking caller
  };

  /// The device at `port` can take one more message. The payload is kept until send() answers it.
  void give_credit(unsigned port, Payload& payload, sc_core::sc_event* done) {
    credits_[dma_of(payload).device.value].push_back({&payload, port, done});
  }
  /// False: the function has no credit left at present. A message that nobody gets leaves `delivery.answer` null.
  bool send(const translate::DeviceMessage& message, Picoseconds now, Delivery& delivery);

  /// An Invalidation Request may still time out.
  bool armed() const { return armed_ != 0; }
  /// The tags whose time is over by `now`, of those that are `outstanding`; each is told once.
  std::uint32_t take_timed_out(std::uint32_t outstanding, Picoseconds now);
  /// When the next of those that are `outstanding` times out; kNever: none.
  Picoseconds next_time_out(std::uint32_t outstanding) const;
  /// The message as the IOMMU gets it: its function is who sent it.
  translate::PageRequest page_request(const Payload& payload);
  /// false: sent in the name of another function, and ignored.
  bool completion(const Payload& payload, translate::InvalidationCompletion& completion);
  void unexpected() { ++stats_.unexpected; }

 private:
  Picoseconds time_out_;
  MessageStats stats_;
  std::map<std::uint32_t, std::deque<Delivery>> credits_;  // by device id; an entry stays when its credits are used up
  std::array<Picoseconds, 32> deadlines_{};                // by ITAG, of those in armed_
  std::uint32_t armed_ = 0;
};

}  // namespace iommusim::bus
