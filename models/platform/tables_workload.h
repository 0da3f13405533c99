// SPDX-License-Identifier: Apache-2.0
// Devices in a system that begins with tables: the constructor lays their windows into the tables, nothing is mapped or
// unmapped later, and no program is there but to wait for the end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "devices/generator.h"
#include "devices/packets.h"
#include "platform/atc_slot.h"
#include "platform/tables.h"
#include "platform/workload.h"

namespace iommusim::platform {

class TablesWorkload : public Workload {
 public:
  void open(Kernel& kernel) final;
  void run(Kernel& kernel) final;
  void close(Kernel&) final { stop(); }
  std::uint64_t buffer_digest() const final { return 0; }

 protected:
  virtual void start(std::function<void()> done) = 0;
  virtual void stop() {}

 private:
  std::unique_ptr<hal::Mutex> lock_;
  std::unique_ptr<hal::WaitQueue> changed_;
  bool finished_ = false;
};

class GeneratorOnTables final : public TablesWorkload {
 public:
  /// `buffer` is the offset of its buffers among those of all devices.
  GeneratorOnTables(const std::string& name, const DeviceParams& params, const SystemParams& system, Tables& tables,
                    std::uint64_t buffer, stats::Group& parent);

  std::vector<bus::InitiatorSocket*> sockets() override { return {&atc_.socket()}; }
  std::vector<std::string> port_names() const override { return {name_}; }
  std::string device_name() const override { return name_; }
  std::vector<std::vector<std::uint32_t>> functions() const override { return {{generator_.device().value}}; }
  double progress() const override;
  devices::Digest digest() const override { return generator_.digest(); }
  std::uint64_t transfers() const override;
  std::uint64_t failed_transfers() const override { return generator_.master().statistics().failed.value(); }
  std::uint64_t bytes_moved() const override;

 private:
  void check_peer(const std::string& path, const DeviceParams& params, const SystemParams& system) const;
  void start(std::function<void()> done) override;
  void stop() override { atc_.disable(); }

  std::string name_;
  std::uint64_t count_;
  bool ats_;
  devices::Generator generator_;
  AtcSlot atc_;
  std::uint64_t base_ = 0;  ///< what the device calls the first byte of its windows
};

/// A function each tenant, all with the same IOVAs, each with pages of its own behind them.
class PacketsOnTables final : public TablesWorkload {
 public:
  PacketsOnTables(const std::string& name, const DeviceParams& params, const SystemParams& system, Tables& tables,
                  std::uint64_t buffer, stats::Group& parent);
  /// Bytes of buffers that it needs.
  static std::uint64_t buffer_bytes(const devices::PacketsParams& params);

  std::vector<bus::InitiatorSocket*> sockets() override { return {&atc_.socket()}; }
  std::vector<std::string> port_names() const override { return {name_}; }
  std::string device_name() const override { return name_; }
  double progress() const override;
  devices::Digest digest() const override { return packets_.digest(); }
  std::uint64_t transfers() const override;
  std::uint64_t failed_transfers() const override { return packets_.master().statistics().failed.value(); }
  std::uint64_t bytes_moved() const override;

 private:
  void start(std::function<void()> done) override;
  void stop() override { atc_.disable(); }

  std::string name_;
  std::uint64_t packets_in_all_;
  devices::Packets packets_;
  AtcSlot atc_;
};

}  // namespace iommusim::platform
