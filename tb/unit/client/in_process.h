// SPDX-License-Identifier: Apache-2.0
// The client library bound to a stack in this process: its system calls go to a table of descriptors, a mock IOMMU
// translates, and a PCI test device moves the program's real memory. A transfer that faults asks for the page, if a
// fault queue is attached, and is tried again when the answer has come and the program looks at the command register.
#pragma once

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "../../programs/shim/host_process.h"
#include "drivers/mock_device.h"
#include "drivers/mock_iommu.h"
#include "hal/file_table.h"
#include "hal/thread_os.h"
#include "ioc.h"
#include "iommufd/context_file.h"
#include "vfio/registry.h"

namespace iommusim::client {

class TestDevice final : public vfio::PciFunction {
 public:
  explicit TestDevice(hal::Memory& memory) : memory_(memory) {
    identity_.vendor = 0x1234;
    identity_.device = 0x11E9;
    identity_.bars[0].bytes = 4096;
    identity_.bars[0].mappable = true;
    identity_.msi_vectors = 1;
  }
  void set_hardware(drivers::MockDevice& hardware) { hardware_ = &hardware; }

  const vfio::PciIdentity& identity() const override { return identity_; }
  std::uint64_t bar_read(unsigned, std::uint64_t offset, unsigned) override {
    if (offset == 8 && waiting_ && hardware_->answers(domain::PageAnswer::kSuccess) != answers_) move();
    return offset == 0 ? address_ : offset == 8 ? command_ : 0;
  }
  void bar_write(unsigned, std::uint64_t offset, unsigned bytes, std::uint64_t value) override {
    if (offset == 0) address_ = bytes == 8 ? value : (address_ & ~0xFFFF'FFFFULL) | value;
    if (offset == 4) address_ = (address_ & 0xFFFF'FFFF) | value << 32;
    if (offset != 8 || (value & 1) == 0) return;
    command_ = value & 3;
    move();
  }
  void set_bus_master(bool on) override { bus_master_ = on; }
  void connect(vfio::PciInterruptSink* sink) override { sink_ = sink; }
  void reset() override { address_ = command_ = 0, waiting_ = false; }

 private:
  void move() {
    waiting_ = false;
    const bool from_memory = (command_ & 2) != 0;
    std::uint64_t spa = 0;
    if (!bus_master_ || !hardware_->access(address_, !from_memory, spa)) return fault(from_memory);
    if (from_memory)
      memory_.read(spa, buffer_.data(), buffer_.size());
    else
      memory_.write(spa, buffer_.data(), buffer_.size());
    end();
  }
  void fault(bool from_memory) {
    domain::PageFaultGroup group;
    domain::PageFault page;
    page.iova = address_;
    (from_memory ? page.read : page.write) = true;
    group.pages.push_back(page);
    answers_ = hardware_->answers(domain::PageAnswer::kSuccess);
    waiting_ = bus_master_;
    if (!waiting_) return end();
    hardware_->request_pages(group);
  }
  void end() {
    command_ = 0;
    if (sink_) sink_->message(0);
  }

  hal::Memory& memory_;
  drivers::MockDevice* hardware_ = nullptr;
  vfio::PciIdentity identity_;
  vfio::PciInterruptSink* sink_ = nullptr;
  std::array<unsigned char, 4096> buffer_{};
  std::uint64_t address_ = 0, command_ = 0, answers_ = 0;
  bool bus_master_ = false, waiting_ = false;
};

struct InProcess {
  InProcess() {
    drivers::MockDeviceOptions options;
    options.group = 1;
    options.pasid_width = 20;
    options.capabilities.insert(
        {domain::Capability::kDirtyTracking, domain::Capability::kPageRequests, domain::Capability::kPasid});
    drivers::MockDevice& hardware = iommu.add_device(options);
    function.set_hardware(hardware);
    registry.add("0000:00:04.0", function, hardware);
  }
  ~InProcess() {
    for (int fd = 3; files.open_count() != 0; ++fd) files.close(fd);
  }

  static drivers::MockOptions programmable() {
    drivers::MockOptions options;
    options.programmable = true;
    return options;
  }
  static InProcess& of(void* self) { return *static_cast<InProcess*>(self); }
  static std::uint64_t address(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

  int open(const std::string& path) {
    std::shared_ptr<hal::File> file;
    int error = -ENOENT, fd = -1;
    if (path == "/dev/iommu") {
      file = std::make_shared<iommufd::ContextFile>("/dev/iommu", iommufd::Context::open(host));
      error = 0;
    } else if (path == "/dev/vfio/devices/vfio0") {
      error = registry.open_device(0, file);
    }
    if (!error) error = files.install(std::move(file), fd);
    return error ? error : fd;
  }
  int make_event() {
    int fd = -1;
    const int error = files.install(std::make_shared<hal::EventFile>(), fd);
    return error ? error : fd;
  }

  hal::ThreadOs os;
  programs::HostMemory memory;
  iommufd::Host host{os, memory};
  drivers::MockIommu iommu{os, programmable()};
  TestDevice function{memory};
  vfio::Registry registry{host};
  hal::FileTable files{os};
  programs::HostProcess process{memory, files};
  const ioc_system system{
      this,
      [](void* self, const char* path) { return of(self).open(path); },
      [](void* self, int fd) { return of(self).files.close(fd); },
      [](void* self, int fd, unsigned long command, void* argument) {
        return static_cast<int>(
            of(self).files.ioctl(of(self).process, fd, static_cast<std::uint32_t>(command), address(argument)));
      },
      [](void* self, int fd, void* to, size_t bytes) -> ssize_t {
        return of(self).files.read(of(self).process, fd, address(to), bytes);
      },
      [](void* self, int fd, const void* from, size_t bytes) -> ssize_t {
        return of(self).files.write(of(self).process, fd, address(from), bytes);
      },
      [](void* self, int fd, void* to, size_t bytes, std::uint64_t position) -> ssize_t {
        return of(self).files.pread(of(self).process, fd, address(to), bytes, position);
      },
      [](void* self, int fd, const void* from, size_t bytes, std::uint64_t position) -> ssize_t {
        return of(self).files.pwrite(of(self).process, fd, address(from), bytes, position);
      },
      [](void*, int, std::uint64_t, size_t, void**) { return -ENODEV; },  // registers: by pread and pwrite
      [](void*, void*, size_t) { return -EINVAL; },
      [](void* self) { return of(self).make_event(); },
  };
};

}  // namespace iommusim::client
