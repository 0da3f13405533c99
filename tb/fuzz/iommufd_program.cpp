// SPDX-License-Identifier: Apache-2.0
// The shapes of all ioctls, and how values are drawn. Byte 0 of a choice is the usual case, so that short inputs do
// something sensible.
#include "iommufd_program.h"

#include <algorithm>
#include <cstring>

namespace iommusim::fuzz {
namespace {

using K = Kind;

Field fixed(std::uint8_t offset, std::uint64_t value) { return {offset, 4, K::kFixed, value}; }

Shape test(std::uint32_t op, std::vector<Field> fields, Kind id, std::vector<Field> outs = {}) {
  fields.push_back({8, 4, id});
  return {0x3BA0, 72, op, std::move(fields), std::move(outs)};
}

Shape hwpt(std::vector<Field> fields) {
  fields.push_back({8, 4, K::kDevice});
  fields.push_back({12, 4, K::kTable});
  return {0x3B89, 48, 0, std::move(fields), {{16, 4, K::kTable}, {16, 4, K::kAny}}};
}

constexpr Field kMockOuts[] = {{16, 4, K::kMock}, {16, 4, K::kAny}, {20, 4, K::kTable}, {24, 4, K::kDevice}};

std::uint64_t draw_iova(Choices& choices) {
  const std::uint64_t page = choices.below(32);
  switch (choices.below(24)) {
    case 23:
      return page * 4096;
    case 22:
      return 0x7FFFFFFF - page * 2048;
    case 21:
      return ~0ULL - page * 1024;
    case 20:
      return choices.number(8);
    case 19:
      return 0x01000000 + page * 2048 + choices.below(4096);
    case 18:
      return 0x02000000 + page % 4 * 0x100000;
    case 17:
      return page % 4 | std::uint64_t{choices.below(4)} << 43;  // an area's number, and an offset in it
    case 16:
      return 0;
    default:
      return 0x01000000 + page * 2048;
  }
}

std::uint64_t draw_length(Choices& choices) {
  switch (choices.below(24)) {
    case 23:
      return 0;
    case 22:
      return ~0ULL;
    case 21:
      return choices.number(8);
    case 20:
      return 0x100000;
    case 19:
      return choices.below(5000);
    case 18:
      return ~0ULL - choices.below(8192);
    default:
      return (1 + choices.below(12)) * 2048ULL;
  }
}

}  // namespace

const std::vector<Shape>& shapes() {
  static const std::vector<Field> kMock(std::begin(kMockOuts), std::end(kMockOuts));
  static const std::vector<Shape> kShapes = {
      {0x3B80, 8, 0, {{4, 4, K::kAny}}, {}},
      {0x3B80, 8, 0, {{4, 4, K::kMock}}, {}},
      {0x3B81, 12, 0, {fixed(4, 0)}, {{8, 4, K::kIoas}, {8, 4, K::kTable}, {8, 4, K::kAny}}},
      {0x3B82, 24, 0, {{4, 4, K::kIoas}, {8, 4, K::kSmall}, fixed(12, 0), {16, 8, K::kAddress}}, {}},
      {0x3B83,
       40,
       0,
       {{4, 4, K::kMapFlags},
        {8, 4, K::kIoas},
        {12, 4, K::kIoas},
        {16, 8, K::kLength},
        {24, 8, K::kIova},
        {32, 8, K::kIova}},
       {}},
      {0x3B84, 32, 0, {{4, 4, K::kIoas}, {8, 4, K::kSmall}, fixed(12, 0), {16, 8, K::kAddress}}, {}},
      {0x3B85,
       40,
       0,
       {{4, 4, K::kMapFlags}, {8, 4, K::kIoas}, {16, 8, K::kAddress}, {24, 8, K::kLength}, {32, 8, K::kIova}},
       {}},
      {0x3B86, 24, 0, {{4, 4, K::kIoas}, {8, 8, K::kIova}, {16, 8, K::kLength}}, {}},
      {0x3B87, 24, 0, {fixed(4, 1), {8, 2, K::kBits, 1}, {12, 4, K::kIoas}, {16, 8, K::kBits, 1}}, {}},
      {0x3B87, 24, 0, {fixed(4, 0), {8, 2, K::kBits, 1}, fixed(12, 0), {16, 8, K::kBits, 1}}, {}},
      {0x3B88, 12, 0, {{4, 4, K::kIoas}, {8, 2, K::kBits, 3}}, {}},
      hwpt({{4, 4, K::kBits, 11}}),
      hwpt({fixed(4, 0), fixed(24, 0xdead), fixed(28, 8), {32, 8, K::kAddress}}),
      hwpt({{4, 4, K::kBits, 15}, fixed(24, 0xdead), fixed(28, 8), {32, 8, K::kAddress}, {40, 4, K::kFault}}),
      // Of the RISC-V driver; its data lie at the usual address of a program's data.
      hwpt({fixed(4, 0), fixed(24, 0x52560002), fixed(28, 32), {32, 8, K::kData}}),
      {0x3B8D,
       32,
       0,
       {{4, 4, K::kTable}, {8, 8, K::kAddress}, fixed(16, 0x52560003), fixed(20, 16), {24, 4, K::kSmall}},
       {}},
      {0x3B90,
       40,
       0,
       {fixed(8, 0x52560004), {12, 4, K::kDevice}, {16, 4, K::kTable}},
       {{20, 4, K::kViommu}, {20, 4, K::kTable}, {20, 4, K::kAny}}},
      {0x3B93,
       32,
       0,
       {{8, 4, K::kViommu}, fixed(12, 0x52560005), {16, 4, K::kSmall}},
       {{20, 4, K::kAny}, {24, 4, K::kFd}}},
      {0x3B8A, 40, 0, {{4, 4, K::kBits, 1}, {8, 4, K::kDevice}, {12, 4, K::kSmall}, {16, 8, K::kAddress}}, {}},
      {0x3B8B, 16, 0, {{4, 4, K::kBits, 1}, {8, 4, K::kTable}}, {}},
      {0x3B8C,
       48,
       0,
       {{4, 4, K::kTable},
        {8, 4, K::kBits, 1},
        {16, 8, K::kIova},
        {24, 8, K::kLength},
        {32, 8, K::kPageSize},
        {40, 8, K::kAddress}},
       {}},
      {0x3B8D,
       32,
       0,
       {{4, 4, K::kTable}, {8, 8, K::kAddress}, fixed(16, 0xdeadbeef), fixed(20, 8), {24, 4, K::kSmall}},
       {}},
      {0x3B8D,
       32,
       0,
       {{4, 4, K::kViommu}, {8, 8, K::kAddress}, fixed(16, 0xdeadbeef), fixed(20, 12), {24, 4, K::kSmall}},
       {}},
      {0x3B8E, 16, 0, {fixed(4, 0)}, {{8, 4, K::kFault}, {8, 4, K::kAny}, {12, 4, K::kFd}}},
      {0x3B8F,
       40,
       0,
       {{4, 4, K::kMapFlags},
        {8, 4, K::kIoas},
        {12, 4, K::kFd},
        {16, 8, K::kLength},
        {24, 8, K::kLength},
        {32, 8, K::kIova}},
       {}},
      {0x3B8F,
       40,
       0,
       {{4, 4, K::kMapFlags}, {8, 4, K::kIoas}, {12, 4, K::kFd}, {24, 8, K::kLength}, {32, 8, K::kIova}},
       {}},
      {0x3B90,
       40,
       0,
       {fixed(8, 0xdeadbeef), {12, 4, K::kDevice}, {16, 4, K::kTable}},
       {{20, 4, K::kViommu}, {20, 4, K::kTable}, {20, 4, K::kAny}}},
      {0x3B90,
       40,
       0,
       {fixed(8, 0xdeadbeef), {12, 4, K::kDevice}, {16, 4, K::kTable}, fixed(24, 24), {32, 8, K::kAddress}},
       {{20, 4, K::kViommu}, {20, 4, K::kTable}, {20, 4, K::kAny}}},
      {0x3B91, 24, 0, {{4, 4, K::kViommu}, {8, 4, K::kDevice}, {16, 8, K::kSmall}}, {{12, 4, K::kAny}}},
      {0x3B92, 8, 0, {fixed(4, 0)}, {}},
      {0x3B93,
       32,
       0,
       {{8, 4, K::kViommu}, fixed(12, 0xbeefbeef), {16, 4, K::kSmall}},
       {{20, 4, K::kAny}, {24, 4, K::kFd}}},
      {0x3B94,
       40,
       0,
       {{8, 4, K::kViommu}, fixed(12, 0xdeadbeef), {16, 4, K::kBits, 3}, {24, 8, K::kIova}, {32, 8, K::kLength}},
       {{20, 4, K::kAny}}},
      test(1, {{16, 8, K::kIova}, {24, 8, K::kLength}}, K::kIoas),
      test(2, {}, K::kTable, kMock),
      test(3, {{16, 8, K::kIova}, {24, 8, K::kLength}, {32, 8, K::kAddress}}, K::kTable),
      test(4, {{16, 8, K::kLength}, {24, 8, K::kAddress}, {32, 4, K::kSmall}}, K::kAny),
      test(5, {{20, 4, K::kBits, 1}}, K::kIoas, {{16, 4, K::kFd}, {16, 4, K::kAccess}}),
      test(6, {{16, 4, K::kSmall}}, K::kAccess),
      test(7, {{16, 4, K::kBits, 0x10001}, {24, 8, K::kIova}, {32, 8, K::kLength}, {40, 8, K::kAddress}}, K::kAccess),
      test(7, {{16, 4, K::kBits, 0x10001}, {24, 8, K::kIova}, {32, 8, K::kLength}}, K::kAccess),
      test(8, {{16, 8, K::kIova}, {24, 8, K::kLength}, {32, 8, K::kAddress}, {40, 4, K::kBits, 0x10005}}, K::kAccess),
      test(9, {{16, 4, K::kLength}}, K::kAny),
      test(10, {{16, 4, K::kTable}}, K::kMock),
      test(11, {{16, 4, K::kIoas}}, K::kAccess),
      test(12, {{28, 4, K::kBits, 5}}, K::kTable, kMock),
      test(13, {{24, 8, K::kIova}, {32, 8, K::kLength}, {40, 8, K::kPageSize}, {48, 8, K::kAddress}}, K::kTable),
      test(14, {{16, 4, K::kSmall}}, K::kTable),
      test(15, {{16, 4, K::kDevice}, {20, 4, K::kPasid}, {24, 4, K::kSmall}, {28, 4, K::kBits, 31}, {32, 8, K::kIova}},
           K::kAny),
      test(16, {{16, 4, K::kSmall}}, K::kDevice),
      test(17, {{16, 4, K::kDevice}}, K::kAny),
      test(18, {{16, 4, K::kPasid}, {20, 4, K::kTable}}, K::kMock),
      test(19, {{16, 4, K::kPasid}, {20, 4, K::kTable}}, K::kMock),
      test(20, {{16, 4, K::kPasid}}, K::kMock),
      test(21, {{16, 4, K::kPasid}, {20, 4, K::kTable}}, K::kMock),
      test(22, {{16, 4, K::kLength}}, K::kAny),
      test(23, {{16, 4, K::kFd}, {20, 4, K::kBits, 1}}, K::kAny),
  };
  return kShapes;
}

void Knowledge::learn(Kind kind, std::uint64_t value) {
  std::vector<std::uint64_t>& list = known_[static_cast<unsigned>(kind)];
  list.insert(list.begin(), value);
  if (list.size() > kRemembered) list.pop_back();
}

void Knowledge::forget(std::uint64_t id) {
  for (unsigned kind = 0; kind < static_cast<unsigned>(Kind::kFd); ++kind)
    known_[kind].erase(std::remove(known_[kind].begin(), known_[kind].end(), id), known_[kind].end());
}

void Knowledge::learn_reply(const Shape& shape, const unsigned char* reply) {
  for (const Field& out : shape.outs) {
    std::uint32_t value = 0;
    std::memcpy(&value, reply + out.offset, sizeof value);
    learn(out.kind, value);
  }
}

std::uint64_t Knowledge::known(Choices& choices, Kind kind) const {
  const std::uint8_t choice = choices.byte();
  if (choice == 255) return choices.number(4);
  if (choice >= 248) return choices.below(12);
  const std::vector<std::uint64_t>& list = known_[static_cast<unsigned>(kind)];
  return list.empty() ? 1 : list[choice % list.size()];
}

std::uint64_t Knowledge::draw(Choices& choices, const Field& field) const {
  switch (field.kind) {
    case Kind::kFixed:
      return choices.one_in(32) ? choices.number(4) : field.parameter;
    case Kind::kMapFlags: {
      constexpr std::uint32_t kSets[] = {7, 6, 7, 6, 7, 5, 3, 4, 2, 0x10007, 0x10006, 1, 0, 15};
      return choices.pick(kSets);
    }
    case Kind::kBits:
      return choices.one_in(32) ? choices.number(4) : choices.number(3) & field.parameter;
    case Kind::kIova:
      return draw_iova(choices);
    case Kind::kLength:
      return draw_length(choices);
    case Kind::kAddress:
      switch (choices.below(24)) {
        case 23:
          return nowhere + choices.below(4096);
        case 22:
          return read_only + choices.below(4096);
        case 21:
          return choices.number(8);
        case 20:
          return 0;
        case 19:
          return data + choices.below(65536);
        default:
          return data + choices.below(32) * 2048ULL;
      }
    case Kind::kData:
      return choices.one_in(32) ? choices.number(8) : data + 4096;
    case Kind::kSmall: {
      constexpr std::uint32_t kNumbers[] = {1, 0, 2, 3, 4, 8, 12, 0x99, 0xFFFFFFFF};
      return choices.pick(kNumbers);
    }
    case Kind::kPasid: {
      constexpr std::uint32_t kPasids[] = {1, 1024, 0, 0xFFFFF, 0x100000, 0xFFFFFFFF};
      return choices.pick(kPasids);
    }
    case Kind::kPageSize: {
      constexpr std::uint64_t kSizes[] = {2048, 4096, 0x100000, 1, 0, 6144, 0x8000000000000000};
      return choices.pick(kSizes);
    }
    default:
      return known(choices, field.kind);
  }
}

std::vector<unsigned char> Knowledge::fill(Choices& choices, const Shape& shape) const {
  std::uint32_t size = shape.size;
  if (choices.one_in(32)) size = choices.below(2 * size);
  std::vector<unsigned char> bytes(std::max<std::size_t>(size, shape.size) + 4);
  std::memcpy(bytes.data(), &size, 4);
  if (shape.op != 0) std::memcpy(bytes.data() + 4, &shape.op, 4);
  for (const Field& field : shape.fields) {
    const std::uint64_t value = draw(choices, field);
    std::memcpy(bytes.data() + field.offset, &value, field.bytes);
  }
  if (choices.one_in(64)) bytes[choices.below(static_cast<unsigned>(bytes.size()))] = choices.byte();
  return bytes;
}

}  // namespace iommusim::fuzz
