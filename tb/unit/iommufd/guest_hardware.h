// SPDX-License-Identifier: Apache-2.0
// Hardware with everything that a guest can be lent, for tests: devices with PASIDs, page requests and nesting, vIOMMUs
// with queues and events. It does nothing by itself; it remembers what it was told, answers by simple rules, and counts
// what lives, so that a test sees both ends.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "drivers/mock_domain.h"

namespace iommusim::iommufd {

inline constexpr std::uint32_t kGuestType = 0x77;  ///< of hwpt data, hw_info, vIOMMU, invalidation, queue
inline constexpr std::uint32_t kEventType = 0x78;

class GuestViommu;

struct GuestIommu {
  /// An event for every guest.
  void report(std::uint32_t word);

  int driver = 0;            // its address, and that of the whole, are the identities
  std::atomic<int> live{0};  // domains, nested domains, vIOMMUs, queues
  std::mutex lock;           // guards what follows
  std::vector<GuestViommu*> viommus;
};

/// Counts itself among what lives.
struct GuestLife {
  explicit GuestLife(GuestIommu& of) : iommu(of) { ++iommu.live; }
  ~GuestLife() { --iommu.live; }
  GuestLife(const GuestLife&) = delete;
  GuestLife& operator=(const GuestLife&) = delete;
  GuestIommu& iommu;
};

class GuestDomain final : public domain::Domain {
 public:
  GuestDomain(GuestIommu& iommu, std::unique_ptr<domain::Domain> inner, unsigned the_flags)
      : flags(the_flags), life_(iommu), inner_(std::move(inner)) {}
  std::uint64_t page_sizes() const override { return inner_->page_sizes(); }
  std::uint64_t aperture_start() const override { return inner_->aperture_start(); }
  std::uint64_t aperture_last() const override { return inner_->aperture_last(); }
  int map(std::uint64_t iova, std::uint64_t spa, std::uint64_t bytes, unsigned prot) override {
    return inner_->map(iova, spa, bytes, prot);
  }
  std::uint64_t unmap(std::uint64_t iova, std::uint64_t bytes, domain::Gather& gather) override {
    return inner_->unmap(iova, bytes, gather);
  }
  bool sync(domain::Gather& gather) override { return inner_->sync(gather); }
  bool flush_all() override { return inner_->flush_all(); }
  bool invalidate(std::uint64_t start, std::uint64_t last) override { return inner_->invalidate(start, last); }
  void free_tables(domain::Gather& gather) override { inner_->free_tables(gather); }
  bool iova_to_phys(std::uint64_t iova, std::uint64_t& spa) override { return inner_->iova_to_phys(iova, spa); }
  const void* iommu_driver() const override { return &life_.iommu.driver; }
  bool enforce_coherency() override { return coherent = can_be_coherent; }
  bool tracks_dirty() const override { return (flags & domain::kTracksDirty) != 0; }
  int set_dirty_tracking(bool on) override {
    tracking = on;
    return tracking_error;
  }
  int read_dirty(std::uint64_t iova, std::uint64_t bytes, bool clear, domain::DirtySink& sink,
                 domain::Gather& gather) override {
    for (auto page = written.lower_bound(iova); page != written.end() && *page - iova < bytes;) {
      sink.dirty(*page, 4096);
      if (clear) gather.add(*page, *page + 4095);
      page = clear ? written.erase(page) : std::next(page);
    }
    return 0;
  }

  const unsigned flags;
  bool coherent = false;
  bool tracking = false;
  int tracking_error = 0;
  std::set<std::uint64_t> written;  ///< pages
  inline static bool can_be_coherent = true;

 private:
  GuestLife life_;
  std::unique_ptr<domain::Domain> inner_;
};

/// Entries are words; a word of 0 is a bad one.
struct GuestInvalidation {
  std::mutex lock;
  std::vector<std::uint32_t> seen;
  int handle(const domain::UserArray& entries, std::uint32_t& done) {
    if (entries.type != kGuestType) return EINVAL;
    for (std::uint32_t i = 0; i < entries.count; ++i) {
      std::uint32_t word = 0;
      if (const int error = entries.read_entry(i, &word, sizeof word)) return error;
      if (word == 0) return EOPNOTSUPP;
      const std::lock_guard guard(lock);
      seen.push_back(word);
      ++done;
    }
    return 0;
  }
};

struct GuestNested final : domain::NestedDomain {
  GuestNested(GuestIommu& iommu, unsigned the_flags, std::uint32_t the_word)
      : life(iommu), flags(the_flags), word(the_word) {}
  bool can_invalidate() const override { return invalidates; }
  int invalidate(const domain::UserArray& entries, std::uint32_t& done) override {
    return invalidation.handle(entries, done);
  }
  GuestLife life;
  const unsigned flags;
  const std::uint32_t word;
  GuestInvalidation invalidation;
  inline static bool invalidates = true;
};

inline int make_guest_nested(GuestIommu& iommu, unsigned flags, const domain::UserData& data,
                             std::unique_ptr<domain::NestedDomain>& out) {
  if (data.type != kGuestType) return EOPNOTSUPP;
  std::uint32_t word = 0;
  if (const int error = data.read(&word, sizeof word, 4)) return error;
  out = std::make_unique<GuestNested>(iommu, flags, word);
  return 0;
}

class GuestViommu final : public domain::VirtualIommu {
 public:
  GuestViommu(GuestIommu& iommu, domain::VirtualIommuPorts& ports) : ports_(ports), life_(iommu) {
    const std::lock_guard guard(iommu.lock);
    iommu.viommus.push_back(this);
    newest = this;
  }
  ~GuestViommu() override {
    GuestIommu& iommu = life_.iommu;
    const std::lock_guard guard(iommu.lock);
    iommu.viommus.erase(std::find(iommu.viommus.begin(), iommu.viommus.end(), this));
    newest = nullptr;
  }
  bool can_nest() const override { return nests; }
  int alloc_nested(domain::Device& /*device*/, unsigned flags, const domain::UserData& data,
                   std::unique_ptr<domain::NestedDomain>& out) override {
    return make_guest_nested(life_.iommu, flags, data, out);
  }
  bool can_invalidate() const override { return true; }
  int invalidate(const domain::UserArray& entries, std::uint32_t& done) override {
    return invalidation.handle(entries, done);
  }
  /// 666 is a number that hardware refuses.
  int add_device(domain::Device& device, std::uint64_t number) override {
    if (number == 666) return EIO;
    devices[number] = &device;
    return 0;
  }
  void remove_device(domain::Device& /*device*/, std::uint64_t number) override { devices.erase(number); }
  bool offers_hw_queue(std::uint32_t type) const override { return type == kGuestType; }
  int alloc_hw_queue(const domain::HwQueueRequest& request, std::unique_ptr<domain::HwQueue>& out) override {
    if (request.index > 1) return EINVAL;
    if (queues[request.index]) return EEXIST;
    if (request.index == 1 && !queues[0]) return EIO;
    last = request;
    out = std::make_unique<Queue>(*this, request.index);
    return 0;
  }
  domain::VirtualIommuPorts& ports() { return ports_; }

  GuestInvalidation invalidation;
  std::map<std::uint64_t, domain::Device*> devices;
  domain::HwQueueRequest last;
  domain::HwQueue* queues[2] = {};
  inline static GuestViommu* newest = nullptr;
  inline static bool nests = true;

 private:
  struct Queue final : domain::HwQueue {
    Queue(GuestViommu& viommu, std::uint32_t at) : viommu_(viommu), index_(at), life_(viommu.life_.iommu) {
      viommu_.queues[index_] = this;
    }
    ~Queue() override { viommu_.queues[index_] = nullptr; }
    domain::HwQueue* depends_on() override { return index_ == 1 ? viommu_.queues[0] : nullptr; }
    GuestViommu& viommu_;
    const std::uint32_t index_;
    GuestLife life_;
  };
  domain::VirtualIommuPorts& ports_;
  GuestLife life_;
};

inline void GuestIommu::report(std::uint32_t word) {
  const std::lock_guard guard(lock);
  for (GuestViommu* viommu : viommus) viommu->ports().report_event(kEventType, &word, sizeof word);
}

struct GuestOptions {
  std::set<domain::Capability> capabilities = {domain::Capability::kCacheCoherency, domain::Capability::kIsolatedMsi,
                                               domain::Capability::kDirtyTracking, domain::Capability::kPageRequests};
  unsigned pasid_width = 4;
  std::vector<domain::ReservedRegion> reserved;
  bool nests = true;
};

class GuestDevice final : public domain::Device {
 public:
  GuestDevice(GuestIommu& iommu, drivers::MockIommu& tables, domain::Group& group, GuestOptions options = {})
      : options_(std::move(options)), iommu_(iommu), tables_(tables), group_(group) {
    group.devices.push_back(this);
  }
  domain::Group& group() override { return group_; }
  bool capable(domain::Capability capability) const override { return options_.capabilities.count(capability) != 0; }
  std::vector<domain::ReservedRegion> reserved_regions() const override { return options_.reserved; }
  int alloc_domain(std::unique_ptr<domain::Domain>& out) override { return alloc_paging({}, out); }
  unsigned pasid_width() const override { return options_.pasid_width; }
  const void* iommu_driver() const override { return &iommu_.driver; }
  const void* iommu_instance() const override { return &iommu_; }
  int hw_info(std::uint32_t type, domain::HwInfo& out) override {
    if (type != 0 && type != kGuestType) return EOPNOTSUPP;
    out = domain::HwInfo::of(kGuestType, std::uint64_t{0x1122334455667788});
    return 0;
  }
  bool takes_paging_requests() const override { return true; }
  int alloc_paging(const domain::PagingRequest& request, std::unique_ptr<domain::Domain>& out) override {
    if (request.data.given() && request.data.type != kGuestType) return EOPNOTSUPP;
    std::unique_ptr<domain::Domain> inner = std::make_unique<drivers::MockDomain>(tables_, 0);
    out = std::make_unique<GuestDomain>(iommu_, std::move(inner), request.flags);
    return 0;
  }
  bool can_nest() const override { return options_.nests; }
  int alloc_nested(domain::Domain& /*parent*/, unsigned flags, const domain::UserData& data,
                   std::unique_ptr<domain::NestedDomain>& out) override {
    return make_guest_nested(iommu_, flags, data, out);
  }
  bool offers_virtual_iommu(std::uint32_t type) const override { return type == kGuestType; }
  int alloc_virtual_iommu(const domain::VirtualIommuRequest& request,
                          std::unique_ptr<domain::VirtualIommu>& out) override {
    std::uint32_t word = 0;
    if (request.data.given()) {
      if (const int error = request.data.read(&word, sizeof word, 4)) return error;
      word *= 2;
      if (const int error = request.data.write(&word, sizeof word)) return error;
    }
    out = std::make_unique<GuestViommu>(iommu_, *request.ports);
    return 0;
  }
  int attach(domain::Domain& domain) override { return attach_pasid(0, domain); }
  int attach_nested(domain::NestedDomain& domain) override { return attach_pasid(0, domain); }
  void block() override { block_pasid(0); }
  int attach_pasid(std::uint32_t pasid, domain::Translation& translation) override {
    if (fail_next != 0) return std::exchange(fail_next, 0);
    at[pasid] = &translation;
    return 0;
  }
  void block_pasid(std::uint32_t pasid) override { at.erase(pasid); }
  int set_page_fault_handler(domain::PageFaultHandler* the_handler) override {
    if (!capable(domain::Capability::kPageRequests)) return EOPNOTSUPP;
    const std::lock_guard guard(handler_lock);
    handler = the_handler;
    return 0;
  }
  void answer_page_fault(const domain::PageFaultGroup& group, domain::PageAnswer answer) override {
    const std::lock_guard guard(answers_lock);
    answers.emplace_back(group.index, answer);
  }
  /// A group of page requests of this device; false: the driver collects none.
  bool ask(const domain::PageFaultGroup& group) {
    const std::lock_guard guard(handler_lock);  // held: a change of handler waits for calls of the old one
    if (handler) handler->page_fault(group);
    return handler != nullptr;
  }

  std::map<std::uint32_t, domain::Translation*> at;  ///< what DMA goes through, by PASID
  int fail_next = 0;                                 ///< the errno of the next attach
  std::mutex handler_lock, answers_lock;
  domain::PageFaultHandler* handler = nullptr;
  std::vector<std::pair<std::uint32_t, domain::PageAnswer>> answers;  ///< by the group's index

 private:
  const GuestOptions options_;
  GuestIommu& iommu_;
  drivers::MockIommu& tables_;
  domain::Group& group_;
};

}  // namespace iommusim::iommufd
