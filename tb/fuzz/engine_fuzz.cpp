// SPDX-License-Identifier: Apache-2.0
// The cycle engine with any micro-architecture. Tame inputs are environments whose software behaves: the answers are
// those of the functional engine. Wild inputs mix requests, register accesses and stores at any time: the engine comes
// to rest, every request is answered once, and the identities of the statistics hold.
#include "twins.h"
#include "world.h"

namespace translate = iommusim::translate;
namespace timing = iommusim::timing;
namespace stats = iommusim::stats;
namespace spec = iommusim::spec;
namespace base = iommusim::base;
using iommusim::fuzz::Choices;

namespace {

constexpr unsigned kPhases = 12;
constexpr unsigned kOperations = 400;
constexpr std::uint64_t kPages = 8;

void run_tame(Choices& choices) {
  const unsigned levels = 1 + choices.below(3);
  const timing::EngineParams params = timing::test::random_engine(choices);
  timing::test::Twins twins(params, timing::test::random_driver(choices), levels);
  timing::test::Environment environment(choices, twins.machine, levels);
  twins.copy_memory();
  for (unsigned phase = 0; phase < kPhases && !choices.empty(); ++phase) {
    std::vector<translate::Request> requests;
    const unsigned count = choices.below(24);
    for (unsigned i = 0; i < count; ++i) requests.push_back(environment.request());
    twins.translate(requests);
    const std::vector<timing::test::Command> commands = environment.mutate();
    twins.copy_memory();
    for (const timing::test::Command& command : commands) twins.command(command);
  }
}

spec::Implementation supported_implementation(Choices& choices) {
  spec::Implementation implementation = iommusim::fuzz::random_implementation(choices);
  implementation.ats = implementation.t2gpa = implementation.dbg = implementation.hpm = false;
  implementation.num_hpm = 0;
  return implementation;
}

/// Memory of a few pages that hold the queues, the directory and the tables at once.
class Wild {
 public:
  explicit Wild(Choices& choices)
      : choices_(choices),
        engine_(timing::test::random_engine(choices), supported_implementation(choices), 1, root_),
        driver_(engine_, memory_, timing::test::random_driver(choices)) {}

  void run() {
    for (unsigned i = 0; i < kOperations && !choices_.empty(); ++i) operation();
    for (unsigned events = 0; driver_.advance(); ++events)
      base::ensure(events < timing::test::Twins::kMaxEvents, "the cycle engine does not come to rest");
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
  void operation() {
    switch (choices_.below(8)) {
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
        translate::Request request = iommusim::fuzz::random_request(choices_, choices_.byte(), iova);
        if (request.type == translate::AddressType::kAtsRequest) request.type = translate::AddressType::kTranslated;
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
    run_tame(choices);
  } else {
    Wild(choices).run();
  }
  return 0;
}
