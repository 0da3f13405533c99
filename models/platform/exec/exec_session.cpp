// SPDX-License-Identifier: Apache-2.0
#include "platform/exec/exec_session.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "platform/results.h"

namespace iommusim::platform {

namespace {

/// The core charges calls of a context that have a row; the others are charged here.
bool is_charged(const char* file, std::uint32_t command) {
  return (std::strcmp(file, "/dev/iommu") == 0 || std::strcmp(file, "/dev/vfio/vfio") == 0) &&
         uapi::find_iommu_ioctl(command) != nullptr;
}

}  // namespace

class ExecSession::Record final : public IoctlRecord {
 public:
  Record(ExecSession& session, const char* file, std::uint32_t command, std::uint64_t argument)
      : session_(session), start_ps_(session.machine_->driver().now_ps()) {
    if (session.log_) call_ = IoctlLog::begin(file, command, argument);
    if (!is_charged(file, command)) session.machine_->charge_call();
  }
  void ended(std::int64_t result) override {
    if (session_.finished_.load()) return;
    const std::uint64_t end_ps = session_.machine_->driver().now_ps();
    if (session_.log_) session_.log_->end(call_, result, start_ps_, end_ps, static_cast<int>(syscall(SYS_gettid)));
  }

 private:
  ExecSession& session_;
  const std::uint64_t start_ps_;
  IoctlLog::Call call_;
};

ExecSession::ExecSession(ExecOptions options, const ExecRam& ram, std::function<void(std::exception_ptr)> on_failure)
    : options_(std::move(options)) {
  if (!options_.output.empty()) check_results_folder(options_.output);
  if (!options_.output.empty()) make_results_folder(options_.output);
  if (!options_.ioctl_log.empty()) log_ = std::make_unique<IoctlLog>(options_.ioctl_log);
  machine_ = options_.file->located(
      [&] { return std::make_unique<ExecMachine>(options_.params(), ram, std::move(on_failure)); });
}

std::unique_ptr<IoctlRecord> ExecSession::ioctl_begins(const char* file, std::uint32_t command,
                                                       std::uint64_t argument) {
  return std::make_unique<Record>(*this, file, command, argument);
}

void ExecSession::finish() {
  if (finished_.exchange(true)) return;
  machine_->finish(false);
  if (log_) log_->close();
  if (!options_.output.empty()) machine_->write_results(options_.output);
}

}  // namespace iommusim::platform
