// SPDX-License-Identifier: Apache-2.0
// The simulated hardware behind the preload library.
#include "preload/simulated_machine.h"

#include <unistd.h>

#include <cstdio>

#include "base/error.h"
#include "platform/exec/exec_options.h"
#include "platform/exec/exec_session.h"
#include "selftest/test_command.h"

namespace iommusim::preload {
namespace {

/// Nothing of the simulation can go on; the program would wait for ever.
void end_process(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "iommusim exec: %s\n", error.what());
  } catch (...) {
    std::fputs("iommusim exec: the simulation failed\n", stderr);
  }
  _exit(1);
}

class SimulatedMachine final : public Machine {
 public:
  SimulatedMachine(const Ram& ram, const std::vector<std::string>& arguments)
      : session_(platform::ExecOptions(arguments), {ram.base, ram.user_start, ram.bytes}, end_process) {
    for (const platform::ExecMachine::Slot& slot : session_.machine().slots())
      slots_.push_back({slot.function->slot().address, slot.function, slot.device});
    platform::Kernel& kernel = session_.machine().kernel();
    test_command_ = selftest::TestCommand::make(kernel.os(), kernel.memory(), kernel.frames());
    host().extra = test_command_.get();
  }

  iommufd::Host& host() override { return session_.machine().host(); }
  const std::vector<PciSlot>& slots() const override { return slots_; }
  void call_begins() override { session_.machine().driver().call_begins(); }
  void call_ends() override { session_.machine().driver().call_ends(); }
  std::unique_ptr<CallRecord> ioctl_begins(const char* file, std::uint32_t command, std::uint64_t argument) override {
    class Record final : public CallRecord {
     public:
      explicit Record(std::unique_ptr<platform::IoctlRecord> record) : record_(std::move(record)) {}
      void ended(std::int64_t result) override { record_->ended(result); }

     private:
      std::unique_ptr<platform::IoctlRecord> record_;
    };
    return std::make_unique<Record>(session_.ioctl_begins(file, command, argument));
  }
  void finish() override { session_.finish(); }

 private:
  platform::ExecSession session_;
  std::unique_ptr<selftest::TestCommand> test_command_;  ///< mock devices beside the simulated ones
  std::vector<PciSlot> slots_;
};

}  // namespace

std::unique_ptr<Machine> make_simulated_machine(const Ram& ram, hal::Memory&,
                                                const std::vector<std::string>& arguments) {
  return std::make_unique<SimulatedMachine>(ram, arguments);
}

std::vector<SlotDescription> simulated_slots(const std::vector<std::string>& arguments) {
  std::vector<SlotDescription> slots;
  for (const platform::ExecSlot& slot : platform::ExecOptions(arguments).slots())
    slots.push_back({slot.address, slot.identity, slot.id});
  return slots;
}

}  // namespace iommusim::preload
