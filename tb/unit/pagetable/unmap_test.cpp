// SPDX-License-Identifier: Apache-2.0
// Removal of whole areas from the low end, and a random history against a model of bytes.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "rig.h"

namespace iommusim::pagetable {
namespace {

TEST(Unmap, TakesWholeAreasAndStopsAtTheFirstError) {
  Rig rig;
  IoPagetable space(rig.os);
  for (const std::uint64_t iova : {0x10000, 0x20000, 0x30000}) ASSERT_EQ(rig.map(space, kHeap, 4 * kPage, iova), 0);
  std::uint64_t removed = 0;
  EXPECT_EQ(space.unmap({0x11000, 0x1FFFF}, removed), ENOENT);  // R2.22
  EXPECT_EQ(space.unmap({0x0, 0x21FFF}, removed), ENOENT);      // the second is cut
  EXPECT_EQ(removed, 4 * kPage);                                // R2.20: the first is gone
  EXPECT_EQ(space.unmap({0x10000, 0x13FFF}, removed), 0);
  EXPECT_EQ(removed, 0U);
  EXPECT_EQ(space.unmap({0x0, kMaxAddress}, removed), 0);
  EXPECT_EQ(removed, 8 * kPage);
}

TEST(Unmap, TheLastAddressIsNothingSpecial) {
  Rig rig;
  IoPagetable space(rig.os);
  ASSERT_EQ(rig.map(space, kHeap, kPage, 0ULL - kPage), 0);
  EXPECT_EQ(rig.unmap(space, 0ULL - kPage, kPage), 0);
}

// A model: for each page of a small window, which user page it shows, and where areas begin.
struct Model {
  std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> areas;  // first page -> (pages, user page)

  bool free(std::uint64_t page, std::uint64_t count) const {
    for (const auto& [start, area] : areas)
      if (start < page + count && page < start + area.first) return false;
    return true;
  }
  int unmap(std::uint64_t page, std::uint64_t count, std::uint64_t& removed) {
    removed = 0;
    for (auto at = areas.begin(); at != areas.end();) {
      const auto [start, pages] = std::pair{at->first, at->second.first};
      if (start + pages <= page || start >= page + count) {
        ++at;
        continue;
      }
      if (start < page || start + pages > page + count) return ENOENT;
      removed += pages;
      at = areas.erase(at);
    }
    return 0;
  }
};

void check_domain(domain::Domain& domain, const Model& model, std::uint64_t window) {
  std::map<std::uint64_t, std::uint64_t> shown;
  for (const auto& [start, area] : model.areas)
    for (std::uint64_t i = 0; i < area.first; ++i) shown[start + i] = area.second + i;
  for (std::uint64_t page = 0; page < window; ++page) {
    std::uint64_t spa = 0;
    const bool mapped = domain.iova_to_phys(page * kPage, spa);
    RC_ASSERT(mapped == (shown.count(page) != 0));
    if (mapped) RC_ASSERT(spa == kLinearSpa + shown[page] * kPage);
  }
}

RC_GTEST_PROP(Unmap, AHistoryOfMapsCopiesAndUnmapsIsThatOfTheModel, ()) {
  constexpr std::uint64_t kWindow = 32;
  Rig rig;
  IoPagetable spaces[2] = {IoPagetable(rig.os), IoPagetable(rig.os)};
  Model models[2];
  std::unique_ptr<domain::Domain> domains[2] = {rig.make_domain(), rig.make_domain()};
  bool present[2] = {false, false};
  const auto page_number = [&] { return *rc::gen::inRange<std::uint64_t>(0, kWindow); };
  const int steps = *rc::gen::inRange(0, 60);
  for (int step = 0; step < steps; ++step) {
    const int which = *rc::gen::inRange(0, 2);
    IoPagetable& space = spaces[which];
    Model& model = models[which];
    const auto page = page_number();
    const auto count = std::min(*rc::gen::inRange<std::uint64_t>(1, 7), kWindow - page);
    switch (*rc::gen::inRange(0, 7)) {
      case 0:
      case 1: {
        const auto user = page_number();
        const int error = rig.map(space, kLinear + user * kPage, count * kPage, page * kPage);
        RC_ASSERT(error == (model.free(page, count) ? 0 : EEXIST));
        if (!error) model.areas[page] = {count, user};
        break;
      }
      case 2:
      case 3: {
        std::uint64_t removed = 0;
        std::uint64_t expected = 0;
        const int error = space.unmap({page * kPage, (page + count) * kPage - 1}, removed);
        RC_ASSERT(error == model.unmap(page, count, expected));
        RC_ASSERT(removed == expected * kPage);
        break;
      }
      case 4: {  // a copy out of the other space, to the same place
        std::vector<Slice> slices;
        const Model& from = models[1 - which];
        const int error = spaces[1 - which].slices_of({page * kPage, (page + count) * kPage - 1}, slices);
        std::uint64_t covered = 0;
        for (std::uint64_t i = 0; i < count; ++i) covered += from.free(page + i, 1) ? 0 : 1;
        RC_ASSERT(error == (covered == count ? 0 : ENOENT));
        if (error) break;
        Mapping mapping(space);
        std::uint64_t iova = page * kPage;
        const int placed = mapping.place(slices, domain::kRead, true, iova);
        RC_ASSERT(placed == (model.free(page, count) ? 0 : EEXIST));
        if (placed) break;
        RC_ASSERT(mapping.fill() == 0);
        mapping.publish();
        for (const Slice& slice : slices) {
          model.areas[iova / kPage] = {slice.length / kPage, (slice.pages->address_of(slice.offset) - kLinear) / kPage};
          iova += slice.length;
        }
        break;
      }
      case 5:
        if (!present[which]) RC_ASSERT(space.add_domain(*domains[which]) == 0);
        present[which] = true;
        break;
      default:
        if (present[which]) space.remove_domain(*domains[which]);
        present[which] = false;
        break;
    }
    for (int i = 0; i < 2; ++i) check_domain(*domains[i], present[i] ? models[i] : Model{}, kWindow);
    // R3.9: charged is what arrays hold; a page may be in several arrays, so distinct pages are a lower bound.
    RC_ASSERT(rig.user.locked_pages() >= rig.user.pinned_pages());
  }
  for (int i = 0; i < 2; ++i)
    if (present[i]) spaces[i].remove_domain(*domains[i]);
  RC_ASSERT(rig.user.pinned_pages() + rig.user.locked_pages() == 0U);
}

}  // namespace
}  // namespace iommusim::pagetable
