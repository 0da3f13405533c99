// SPDX-License-Identifier: Apache-2.0
// The cycle engine with any micro-architecture and any implementation. Tame inputs are the cases of the differential
// law, whose software behaves: the answers are those of the functional engine. Wild inputs mix requests, messages,
// register accesses and stores at any time: the engine comes to rest, every request is answered once, and the
// identities of the statistics hold.
#include "differential_case.h"
#include "world.h"

namespace translate = iommusim::translate;
namespace timing = iommusim::timing;
namespace stats = iommusim::stats;
namespace spec = iommusim::spec;
namespace base = iommusim::base;
using iommusim::fuzz::Choices;

namespace {

constexpr unsigned kOperations = 400;
constexpr std::uint64_t kPages = 8;

/// Memory of a few pages that hold the queues, the directory and the tables at once.
class Wild {
 public:
  explicit Wild(Choices& choices)
      : choices_(choices),
        engine_(timing::test::random_engine(choices), iommusim::fuzz::random_implementation(choices), 1, root_),
        driver_(engine_, memory_, timing::test::random_driver(choices)) {}

  void run() {
    for (unsigned i = 0; i < kOperations && !choices_.empty(); ++i) operation();
    for (unsigned events = 0; driver_.advance(); ++events)
      base::ensure(events < timing::test::CycleTwin::kMaxEvents, "the cycle engine does not come to rest");
    driver_.run_until_idle();
    stats::check_identities(root_);
    base::ensure(driver_.finished().size() == offered_, "not every request was answered once");
    std::vector<bool> seen(offered_);
    for (const timing::Finished& done : driver_.finished()) {
      base::ensure(!seen.at(done.cookie), "a request was answered twice");
      seen[done.cookie] = true;
    }
  }

 private:
  std::uint64_t address() { return choices_.below(kPages * 512) * 8ULL; }
  std::uint64_t value() {
    const std::uint64_t low = choices_.number(2);
    return choices_.flag() ? choices_.number(8) : (choices_.below(kPages) << 10) | (low & 0x1ff);
  }
  translate::PageRequest page_request() {
    translate::PageRequest request;
    request.function.rid = choices_.byte();
    request.process_valid = choices_.flag();
    if (request.process_valid) request.process = base::ProcessId(choices_.byte());
    request.payload = choices_.number(8);
    return request;
  }
  /// A completion of what may not have been asked for, or the end of the wait.
  void answer() {
    translate::InvalidationCompletion message;
    message.function.rid = choices_.byte();
    message.itag_vector = choices_.byte();
    message.count = choices_.byte() % 8;
    if (choices_.flag())
      driver_.invalidation_completion(message);
    else
      driver_.invalidation_time_out(message.itag_vector);
  }
  void operation() {
    switch (choices_.below(10)) {
      case 8:
        driver_.page_request(page_request());
        return;
      case 9:
        return answer();
      case 0:
      case 1:
        return memory_.store(address(), value());
      case 2:
      case 3: {
        const spec::RegisterInfo& info = choices_.pick(spec::kRegisters);
        const std::uint32_t offset = info.offset + choices_.below(info.count) * info.stride;
        return driver_.write_register(offset, info.bytes, value());
      }
      case 4:
      case 5:
      case 6: {
        const std::uint64_t iova = choices_.flag() ? address() : choices_.number(8);
        const translate::Request request = iommusim::fuzz::random_request(choices_, choices_.byte(), iova);
        if (driver_.offer(request, offered_)) ++offered_;
        return;
      }
      default:
        driver_.advance(driver_.now() + choices_.below(200));
        if (choices_.one_in(8)) memory_.failing[address()] = translate::MemoryStatus::kAccessFault;
    }
  }

  Choices& choices_;
  translate::test::SparseMemory memory_;
  stats::Group root_{"wild"};
  timing::Engine engine_;
  timing::PlainDriver driver_;
  std::uint64_t offered_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  if (choices.flag()) {
    timing::test::Coverage coverage;
    using timing::test::DifferentialCase;
    const auto against =
        choices.one_in(4) ? DifferentialCase::Against::kCaches : DifferentialCase::Against::kCycleEngine;
    DifferentialCase(choices, coverage, against).run();
  } else {
    Wild(choices).run();
  }
  return 0;
}
