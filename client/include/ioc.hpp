// SPDX-License-Identifier: Apache-2.0
// The same in C++: objects that close themselves, and std::system_error in place of error codes.
#pragma once

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "ioc.h"

namespace ioc {

/// Throws for a negative result, else gives it back.
inline int check(int result, const char* what) {
  if (result < 0) throw std::system_error(-result, std::generic_category(), what);
  return result;
}

/// An open of /dev/iommu. Outlives everything made with it.
class Context {
 public:
  explicit Context(const ioc_system* system = nullptr) {
    ioc_context* opened = nullptr;
    check(ioc_open(system, &opened), "/dev/iommu");
    handle_.reset(opened);
  }
  ioc_context* get() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(ioc_context* handle) const { ioc_close(handle); }
  };
  std::unique_ptr<ioc_context, Close> handle_;
};

/// An object of the kernel that DESTROY removes: an address space, a page table.
class Object {
 public:
  Object() = default;
  Object(const Context& context, std::uint32_t id) : context_(context.get()), id_(id) {}
  Object(Object&& other) noexcept : context_(other.context_), id_(std::exchange(other.id_, 0)) {}
  Object& operator=(Object&& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~Object() {
    if (id_ != 0) ioc_destroy(context_, id_);
  }
  std::uint32_t id() const { return id_; }

 protected:
  ioc_context* context_ = nullptr;
  std::uint32_t id_ = 0;
};

class Mapping;

/// An I/O address space.
class AddressSpace : public Object {
 public:
  explicit AddressSpace(const Context& context) : Object(context, alloc(context)) {}
  Mapping map(void* memory, std::uint64_t bytes, unsigned access = IOC_READ | IOC_WRITE);
  Mapping map_at(void* memory, std::uint64_t bytes, std::uint64_t iova, unsigned access = IOC_READ | IOC_WRITE);

 private:
  static std::uint32_t alloc(const Context& context) {
    std::uint32_t id = 0;
    check(ioc_ioas_alloc(context.get(), &id), "IOAS_ALLOC");
    return id;
  }
};

/// Memory that devices reach while this lives. Ends before its address space.
class Mapping {
 public:
  Mapping(ioc_context* context, std::uint32_t ioas, std::uint64_t iova, std::uint64_t bytes)
      : context_(context), ioas_(ioas), iova_(iova), bytes_(bytes) {}
  Mapping(Mapping&& other) noexcept
      : context_(other.context_), ioas_(other.ioas_), iova_(other.iova_), bytes_(std::exchange(other.bytes_, 0)) {}
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping() {
    if (bytes_ != 0) ioc_unmap(context_, ioas_, iova_, bytes_, nullptr);
  }
  std::uint64_t iova() const { return iova_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  ioc_context* context_;
  std::uint32_t ioas_;
  std::uint64_t iova_;
  std::uint64_t bytes_;
};

inline Mapping AddressSpace::map(void* memory, std::uint64_t bytes, unsigned access) {
  std::uint64_t iova = 0;
  check(ioc_map(context_, id_, memory, bytes, access, &iova), "IOAS_MAP");
  return Mapping(context_, id_, iova, bytes);
}

inline Mapping AddressSpace::map_at(void* memory, std::uint64_t bytes, std::uint64_t iova, unsigned access) {
  check(ioc_map_at(context_, id_, memory, bytes, access, iova), "IOAS_MAP");
  return Mapping(context_, id_, iova, bytes);
}

/// A bound character device.
class Device {
 public:
  Device(const Context& context, const std::string& path) {
    ioc_device* opened = nullptr;
    check(ioc_device_open(context.get(), path.c_str(), &opened), path.c_str());
    handle_.reset(opened);
  }
  ioc_device* get() const { return handle_.get(); }
  std::uint32_t id() const { return ioc_device_id(get()); }

  /// The page table in use.
  std::uint32_t attach(const Object& pt) {
    std::uint32_t hwpt = 0;
    check(ioc_attach(get(), pt.id(), &hwpt), "ATTACH");
    return hwpt;
  }
  void detach() { check(ioc_detach(get()), "DETACH"); }
  void bus_master(bool on) { check(ioc_bus_master(get(), on), "command register"); }
  std::uint32_t read32(unsigned bar, std::uint64_t offset) { return ioc_read32(get(), bar, offset); }
  void write32(unsigned bar, std::uint64_t offset, std::uint32_t value) { ioc_write32(get(), bar, offset, value); }
  std::uint64_t read64(unsigned bar, std::uint64_t offset) { return ioc_read64(get(), bar, offset); }
  void write64(unsigned bar, std::uint64_t offset, std::uint64_t value) { ioc_write64(get(), bar, offset, value); }

 private:
  struct Close {
    void operator()(ioc_device* handle) const { ioc_device_close(handle); }
  };
  std::unique_ptr<ioc_device, Close> handle_;
};

/// A page table of one's own for a device's DMA.
class PageTable : public Object {
 public:
  PageTable(const Context& context, const Device& device, const AddressSpace& space, unsigned flags = 0,
            std::uint32_t fault = 0)
      : Object(context, alloc(context, device, space, flags, fault)) {}

  void track_dirty(bool on) { check(ioc_dirty_track(context_, id_, on), "SET_DIRTY_TRACKING"); }
  /// One bit a page from `iova` on, 64 in a word.
  std::vector<std::uint64_t> dirty(std::uint64_t iova, std::uint64_t bytes, std::uint64_t page_size = 4096,
                                   unsigned flags = 0) {
    std::vector<std::uint64_t> bitmap((bytes / page_size + 63) / 64);
    check(ioc_dirty_read(context_, id_, iova, bytes, page_size, bitmap.data(), flags), "GET_DIRTY_BITMAP");
    return bitmap;
  }

 private:
  static std::uint32_t alloc(const Context& context, const Device& device, const AddressSpace& space, unsigned flags,
                             std::uint32_t fault) {
    std::uint32_t id = 0;
    check(ioc_hwpt_alloc(context.get(), device.id(), space.id(), flags, fault, &id), "HWPT_ALLOC");
    return id;
  }
};

/// Page faults of devices whose page tables name it. Made before these, so that it ends after them.
class FaultQueue {
 public:
  explicit FaultQueue(const Context& context) { check(ioc_faults_open(context.get(), &faults_), "FAULT_QUEUE_ALLOC"); }
  FaultQueue(const FaultQueue&) = delete;
  FaultQueue& operator=(const FaultQueue&) = delete;
  ~FaultQueue() { ioc_faults_close(&faults_); }
  std::uint32_t id() const { return faults_.id; }
  int fd() const { return faults_.fd; }
  /// Whole groups of faults, as many as there are and fit; empty: none.
  std::vector<ioc_fault> read(unsigned capacity = 64) {
    std::vector<ioc_fault> out(capacity);
    out.resize(static_cast<std::size_t>(check(ioc_faults_read(&faults_, out.data(), capacity), "fault queue")));
    return out;
  }
  void answer(std::uint32_t cookie, bool retry) { check(ioc_faults_answer(&faults_, cookie, retry), "fault queue"); }

 private:
  ioc_faults faults_{};
};

}  // namespace ioc
