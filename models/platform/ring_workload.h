// SPDX-License-Identifier: Apache-2.0
// A device with rings and its driver: what kinds nic and nvme share. The driver has a thread for each queue; run() ends
// when all of them have; what the queues did is counted when they are closed.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "domain/errno_name.h"
#include "platform/checks.h"
#include "platform/driver_seat.h"
#include "platform/driver_stats.h"
#include "platform/kernel.h"
#include "platform/workload.h"
#include "tlm/failure.h"

namespace iommusim::platform {

inline drivers::rings::BufferOptions buffer_options_of(const DriverParams& driver, std::uint32_t pages,
                                                       unsigned queue) {
  drivers::rings::BufferOptions out;
  out.mapping = driver.mapping;
  out.scattered = driver.layout == BufferLayout::kScattered;
  out.pages = pages;
  out.count = driver.buffers;
  out.wrong_every = driver.wrong_every;
  out.cpu = queue;
  return out;
}

template <class Device, class Queue>
class RingWorkload : public Workload {
 public:
  std::vector<bus::InitiatorSocket*> sockets() override { return {&device_.socket()}; }
  std::vector<std::string> port_names() const override { return {name_}; }
  std::string device_name() const override { return name_; }
  std::vector<std::vector<std::uint32_t>> functions() const override { return {{device_.device().value}}; }
  std::uint64_t buffer_digest() const override { return 0; }
  std::uint64_t transfers() const override {
    return device_.master().statistics().completed.value() + failed_transfers();
  }
  std::uint64_t failed_transfers() const override { return device_.master().statistics().failed.value(); }
  std::uint64_t bytes_moved() const override {
    const auto& stats = device_.master().statistics();
    return stats.bytes_read.value() + stats.bytes_written.value();
  }

 protected:
  /// `buffer` is the offset of the driver's memory among that of all programs.
  template <class Hardware>
  RingWorkload(const std::string& name, const DeviceParams& params, const Hardware& hardware,
               const SystemParams& system, std::uint32_t queues, std::uint64_t buffer, stats::Group& parent)
      : name_(name),
        params_(params),
        device_(name.c_str(), hardware, parent),
        seat_(name, params.driver, system, queues, buffer),
        stats_(parent, name + "_driver") {
    seat_.mmio().socket.bind(device_.registers());
    device_.connect(&seat_);
  }

  void take_seat(Kernel& kernel, const std::string& bdf_parameter) {
    lock_ = kernel.os().make_mutex();
    changed_ = kernel.os().make_wait_queue();
    seat_.open(kernel, device_.device(), "devices." + name_ + bdf_parameter);
  }
  /// The next queue; 0 or an errno.
  int open_queue(std::unique_ptr<Queue> queue) {
    Queue& opened = *queue;
    seat_.interrupts().set_handler(static_cast<unsigned>(queues_.size()), [&opened] { opened.interrupt(); });
    queues_.push_back(std::move(queue));
    return opened.open();
  }
  /// ParameterError unless `error` is 0.
  void expect_open(int error, const char* what) const {
    if (error != 0)
      throw ParameterError("devices." + name_ + ".driver", std::string(what) + ": " + domain::errno_name(error) +
                                                               ", expected IOVAs inside what the IOMMU can hold");
  }
  void serve_queues(Kernel& kernel) {
    running_ = queues_.size();
    for (auto& queue : queues_)
      kernel.os().start_thread(name_ + "_queue", [this, served = queue.get()] {
        bus::guarded([&] {
          if (!served->run()) ++stats_.stopped;
        });
        --running_;
        changed_->wake_all();
      });
    std::unique_lock<hal::Mutex> guard(*lock_);
    while (running_ != 0) changed_->wait(*lock_);
  }
  void close_queues() {
    for (auto& queue : queues_) {
      queue->close();
      for (const drivers::rings::BufferPool* const pool : queue->pools()) {
        stats_.maps += pool->maps();
        stats_.unmaps += pool->unmaps();
        stats_.wrong += pool->wrong();
      }
      stats_.interrupts += queue->waits().interrupts();
      stats_.polls += queue->waits().turns();
    }
  }
  void leave_seat() {
    seat_.close();
    queues_.clear();
  }

  std::string name_;
  DeviceParams params_;
  Device device_;
  DriverSeat seat_;
  DriverStats stats_;

 private:
  std::vector<std::unique_ptr<Queue>> queues_;
  std::unique_ptr<hal::Mutex> lock_;
  std::unique_ptr<hal::WaitQueue> changed_;
  std::size_t running_ = 0;
};

}  // namespace iommusim::platform
