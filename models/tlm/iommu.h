// SPDX-License-Identifier: Apache-2.0
// The IOMMU as an sc_module: the cycle engine of models/timing between sockets. DMA comes in at dma(i), is cut at 4 KiB
// borders, translated, sent out at memory_dma and answered once, with the worst response of its pieces. Walks, queues
// and messages use memory_own. Software reaches the register page at registers. Level changes of interrupt wires are
// told to an InterruptLines. PCIe messages come and go at dma(i) too (message_extension.h). b_transport on dma waits in
// the pipeline like any request; transport_dbg has no side effects.
#pragma once

#include <memory>
#include <string>

#include "base/pool.h"
#include "timing/engine.h"
#include "tlm/initiator_port.h"
#include "tlm/iommu_functional.h"
#include "tlm/iommu_messages.h"
#include "tlm/iommu_params.h"
#include "tlm/payload_pool.h"
#include "tlm/target_port.h"
#include "tlm/timed_module.h"
#include "tlm/timed_ring.h"

namespace iommusim::bus {

/// Where the wires of an IOMMU end. Called from a process of the IOMMU or of who writes a register.
class InterruptLines {
 public:
  virtual ~InterruptLines() = default;
  virtual void set_level(unsigned vector, bool level) = 0;
};

class Iommu final : public TimedModule, TargetClient, InitiatorClient, translate::TranslationHolder {
 public:
  Iommu(const sc_core::sc_module_name& name, const IommuParams& params, unsigned dma_ports, std::uint64_t timing_seed,
        stats::Group& parent);

  TargetSocket& dma(unsigned index) { return dma_ports_[index]->target.socket; }
  TargetSocket& registers() { return register_port_.socket; }
  InitiatorSocket& memory_dma() { return forward_port_.socket; }
  InitiatorSocket& memory_own() { return own_port_.socket; }
  /// nullptr: nobody listens. Must outlive the simulation.
  void connect(InterruptLines* lines) { lines_ = lines; }

  /// Asked at each event from now on; nullptr: nothing is injected. Must outlive the simulation.
  void inject(timing::Injector* injector) {
    if (functional_)
      functional_->inject(injector);
    else
      engine_.inject(injector);
  }

  /// Translations, commands, faults, page requests and register accesses are told from now on (cycle mode). Must
  /// outlive the simulation.
  void record(record::Recorder& recorder);

  timing::Engine& engine() { return engine_; }
  const OutputOrder& order() const { return order_; }
  timing::EngineStats& statistics() { return engine_.stats(); }
  /// The cycle of the IOMMU's clock that simulated time has reached.
  base::Cycle cycle() const { return clock_.edge_at_or_after(now_ps()); }
  /// Nothing inside: no DMA, no command, no access of its own.
  bool idle() const;
  /// Memory accesses of its own that left so far, in either mode.
  std::uint64_t own_accesses() const {
    const timing::MemoryPortStats& port = engine_.stats().memory_port;
    return functional_ ? functional_->accesses() : port.issued.value() - port.injected.value();
  }
  std::string describe() const { return engine_.describe(); }

 private:
  /// A payload of a device while it is inside.
  struct Transfer {
    Payload* payload = nullptr;
    DmaExtension* dma = nullptr;  ///< of the payload
    std::uint64_t address = 0;    ///< of the next piece
    std::uint32_t port = 0;
    std::uint32_t bytes_left = 0;     ///< not handed to the engine yet
    std::uint32_t pieces_inside = 0;  ///< handed in and not done
    translate::Response worst = translate::Response::kSuccess;
    sc_core::sc_event* done = nullptr;  ///< of a blocking caller
  };
  static constexpr std::uint64_t kNoMark = ~0ULL;
  using TransferHandle = base::Handle<Transfer>;
  struct Piece {
    TransferHandle transfer{};
    std::uint32_t offset = 0;
    std::uint32_t bytes = 0;
    std::uint64_t spa = 0;
    timing::FenceTicket ticket{};
    translate::QosId qos{};
  };
  struct Incoming {
    TransferHandle transfer{};
    Picoseconds since = 0;
    Payload* message = nullptr;         ///< instead of a transfer
    sc_core::sc_event* done = nullptr;  ///< of a blocking caller of a message
    std::uint64_t mark = kNoMark;       ///< requests that the message must not overtake
  };
  struct DmaPort {
    DmaPort(const std::string& name, unsigned index, Iommu& iommu, std::size_t outstanding);
    unsigned index;
    TargetPort target;
    base::Ring<Incoming> incoming;
    base::Ring<TransferHandle> responses;
    std::deque<Payload*> messages;  ///< messages and credits to be answered
    TimedRing<Payload*> performed;  ///< functional mode: by the time of their answers
  };
  static constexpr unsigned kOwnPort = 0, kForwardPort = 1;

  bool request(unsigned port, Payload& payload, Picoseconds at) override;
  void response_taken(unsigned port, Payload& payload, Picoseconds at) override;
  void blocking(unsigned port, Payload& payload, sc_core::sc_time& delay) override;
  unsigned debug(unsigned port, Payload& payload) override;
  bool direct(unsigned port, Payload& payload, ::tlm::tlm_dmi& direct) override;
  void direct_revoked(unsigned port, std::uint64_t first, std::uint64_t last) override;
  void give_up_translations() override;
  void request_ended(unsigned port) override;
  void response(unsigned port, Payload& payload, Picoseconds at) override;
  Picoseconds work(Picoseconds now) override;

  /// A payload that waits in its port until take_waiting() finds room.
  bool refuse() {
    ++refused_;
    return false;
  }
  void push_incoming(unsigned port, Payload& payload, DmaExtension& dma, Picoseconds at, sc_core::sc_event* done);
  TransferHandle begin(unsigned port, Payload& payload, DmaExtension& dma, sc_core::sc_event* done);
  bool feed(Picoseconds now, base::Cycle cycle);
  bool feed_piece(DmaPort& port, base::Cycle cycle);
  bool drain(base::Cycle cycle);
  void send_forward(Picoseconds now);
  void send_piece();
  void send_in_turns(Picoseconds now);
  void send_own(Picoseconds now);
  PooledPayload& take_own();
  bool perform_own(base::Cycle cycle);
  void end_piece(std::uint32_t piece, translate::Response response);
  void record_piece(std::uint32_t piece);
  void record_register(const Payload& payload, std::uint64_t value);
  void send_responses();
  void take_waiting();
  bool may_exchange_messages() { return messages_waiting_ != 0 || messages_.armed() || !engine_.messages().empty(); }
  bool exchange_messages(Picoseconds now, base::Cycle cycle);
  bool take_message(DmaPort& port, base::Cycle cycle);
  void accept_message(unsigned port, Payload& payload, sc_core::sc_event* done);
  void send_messages_functionally(Picoseconds now);
  void answer_message(unsigned port, Payload& payload, sc_core::sc_event* done);
  void update_wires();
  /// Cycles from a register access to its effect.
  base::Cycle effect_cycles(const Payload& payload) const {
    const timing::RegisterParams& params = params_.engine.registers;
    return payload.is_write() ? params.write_effect_cycles() : params.access_cycles;
  }
  void access_register(Payload& payload, sc_core::sc_time& delay);
  void perform(DmaPort& port, Payload& payload, Picoseconds at);
  Picoseconds work_functionally();
  bool is_register_port(unsigned port) const { return port == dma_ports_.size(); }

  IommuParams params_;
  base::Clock clock_;
  timing::Engine engine_;
  std::vector<std::unique_ptr<DmaPort>> dma_ports_;
  TargetPort register_port_;
  InitiatorPort own_port_;
  InitiatorPort forward_port_;
  std::unique_ptr<IommuFunctional> functional_;  ///< in functional mode
  IommuMessages messages_;
  record::Recorder* recorder_ = nullptr;
  std::vector<timing::Finished> decided_;  ///< by piece, while there is a recorder
  std::uint64_t registers_recorded_ = 0;
  InterruptLines* lines_ = nullptr;
  std::uint16_t wires_ = 0;
  bool direct_granted_ = false;  ///< and not taken back since

  base::Pool<Transfer> transfers_;
  std::vector<Piece> pieces_;
  std::vector<std::uint32_t> free_pieces_;
  Picoseconds shared_free_at_ = 0;  ///< the port that own accesses and DMA share, if they do
  bool own_went_last_ = false;
  unsigned next_port_ = 0;  // round robin among the DMA ports
  // How many there are in all DMA ports together: most often there is no need to look.
  std::size_t refused_ = 0;
  std::size_t transfers_waiting_ = 0, messages_waiting_ = 0;  ///< incoming
  std::size_t responses_waiting_ = 0, answers_waiting_ = 0;   ///< responses, messages
  PayloadPool forward_pool_{0};
  PayloadPool own_pool_{64};
  base::Ring<std::uint32_t> to_forward_;
  OutputOrder order_;
  TimedRing<PooledPayload*> own_answers_;
  TimedRing<PooledPayload*> forward_answers_;
  TimedRing<Payload*> register_accesses_;  ///< by the time of their effect
  TimedRing<Payload*> register_done_;      ///< by the time of their answer
  base::Ring<Payload*> register_responses_;
};

}  // namespace iommusim::bus
