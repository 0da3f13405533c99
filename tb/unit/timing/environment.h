// SPDX-License-Identifier: Apache-2.0
// Random devices, processes and page tables for whatever the implementation of a Machine has. Software behaves: address
// spaces do not share tags unless they share tables, devices of one domain have the same settings, and leaves do not
// lie inside other leaves. What requests it gives is in traffic.h, how it changes in mutations.h.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>

#include "choices.h"
#include "machine.h"
#include "process_tables.h"

namespace iommusim::timing::test {

using translate::test::AddressSpace;
using translate::test::Machine;
namespace flags = translate::test::flags;

class Environment {
 public:
  static constexpr std::uint64_t kInterruptFiles = 0x0c000000;  ///< guest-physical, of virtual interrupt files
  static constexpr unsigned kPageCount = 32;

  /// A second stage (or none), and what the devices behind it have in common.
  struct Domain {
    unsigned gscid;
    AddressSpace guest;  ///< without a first stage
    std::uint64_t msi_mask = 0;
    std::uint64_t msi_table = 0;  ///< 0: no MSI translation
    std::uint64_t tc = 0;
    std::unique_ptr<ProcessTables> processes;
    unsigned directory_levels = 0;
    std::vector<unsigned> users;
  };
  struct Space {
    AddressSpace tables;
    unsigned pscid;
    unsigned domain;
  };
  struct Device {
    std::uint32_t id;
    unsigned domain;
    spec::DeviceContext context;
  };
  /// Who sends requests into a space: a device of the domain, by itself or for a process.
  struct User {
    unsigned device;
    unsigned space;
    bool has_context;    ///< of a process (which may be the default one)
    bool process_valid;  ///< named in the request
    std::uint32_t process;
  };
  /// One leaf of each stage that is on, and an IOVA that reaches both.
  struct Page {
    unsigned user;
    std::uint64_t iova;
    std::uint64_t gpa;
    unsigned first_level, second_level;
    bool first_napot, second_napot;  ///< one of 16 equal entries of a 64 KiB range
    bool global;
    bool interrupt_file;
  };

  Environment(Choices& choices, Machine& machine, unsigned ddt_levels)
      : choices_(choices), machine_(machine), levels_(ddt_levels) {
    const unsigned id_bits = ddt_levels == 3 ? 24 : machine.leaf_bits() + 9 * (ddt_levels - 1);
    const unsigned count = 2 + choices.below(4);
    for (unsigned i = 0; i < count; ++i)
      add_device((choices.below(65536) * 0x101U + i) & static_cast<std::uint32_t>(base::mask_of(id_bits)));
    for (unsigned i = 0; i < kPageCount; ++i) add_page(i);
  }

  Choices& choices() { return choices_; }
  Machine& machine() { return machine_; }
  const spec::Implementation& implementation() const { return machine_.registers.implementation(); }
  unsigned ddt_levels() const { return levels_; }
  std::vector<Device>& devices() { return devices_; }
  std::deque<Domain>& domains() { return domains_; }
  std::vector<Page>& pages() { return pages_; }
  User& user_of(const Page& page) { return users_[page.user]; }
  User& user(unsigned index) { return users_[index]; }
  Device& device_of(const Page& page) { return devices_[user_of(page).device]; }
  Space& space_of(const Page& page) { return spaces_[user_of(page).space]; }
  Domain& domain_of(const Page& page) { return domains_[space_of(page).domain]; }
  std::size_t user_count() const { return users_.size(); }

  bool rv32() const { return spec::fctl::kGxl.is_set(machine_.registers.fctl()); }
  void write_first(Page& page);
  void write_second(const Page& page);
  void write_interrupt_file(const Domain& domain, std::uint64_t file);
  static std::uint64_t resident_file(const Domain& domain, std::uint64_t file);
  /// log2 of the page that the leaf maps.
  unsigned first_shift(const Page& page) {
    return page.first_napot ? 16 : space_of(page).tables.first.shift(page.first_level);
  }
  unsigned second_shift(const Page& page) {
    return page.second_napot ? 16 : space_of(page).tables.second.shift(page.second_level);
  }
  /// IOMMU 2.3.3 step 5: the number of the interrupt file that this address belongs to.
  static std::uint64_t file_of(const Domain& domain, std::uint64_t gpa) {
    std::uint64_t file = 0;
    unsigned position = 0;
    for (unsigned bit = 0; bit < 52; ++bit)
      if (base::bit(domain.msi_mask, bit)) file |= base::bits(gpa >> 12, bit, 1) << position++;
    return file;
  }

 private:
  // environment_build.h
  void add_device(std::uint32_t id);
  void add_domain();
  void add_users(unsigned device);
  unsigned add_space(unsigned domain, unsigned first_mode, bool sxl);
  unsigned random_first_mode(bool sxl);
  unsigned random_second_mode();
  std::uint64_t random_settings(bool nested);
  spec::DeviceContext context_of(const Domain& domain, const Space& space);
  void set_process(const Domain& domain, const User& user, const Space& space);
  void add_interrupt_files(Domain& domain);

  // environment_pages.h
  static std::uint64_t region(unsigned level, bool napot, unsigned n);
  unsigned level_of(const spec::PagingMode& mode, unsigned limit);
  std::uint64_t random_flags(const spec::PagingMode& mode, bool may_be_global, bool napot);
  /// Global leaves belong to all address spaces of their guest, so it must have one only.
  bool has_global_pages(const Page& page) {
    return !space_of(page).tables.second.bare() && domain_of(page).directory_levels == 0;
  }
  void add_page(unsigned n);
  bool aim_at_interrupt_file(Page& page, unsigned n);

  Choices& choices_;
  Machine& machine_;
  unsigned levels_;
  std::deque<Domain> domains_;
  std::vector<Space> spaces_;
  std::vector<Device> devices_;
  std::vector<User> users_;
  std::vector<Page> pages_;
};

}  // namespace iommusim::timing::test

#include "environment_build.h"
#include "environment_pages.h"
