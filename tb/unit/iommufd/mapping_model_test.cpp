// SPDX-License-Identifier: Apache-2.0
// Random sequences of map, copy, unmap, attach, replace, detach and destroy, compared with mapping_model.h after every
// step: the same errno, the same IOVA, the same bytes removed, and what a device reaches. IOMMUSIM_MODEL_OPERATIONS
// says how many (default 100,000).
#include "mapping_model.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "world.h"

namespace iommusim::iommufd {
namespace {

constexpr std::uint64_t kBase = 0x200000000, kRw = 32 * kPage, kRo = 8 * kPage;
constexpr std::uint64_t kApertureStart = 0x4000, kApertureLast = 0x33FFF;

drivers::MockOptions narrow_hardware() {
  drivers::MockOptions options;
  options.aperture_start = kApertureStart;
  options.aperture_last = kApertureLast;
  return options;
}

class Comparison {
 public:
  explicit Comparison(std::uint64_t seed) : world_({}, nullptr, narrow_hardware()), random_(seed) {
    world_.user.map_frames(kBase, kRw, hal::kUserRead | hal::kUserWrite);
    world_.user.map_frames(kBase + kRw, kRo, hal::kUserRead);
    for (std::uint64_t page = 0; page < (kRw + kRo) / kPage; ++page) {
      std::uint64_t spa = 0;
      EXPECT_EQ(world_.user.pin_page(kBase + page * kPage, false, spa), 0);
      world_.user.unpin_page(spa);
      pages_.push_back(spa);
    }
    hardware_[0] = &world_.device;
    drivers::MockDeviceOptions second;
    second.group = 1;
    hardware_[1] = &world_.iommu.add_device(second);
    for (int i = 0; i < 2; ++i) device_[i] = world_.bound(*hardware_[i]);
    for (ObjectId& ioas : ioas_) create(ioas);
  }
  ~Comparison() {
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(device_detach(*world_.context, device_[i]), 0);
      EXPECT_EQ(device_unbind(*world_.context, device_[i]), 0);
    }
    world_.context.reset();
    EXPECT_EQ(world_.pages_held(), 0U);
    EXPECT_EQ(world_.iommu.live_domains(), 0U);
  }

  void step() {
    switch (below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return map();
      case 5:
      case 6:
      case 7:
        return copy();
      case 8:
      case 9:
      case 10:
      case 11:
        return unmap();
      case 12:
      case 13:
      case 14:
        return move_device();
      default:
        return destroy();
    }
  }

  void look_at(int device) {
    const std::uint64_t iova = below(0x40000);
    const bool write = below(2) != 0;
    std::uint64_t spa = 0, expected = 0;
    const bool reaches = hardware_[device]->access(iova, write, spa);
    const model::Area* area = nullptr;
    if (attached_[device] != 0) area = model::Model::at(model_.spaces[attached_[device]], iova);
    if (area && (area->write || !write)) {  // the mock lets every mapping be read
      const std::uint64_t byte = area->va - kBase + (iova - area->start);
      expected = pages_[byte / kPage] + byte % kPage;
    }
    ASSERT_EQ(reaches ? spa : 0, expected) << std::hex << iova << " of device " << device;
  }

 private:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  /// Mostly whole pages.
  std::uint64_t offset(std::uint64_t pages) { return below(24) == 0 ? below(pages * 8) * 512 : below(pages) * kPage; }
  std::uint64_t length() { return below(24) == 0 ? below(32) * 512 : (1 + below(6)) * kPage; }
  ObjectId any_ioas() { return below(64) == 0 ? 77 : ioas_[below(3)]; }
  std::uint32_t any_flags() { return static_cast<std::uint32_t>((1 + below(3)) * 2 | (below(4) != 0 ? kFixed : 0)); }
  static bool reads(std::uint32_t flags) { return (flags & uapi::kIommuIoasMapReadable) != 0; }
  static bool writes(std::uint32_t flags) { return (flags & uapi::kIommuIoasMapWriteable) != 0; }

  void create(ObjectId& ioas) {
    ioas = world_.ioas();
    model_.spaces[ioas];
  }

  void map() {
    uapi::IommuIoasMap argument{0, any_flags(), any_ioas(), 0, kBase + offset(42), length(), offset(64)};
    std::uint64_t iova = argument.iova;
    const int expected = model_.map(argument.ioas_id, argument.user_va, argument.length, reads(argument.flags),
                                    writes(argument.flags), (argument.flags & kFixed) != 0, iova);
    ASSERT_EQ(world_.call(uapi::kIommuIoasMap, argument), expected) << std::hex << argument.user_va;
    if (expected == 0) {
      ASSERT_EQ(argument.iova, iova);
    }
  }

  void copy() {
    uapi::IommuIoasCopy argument{0, any_flags(), any_ioas(), any_ioas(), length(), offset(64), offset(64)};
    std::uint64_t iova = argument.dst_iova;
    const int expected =
        model_.copy(argument.dst_ioas_id, argument.src_ioas_id, argument.src_iova, argument.length,
                    reads(argument.flags), writes(argument.flags), (argument.flags & kFixed) != 0, iova);
    ASSERT_EQ(world_.call(uapi::kIommuIoasCopy, argument), expected);
    if (expected == 0) {
      ASSERT_EQ(argument.dst_iova, iova);
    }
  }

  void unmap() {
    uapi::IommuIoasUnmap argument{0, any_ioas(), offset(64), below(3) == 0 ? 0x20000 : length()};
    std::uint64_t removed = 0;
    const int expected = model_.unmap(argument.ioas_id, argument.iova, argument.length, removed);
    ASSERT_EQ(world_.call(uapi::kIommuIoasUnmap, argument), expected);
    if (expected == 0) {
      ASSERT_EQ(argument.length, removed);
    }
  }

  void move_device() {
    const std::size_t which = below(2);
    ObjectId& now = attached_[which];
    if (now != 0 && below(3) == 0) {
      ASSERT_EQ(device_detach(*world_.context, device_[which]), 0);
      model_.detach(now);
      now = 0;
      return;
    }
    const ObjectId ioas = any_ioas();
    ObjectId page_table = ioas;
    if (now == 0) {
      const int expected = model_.attach(ioas);
      ASSERT_EQ(device_attach(*world_.context, device_[which], page_table), expected);
      if (expected == 0) now = ioas;
      return;
    }
    const int expected = ioas == now ? 0 : model_.attach(ioas);
    ASSERT_EQ(device_replace(*world_.context, device_[which], page_table), expected);
    if (expected == 0 && ioas != now) {
      model_.detach(now);
      now = ioas;
    }
  }

  void destroy() {
    ObjectId& ioas = ioas_[below(3)];
    const int expected = model_.destroy(ioas);
    ASSERT_EQ(world_.destroy(ioas), expected);
    if (expected == 0) create(ioas);
  }

  World world_;
  std::mt19937_64 random_;
  model::Model model_{{kBase, kRw, kRo}, kApertureStart, kApertureLast};
  std::vector<std::uint64_t> pages_;  // physical
  drivers::MockDevice* hardware_[2] = {};
  ObjectId device_[2] = {}, attached_[2] = {}, ioas_[3] = {};
};

TEST(MappingModel, RandomOperationsAgree) {
  const char* const text = std::getenv("IOMMUSIM_MODEL_OPERATIONS");
  const std::uint64_t operations = text ? std::strtoull(text, nullptr, 10) : 100000;
  const std::uint64_t each = 20000;  // then a fresh machine
  for (std::uint64_t done = 0; done < operations; done += each) {
    Comparison comparison(done + 1);
    for (std::uint64_t i = 0; i < std::min(each, operations - done); ++i) {
      comparison.step();
      comparison.look_at(static_cast<int>(i % 2));
      if (::testing::Test::HasFailure()) FAIL() << "operation " << i << " of seed " << done + 1;
    }
  }
}

}  // namespace
}  // namespace iommusim::iommufd
