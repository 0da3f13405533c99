// SPDX-License-Identifier: Apache-2.0
// A device-side address translation cache (PCIe ATS, IOMMU 2.6, 2.7): a module between the DMA socket of any device
// and its port of the bus. DMA comes in with IOVAs and goes out as translated requests; what is missing is asked for by
// ATS translation requests, and what software must provide first by page requests (PRI). Switched off, as it is at
// first, it passes everything on.
// Invariants: a piece of DMA (at most 4 KiB) ends exactly once. After an Invalidation Completion no request with a
// translation that it named is sent or, if a read, unanswered; a write may be on its way, but ahead of the completion.
// Several functions of a device may share one: DMA of each is translated for that function. Page requests are then
// those of the function that it was made for. Model: pieces that hit overtake pieces that miss; a device that needs an
// order waits for the answers.
#pragma once

#include <deque>

#include "base/pool.h"
#include "devices/atc_cache.h"
#include "devices/atc_listener.h"
#include "devices/atc_params.h"
#include "devices/atc_stats.h"
#include "timing/lookup_stage.h"
#include "tlm/initiator_port.h"
#include "tlm/payload_pool.h"
#include "tlm/target_port.h"
#include "tlm/timed_module.h"
#include "tlm/timed_ring.h"

namespace iommusim::devices {

class Atc final : public bus::TimedModule, bus::TargetClient, bus::InitiatorClient {
 public:
  /// `function` sends and gets the messages.
  Atc(const sc_core::sc_module_name& name, const AtcParams& params, base::DeviceId function, std::uint64_t seed,
      stats::Group& parent);

  bus::TargetSocket& device() { return device_.socket; }
  bus::InitiatorSocket& to_bus() { return bus_.socket; }
  /// What configuration software does to an idle device (IOMMU 6.6): from here on DMA is translated, or is not; nothing
  /// is held in either case. From a process, not from within a transport call.
  void enable(bool ats, bool pri);
  /// Told of each piece that is looked up; nullptr: nobody. Must outlive the simulation.
  void tell(AtcListener* listener) { listener_ = listener; }
  /// No DMA, request or invalidation inside.
  bool idle() const;
  const AtcStats& statistics() const { return stats_; }
  const AtcParams& params() const { return params_; }

 private:
  static constexpr std::uint32_t kNone = ~0U;
  static constexpr unsigned kTags = 32, kInvalidations = 64;

  struct Transfer {
    bus::Payload* payload = nullptr;
    std::uint64_t address = 0;  ///< of the next piece
    std::uint32_t bytes_left = 0;
    std::uint32_t pieces_inside = 0;
    translate::Response worst = translate::Response::kSuccess;
    sc_core::sc_event* done = nullptr;  ///< of a blocking caller
  };
  using TransferHandle = base::Handle<Transfer>;
  struct Incoming {
    TransferHandle transfer{};
    base::Picoseconds since = 0;
  };
  enum class PieceState : std::uint8_t { kFree, kWaiting, kToSend, kSent };
  struct Piece {
    TransferHandle transfer{};
    AtcSpace space{};
    std::uint64_t iova = 0;
    std::uint64_t target = 0;  ///< where it goes
    std::uint64_t drains = 0;  ///< invalidations that wait for it
    std::uint32_t bytes = 0;
    std::uint32_t offset = 0;
    std::uint32_t next = kNone;  ///< waits for the same page
    PieceState state = PieceState::kFree;
    bool write = false, execute = false;
    bool translated = false;
    bool retired = false;  ///< posted, or answered
  };
  enum class MissState : std::uint8_t { kFree, kToRequest, kRequested, kFaulted, kPaging, kResting };
  /// A page that pieces wait for.
  struct Miss {
    AtcSpace space{};
    std::uint64_t page = 0;    ///< IOVA
    std::uint64_t serial = 0;  ///< of its translation request
    std::uint32_t head = kNone, tail = kNone;
    std::uint32_t attempts = 0;
    std::uint32_t group = 0;  ///< kPaging
    MissState state = MissState::kFree;
    bool write = false, execute = false;
    bool overtaken = false;
  };
  struct Group {
    std::uint32_t pages = 0;  ///< 0: not open
    std::uint32_t to_send = 0;
    base::Picoseconds since = 0;
  };
  struct PageToAsk {
    std::uint32_t miss = 0;
    bool last = false;
  };
  struct Received {
    translate::DeviceMessage message{};
    base::Picoseconds since = 0;
    base::Picoseconds ready = 0;
  };
  struct Invalidation {
    bool busy = false;
    std::uint8_t itag = 0;
    std::uint32_t waits = 0;  ///< pieces
    base::Picoseconds since = 0;
    translate::DeviceFunction function{};
  };
  struct Deadline {
    base::Picoseconds at = 0;
    std::uint32_t miss = 0;
    std::uint64_t serial = 0;
  };

  // From sockets.
  bool request(unsigned, bus::Payload& payload, base::Picoseconds at) override;
  void response_taken(unsigned, bus::Payload&, base::Picoseconds) override { wake_at(bus::now_ps()); }
  void blocking(unsigned, bus::Payload& payload, sc_core::sc_time& delay) override;
  unsigned debug(unsigned, bus::Payload& payload) override { return bus_.socket->transport_dbg(payload); }
  void request_ended(unsigned) override { wake_at(bus_.ready_at()); }
  void response(unsigned, bus::Payload& payload, base::Picoseconds at) override;
  base::Picoseconds work(base::Picoseconds now) override;

  // atc.cpp: pieces.
  TransferHandle begin(bus::Payload& payload, sc_core::sc_event* done);
  bool feed(base::Picoseconds now);
  void cut(base::Picoseconds now);
  bool look_up(base::Picoseconds now);
  void use(std::uint32_t piece, const AtcEntry& entry);
  void tell_listener(const Piece& piece);
  void send(base::Picoseconds now);
  void send_piece(base::Picoseconds now);
  void answered(bus::PooledPayload& payload, base::Picoseconds now);
  void end_piece(std::uint32_t piece, translate::Response response, base::Picoseconds now);
  void respond();
  base::Picoseconds next_event() const;

  // atc_translation.cpp: misses, translation requests, page requests.
  void miss(std::uint32_t piece);
  void go_on_with_stalled(base::Picoseconds now);
  void ask(std::uint32_t miss);
  void send_translation_request(base::Picoseconds now);
  void completed(bus::PooledPayload& payload, base::Picoseconds now);
  void granted(std::uint32_t miss, const AtcEntry& entry);
  void denied(std::uint32_t miss, base::Picoseconds now);
  void fail(std::uint32_t miss, translate::Response response, base::Picoseconds now);
  void free_miss(std::uint32_t miss);
  void give_up_late(base::Picoseconds now);
  void form_groups();
  void send_page_request(base::Picoseconds now);
  void page_response(const translate::DeviceMessage& message, base::Picoseconds now);

  // atc_messages.cpp: credits, messages, invalidations.
  bus::PooledPayload& message(bus::MessageExtension::Kind kind);
  void message_came(bus::PooledPayload& payload, base::Picoseconds now);
  void serve_invalidations(base::Picoseconds now);
  void invalidate(const Received& received, base::Picoseconds now);
  void retire(Piece& piece, base::Picoseconds now);
  void complete(Invalidation& invalidation, base::Picoseconds now);
  void send_completion();

  AtcParams params_;
  base::DeviceId function_;
  base::Clock clock_;
  AtcStats stats_;
  bus::TargetPort device_;
  bus::InitiatorPort bus_;
  bool ats_ = false, pri_ = false;
  AtcListener* listener_ = nullptr;

  base::Pool<Transfer> transfers_;
  base::Ring<Incoming> incoming_;
  std::deque<TransferHandle> responses_;
  std::vector<Piece> pieces_;
  std::vector<std::uint32_t> free_pieces_;
  timing::LookupStage lookups_;
  base::Ring<std::uint32_t> to_send_;  // pieces
  base::Ring<std::uint32_t> stalled_;  // pieces that found no room for their miss
  bus::TimedRing<bus::PooledPayload*> answers_;
  bus::PayloadPool pool_{bus::kAtsRequestBytes};

  AtcCache cache_;
  std::vector<Miss> misses_;
  std::vector<std::uint32_t> free_misses_;
  base::Ring<std::uint32_t> to_request_;  // misses
  std::deque<Deadline> deadlines_;        // of translation requests, some long answered
  std::uint64_t serial_ = 0;

  base::Ring<std::uint32_t> faulted_;  // misses
  base::Ring<PageToAsk> pages_to_ask_;
  bus::TimedRing<std::uint32_t> resting_;  // misses, until they ask again
  std::vector<Group> groups_;
  std::uint32_t next_group_ = 0;
  std::uint32_t pages_asked_ = 0;

  std::uint32_t credits_due_ = 0;
  bool credits_given_ = false;
  std::deque<Received> received_;
  std::array<Invalidation, kInvalidations> invalidations_{};
  std::uint32_t done_tags_ = 0;
  translate::InvalidationCompletion completion_{};  // being sent
  std::uint32_t completion_copies_ = 0;
};

}  // namespace iommusim::devices
