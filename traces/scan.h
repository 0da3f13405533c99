// SPDX-License-Identifier: Apache-2.0
// The kinds of field of a trace line, scanned from characters. Each function moves `at` past what it took and stops
// at the first character that does not belong, so the text must end in a character that no field contains (a line
// feed).
#pragma once

#include <cstdint>

#include "traces/event.h"

namespace iommusim::traces {

/// The characters of a trace.
constexpr bool is_text(char c) { return (c >= ' ' && c <= '~') || c == '\t'; }

enum class Scan { kOk, kMalformed, kTooLarge };

/// The value of a lower-case hex digit; 16 or more for any other character.
constexpr unsigned hex_digit(char c) {
  const auto decimal = static_cast<unsigned>(static_cast<unsigned char>(c)) - '0';
  if (decimal < 10) return decimal;
  const auto letter = static_cast<unsigned>(static_cast<unsigned char>(c)) - 'a';
  return letter < 6 ? letter + 10 : 16;
}

inline Scan scan_decimal(const char*& at, std::uint64_t& value) {
  const char* const begin = at;
  std::uint64_t sum = 0;
  bool fits = true;
  for (unsigned digit; (digit = static_cast<unsigned>(static_cast<unsigned char>(*at)) - '0') < 10; ++at) {
    if (at - begin >= 19) fits = fits && sum <= (~0ULL - digit) / 10;  // 19 digits always fit
    sum = sum * 10 + digit;
  }
  value = sum;
  return at == begin ? Scan::kMalformed : fits ? Scan::kOk : Scan::kTooLarge;
}

/// "0x" and 1 to 16 lower-case digits.
inline Scan scan_hex(const char*& at, std::uint64_t& value) {
  if (at[0] != '0' || at[1] != 'x') return Scan::kMalformed;
  at += 2;
  const char* const begin = at;
  std::uint64_t sum = 0;
  for (unsigned digit; (digit = hex_digit(*at)) < 16; ++at) sum = sum << 4 | digit;
  value = sum;
  return at == begin ? Scan::kMalformed : at - begin <= 16 ? Scan::kOk : Scan::kTooLarge;
}

/// "bb:dd.f" or "ssss:bb:dd.f". TooLarge: a device above 1f or a function above 7.
inline Scan scan_source(const char*& at, Source& source) {
  std::uint32_t segment = 0;
  unsigned digits[4];
  for (unsigned i = 0; i < 4; ++i) {
    digits[i] = hex_digit(at[i]);
    if (digits[i] < 16) continue;
    if (i != 2 || at[2] != ':') return Scan::kMalformed;
    break;
  }
  if (at[2] != ':') {
    if (at[4] != ':') return Scan::kMalformed;
    segment = digits[0] << 12 | digits[1] << 8 | digits[2] << 4 | digits[3];
    at += 5;
    for (unsigned i = 0; i < 2; ++i)
      if ((digits[i] = hex_digit(at[i])) >= 16) return Scan::kMalformed;
    if (at[2] != ':') return Scan::kMalformed;
  }
  const unsigned bus = digits[0] << 4 | digits[1];
  const unsigned high = hex_digit(at[3]);
  const unsigned low = high < 16 ? hex_digit(at[4]) : 16;
  if (low >= 16 || at[5] != '.') return Scan::kMalformed;
  const unsigned device = high << 4 | low;
  const unsigned function = hex_digit(at[6]);
  if (function >= 16) return Scan::kMalformed;
  at += 7;
  if (device > 0x1f || function > 7) return Scan::kTooLarge;
  source = {static_cast<std::uint16_t>(segment), static_cast<std::uint16_t>(bus << 8 | device << 3 | function)};
  return Scan::kOk;
}

/// One of kOpLetters.
inline Scan scan_op(const char*& at, Op& op) {
  switch (*at++) {
    case 'R':
      op = Op::kRead;
      return Scan::kOk;
    case 'W':
      op = Op::kWrite;
      return Scan::kOk;
    case 'X':
      op = Op::kAccess;
      return Scan::kOk;
    case 'M':
      op = Op::kMap;
      return Scan::kOk;
    case 'U':
      op = Op::kUnmap;
      return Scan::kOk;
    case 'I':
      op = Op::kInvalidate;
      return Scan::kOk;
    default:
      --at;
      return Scan::kMalformed;
  }
}

}  // namespace iommusim::traces
