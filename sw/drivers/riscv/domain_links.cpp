// SPDX-License-Identifier: Apache-2.0
// The order of one invalidation: the IOMMUs' own caches, a fence, the devices' caches (a device may ask its IOMMU again
// at once, IOMMU 6.3.7), and fences that are waited for.
#include "drivers/riscv/domain_links.h"

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "drivers/riscv/invalidation.h"
#include "drivers/riscv/riscv_device.h"
#include "drivers/riscv/riscv_iommu.h"

namespace iommusim::drivers::riscv {

void DomainLinks::add(const Link& link) {
  const std::unique_lock guard(*lock_);
  const auto before = [](const Link& a, const Link& b) {
    const std::uint32_t left = a.device->iommu().index(), right = b.device->iommu().index();
    return left != right ? left < right : a.tag.number < b.tag.number;
  };
  links_.insert(std::upper_bound(links_.begin(), links_.end(), link, before), link);
  memory_.barrier();
}

bool DomainLinks::remove(const Link& link) {
  const std::unique_lock guard(*lock_);
  links_.erase(std::find_if(links_.begin(), links_.end(), [&](const Link& other) {
    return other.device == link.device && other.process == link.process && other.tag == link.tag &&
           other.nested == link.nested && other.directory == link.directory && other.root_page == link.root_page;
  }));
  return std::none_of(links_.begin(), links_.end(), [&](const Link& other) {
    return &other.device->iommu() == &link.device->iommu() && other.tag == link.tag;
  });
}

template <class Action>
bool DomainLinks::for_each_iommu(Action action) {
  bool good = true;
  const RiscvIommu* previous = nullptr;
  for (const Link& link : links_) {
    RiscvIommu& iommu = link.device->iommu();
    if (&iommu != previous && action(iommu) != 0) good = false;
    previous = &iommu;
  }
  return good;
}

bool DomainLinks::exceeds_threshold(const Range& range) const {
  const std::uint64_t threshold = options_.flush_all_threshold_bytes;
  return threshold != 0 && range.last - range.start >= threshold - 1;
}

bool DomainLinks::whole_in(const RiscvIommu& iommu, const Range& range) const {
  if (range.whole || range.exact) return range.whole;
  if (range.tables && !iommu.invalidates_non_leaves()) return true;
  const bool ranges = iommu.invalidates_ranges();
  if (!ranges && exceeds_threshold(range)) return true;
  const std::uint64_t limit = options_.command_limit;
  return limit != 0 && pieces(range.start, range.last, ranges, limit) > limit;
}

int DomainLinks::send_to_tag(RiscvIommu& iommu, CommandBatch& batch, const Range& range, const SpaceTag& tag) const {
  const Command all = tag.second_stage ? iotinval_second_stage(tag.number) : iotinval_pscid(tag.number);
  if (whole_in(iommu, range)) return batch.add(all);
  const Command space = range.tables ? with_non_leaf(all) : all;
  return for_each_piece(range.start, range.last, iommu.invalidates_ranges(),
                        [&](std::uint64_t start, unsigned log2) { return batch.add(narrowed(space, start, log2)); });
}

/// Links of one IOMMU with one tag are neighbours.
int DomainLinks::send(RiscvIommu& iommu, CommandBatch& batch, const Range& range) const {
  for (auto at = links_.begin(); at != links_.end();) {
    const auto end = std::find_if(at, links_.end(), [&](const Link& other) {
      return &other.device->iommu() != &at->device->iommu() || other.tag != at->tag;
    });
    const auto group = std::exchange(at, end);
    if (&group->device->iommu() != &iommu) continue;
    if (const int error = send_to_tag(iommu, batch, range, group->tag)) return error;
    if (std::none_of(group, end, [](const Link& link) { return link.nested; })) continue;
    // R8.5: what a guest's tables led to may be kept by guest address alone.
    if (const int error = batch.add(iotinval_of_guest(group->tag.number))) return error;
    // IOMMU 6.3.4: a cached context may hold the translation of the guest pages that it points to.
    for (auto link = group; link != end; ++link)
      if (link->nested && (range.whole || link->directory ||
                           (link->root_page >= (range.start & ~0xfffULL) && link->root_page <= range.last)))
        if (const int error = link->device->for_each_id([&](std::uint32_t id) { return batch.add(inval_ddt(id)); }))
          return error;
  }
  return 0;
}

bool DomainLinks::forget(const Range& range) {
  const std::shared_lock guard(*lock_);
  memory_.barrier();  // the cleared entries precede the commands
  std::vector<Asked> asked = asked_devices(range);
  const bool together = options_.command_batch > 1 && asked.empty();  // with their fence
  std::vector<std::uint64_t> fences;
  bool good = for_each_iommu([&](RiscvIommu& iommu) {
    CommandBatch batch(iommu.commands(), options_.command_batch);
    if (const int error = send(iommu, batch, range)) return error;
    if (!together) return batch.flush();
    return batch.close(fences.emplace_back());
  });
  if (together && good) {
    auto fence = fences.begin();
    return for_each_iommu([&](RiscvIommu& iommu) { return iommu.commands().wait_for_fence(*fence++); });
  }
  if (asked.empty()) return fence_all() && good;
  good = for_each_iommu([](RiscvIommu& iommu) { return iommu.commands().submit(iofence_commands()); }) && good;
  while (!asked.empty()) good = ask_devices(asked) && good;
  return good;
}

bool DomainLinks::fence_all() {
  return for_each_iommu([](RiscvIommu& iommu) { return iommu.commands().fence(); });
}

/// By IOMMU and device id: all threads wait for room in devices in one order.
std::vector<DomainLinks::Asked> DomainLinks::asked_devices(const Range& range) const {
  const bool all = range.whole || (!range.exact && (range.tables || exceeds_threshold(range)));
  std::vector<Asked> asked;
  for (const Link& link : links_) {
    if (!link.device->atc().on()) continue;
    const bool everything =
        all || link.nested;  // it keeps guest-virtual addresses, the range is of guest-physical ones
    const Asked one{link.device, link.process, everything ? 0 : range.start, everything ? ~0ULL : range.last, {}};
    asked.push_back(one);
    if (!link.directory) continue;
    asked.push_back(one);  // which PASIDs the guest uses is not known
    asked.back().process = DeviceAtc::kEveryProcess;
  }
  std::stable_sort(asked.begin(), asked.end(), [](const Asked& a, const Asked& b) {
    const auto place = [](const RiscvDevice& device) {
      return std::pair(device.iommu().index(), device.description().device_ids.front());
    };
    return place(*a.device) < place(*b.device);
  });
  return asked;
}

/// Takes one of each device out of the list, asks these together, and waits: a device has room for one at least.
bool DomainLinks::ask_devices(std::vector<Asked>& asked) {
  std::vector<Asked> now, later;
  for (const Asked& one : asked) (now.empty() || now.back().device != one.device ? now : later).push_back(one);
  bool good = true;
  for (Asked& one : now) {
    one.begun = one.device->atc().begin(one.from, one.to, one.process);
    good = one.begun.error == 0 && good;
  }
  good = fence_all() && good;
  for (const Asked& one : now)
    if (!one.device->atc().end(one.begun) && !one.device->atc().again(one.from, one.to, one.process))
      one.device->isolate();
  asked = std::move(later);
  return good;
}

}  // namespace iommusim::drivers::riscv
