// SPDX-License-Identifier: Apache-2.0
// Any sequence of register accesses, requests, messages and words of memory on a functional engine of any
// implementation: every operation ends within a bounded number of memory accesses, and the registers keep their rules.
#include "world.h"

namespace translate = iommusim::translate;
namespace spec = iommusim::spec;
namespace base = iommusim::base;
using iommusim::fuzz::BoundedMemory;
using iommusim::fuzz::Choices;

namespace {

struct Discard : translate::MessagePort {
  void send(const translate::DeviceMessage& /*message*/) override {}
};

/// A command moves the head by one entry at most, and what lies in memory was written byte by byte by the input.
constexpr unsigned kAccessesAnOperation = 20000;
constexpr unsigned kOperations = 400;
constexpr std::uint64_t kPages = 8;  ///< memory that the input fills and that registers point to

class Play {
 public:
  explicit Play(Choices& choices)
      : choices_(choices),
        registers_(iommusim::fuzz::random_implementation(choices)),
        memory_(kAccessesAnOperation),
        engine_(registers_, memory_, &discard_) {}

  void run() {
    const std::uint64_t capabilities = registers_.read(spec::kCapabilitiesOffset, 8);
    for (unsigned i = 0; i < kOperations && !choices_.empty(); ++i) {
      memory_.begin();
      operation();
      base::ensure(registers_.read(spec::kCapabilitiesOffset, 8) == capabilities, "capabilities changed");
      check();
    }
  }

 private:
  std::uint64_t address() { return choices_.below(kPages * 512) * 8ULL; }
  std::uint32_t offset() {
    const spec::RegisterInfo& info = choices_.pick(spec::kRegisters);
    if (choices_.one_in(16)) return static_cast<std::uint32_t>(choices_.number(2)) % 8192;
    return info.offset + choices_.below(info.count) * info.stride;
  }
  unsigned width() {
    constexpr unsigned kWidths[] = {8, 4, 8, 4, 8, 4, 2, 1};
    return choices_.pick(kWidths);
  }
  /// A page in reach half of the time.
  std::uint64_t value() {
    const std::uint64_t value = choices_.number(choices_.flag() ? 8 : 2);
    return choices_.flag() ? value : (choices_.below(kPages) << 10) | (value & 0x1f);
  }
  void operation() {
    switch (choices_.below(9)) {
      case 0:
      case 1:
      case 2: {
        const std::uint32_t where = offset();
        const unsigned bytes = width();
        return engine_.write_register(where, bytes, value());
      }
      case 3:
        return memory_.store(address(), choices_.number(8));
      case 4:
        return memory_.store(address(), value());
      case 5: {
        const std::uint64_t iova = choices_.flag() ? address() : choices_.number(8);
        engine_.translate(
            iommusim::fuzz::random_request(choices_, static_cast<std::uint32_t>(choices_.number(1)), iova));
        return;
      }
      case 6: {
        if (!registers_.implementation().ats) return;
        translate::PageRequest request;
        request.function.rid = choices_.byte();
        request.payload = choices_.number(8);
        return engine_.page_request(request);
      }
      case 7: {
        if (!registers_.implementation().ats) return;
        translate::InvalidationCompletion message;
        message.function.rid = choices_.byte();
        message.itag_vector = static_cast<std::uint32_t>(choices_.number(4));
        message.count = choices_.byte() % 8;
        if (choices_.flag())
          engine_.invalidation_time_out(message.itag_vector);
        else
          engine_.invalidation_completion(message);
        return;
      }
      default:
        memory_.failing[address()] =
            choices_.flag() ? translate::MemoryStatus::kAccessFault : translate::MemoryStatus::kCorrupt;
        if (memory_.failing.size() > 4) memory_.failing.clear();
    }
  }
  std::uint64_t read32(std::uint32_t offset) const { return registers_.read(offset, 4); }
  /// A new base cuts software's index (IOMMU 5.6); the hardware's is that of the old queue until the new one is
  /// enabled.
  void check_queue(std::uint32_t base_offset, std::uint32_t software, std::uint32_t hardware, std::uint32_t csr) const {
    const std::uint64_t entries = 2ULL << spec::cqb::kLog2sz1.get(registers_.read(base_offset, 8));
    const bool on = spec::cqcsr::kCqon.is_set(read32(csr));
    base::ensure(read32(software) < entries && (!on || read32(hardware) < entries), "an index out of its queue");
  }
  /// IOMMU 5: indexes stay within their queues, ddtp holds a mode that exists, nothing is busy once an access is over.
  void check() {
    check_queue(spec::kCqbOffset, spec::kCqtOffset, spec::kCqhOffset, spec::kCqcsrOffset);
    check_queue(spec::kFqbOffset, spec::kFqhOffset, spec::kFqtOffset, spec::kFqcsrOffset);
    check_queue(spec::kPqbOffset, spec::kPqhOffset, spec::kPqtOffset, spec::kPqcsrOffset);
    const auto mode = spec::ddtp::kIommuMode.get(registers_.read(spec::kDdtpOffset, 8));
    base::ensure(mode <= static_cast<std::uint64_t>(spec::DdtMode::k3Lvl), "a reserved directory mode");
    base::ensure(!registers_.ddtp_busy() && !registers_.fault_queue_busy(), "still busy");
    base::ensure(read32(spec::kIpsrOffset) < 16, "an interrupt that does not exist");
    base::ensure(registers_.wire_interrupts() || registers_.wires() == 0, "a wire without fctl.WSI");
  }

  Choices& choices_;
  translate::Registers registers_;
  BoundedMemory memory_;
  Discard discard_;
  translate::FunctionalEngine engine_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  Play(choices).run();
  return 0;
}
