// SPDX-License-Identifier: Apache-2.0
// The ioctls of /dev/iommu as a fuzzer fills them: for each the kinds of its fields, with values that are right often
// enough for calls to get past their checks, and wrong in every way now and then; and where the ids of new objects come
// out, so that later calls can name them.
#pragma once

#include <cstdint>
#include <vector>

#include "choices.h"

namespace iommusim::fuzz {

using timing::test::Choices;

enum class Kind : std::uint8_t {
  kFixed,  ///< the field's parameter
  kMapFlags,
  kBits,  ///< a subset of the field's parameter
  kIova,  ///< in or near the aperture
  kLength,
  kAddress,  ///< of the program
  kData,     ///< of the program, where the structure of a guest lies
  kSmall,    ///< a number below 16
  kPasid,
  kPageSize,
  // Objects and descriptors: one that came out of an earlier call of the program.
  kIoas,
  kTable,  ///< what devices attach to, and what holds page tables
  kDevice,
  kMock,
  kFault,
  kViommu,
  kAny,  ///< object
  kFd,
  kAccess,  ///< descriptor
};
inline constexpr unsigned kKinds = 19;

struct Field {
  std::uint8_t offset;
  std::uint8_t bytes;
  Kind kind;
  std::uint64_t parameter = 0;
};

struct Shape {
  std::uint32_t command;
  std::uint32_t size;
  std::uint32_t op;  ///< of the test command; 0: another ioctl
  std::vector<Field> fields;
  std::vector<Field> outs;
};

const std::vector<Shape>& shapes();

/// What a program knows: addresses, and what came out of its calls.
class Knowledge {
 public:
  std::uint64_t data = 0;       ///< 16 pages that it may read and write
  std::uint64_t nowhere = 0;    ///< nothing is mapped here
  std::uint64_t read_only = 0;  ///< a page

  void learn(Kind kind, std::uint64_t value);
  /// An object that is gone.
  void forget(std::uint64_t id);
  std::uint64_t draw(Choices& choices, const Field& field) const;
  /// The struct, with its size field; as long as that says, or longer.
  std::vector<unsigned char> fill(Choices& choices, const Shape& shape) const;
  /// After a success: ids and descriptors of the reply.
  void learn_reply(const Shape& shape, const unsigned char* reply);

 private:
  static constexpr std::size_t kRemembered = 8;  ///< of a kind; the oldest are forgotten
  std::uint64_t known(Choices& choices, Kind kind) const;

  std::vector<std::uint64_t> known_[kKinds];
};

}  // namespace iommusim::fuzz
