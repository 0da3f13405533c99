// SPDX-License-Identifier: Apache-2.0
#include "params/quantity.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <system_error>
#include <vector>

namespace iommusim::params {

using base::Unit;

namespace {

/// A suffix means: times `factor`, times 10^`exponent`.
struct Suffix {
  const char* text;
  std::uint64_t factor;
  int exponent;
};

const std::vector<Suffix>& suffixes_of(Unit unit) {
  static const std::vector<Suffix> none;
  static const std::vector<Suffix> cycle{{"cycle", 1, 0}, {"cycles", 1, 0}};
  static const std::vector<Suffix> ps{{"ps", 1, 0}, {"ns", 1, 3}, {"us", 1, 6}, {"ms", 1, 9}, {"s", 1, 12}};
  static const std::vector<Suffix> ns{{"ns", 1, 0}, {"us", 1, 3}, {"ms", 1, 6}, {"s", 1, 9}};
  static const std::vector<Suffix> us{{"us", 1, 0}, {"ms", 1, 3}, {"s", 1, 6}};
  static const std::vector<Suffix> bytes{
      {"B", 1, 0}, {"KiB", 1ULL << 10, 0}, {"MiB", 1ULL << 20, 0}, {"GiB", 1ULL << 30, 0}, {"TiB", 1ULL << 40, 0}};
  static const std::vector<Suffix> bits{{"bit", 1, 0}, {"bits", 1, 0}};
  static const std::vector<Suffix> mhz{{"kHz", 1, -3}, {"MHz", 1, 0}, {"GHz", 1, 3}};
  static const std::vector<Suffix> gbps{{"Mbps", 1, -3}, {"Gbps", 1, 0}, {"Tbps", 1, 3}};
  static const std::vector<Suffix> rate{{"B/s", 1, 0},           {"kB/s", 1, 3},           {"MB/s", 1, 6},
                                        {"GB/s", 1, 9},          {"KiB/s", 1ULL << 10, 0}, {"MiB/s", 1ULL << 20, 0},
                                        {"GiB/s", 1ULL << 30, 0}};
  static const std::vector<Suffix> percent{{"%", 1, 0}, {"percent", 1, 0}};
  switch (unit) {
    case Unit::kCount:
    case Unit::kRatio:
      return none;
    case Unit::kCycle:
      return cycle;
    case Unit::kPs:
      return ps;
    case Unit::kNs:
      return ns;
    case Unit::kUs:
      return us;
    case Unit::kBytes:
      return bytes;
    case Unit::kBits:
      return bits;
    case Unit::kMhz:
      return mhz;
    case Unit::kGbps:
      return gbps;
    case Unit::kBytesPerSecond:
      return rate;
    case Unit::kPercent:
      return percent;
  }
  return none;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Text cut into its parts: [-+] (0x hex | digits[.digits][e[-+]digits]) [spaces] [suffix].
struct Parts {
  bool negative = false;
  std::string_view hex;       ///< digits after 0x; empty: decimal
  std::string_view decimal;   ///< number without sign
  std::string_view whole;     ///< digits before the point
  std::string_view fraction;  ///< digits after it
  int exponent = 0;
  Suffix suffix{"", 1, 0};
};

std::string_view take_while(std::string_view& text, bool (*accept)(char)) {
  std::size_t n = 0;
  while (n < text.size() && accept(text[n])) ++n;
  const std::string_view taken = text.substr(0, n);
  text.remove_prefix(n);
  return taken;
}

bool take_exponent(std::string_view& rest, int& exponent) {
  std::string_view look = rest.substr(1);
  if (!look.empty() && look[0] == '+') look.remove_prefix(1);
  const auto [end, status] = std::from_chars(look.data(), look.data() + look.size(), exponent);
  if (status != std::errc{} || exponent < -400 || exponent > 400) return false;
  rest = look.substr(static_cast<std::size_t>(end - look.data()));
  return true;
}

/// What is wrong with the text, or nothing.
std::string split(std::string_view text, Unit unit, Parts& parts) {
  const std::string quoted = "'" + std::string(text) + "'";
  std::string_view rest = text;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    parts.negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  const std::string_view number = rest;
  if (rest.size() > 2 && rest[0] == '0' && (rest[1] == 'x' || rest[1] == 'X')) {
    rest.remove_prefix(2);
    parts.hex =
        take_while(rest, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
    if (parts.hex.empty()) return quoted + " is not a number";
  } else {
    parts.whole = take_while(rest, is_digit);
    if (!rest.empty() && rest[0] == '.') {
      rest.remove_prefix(1);
      parts.fraction = take_while(rest, is_digit);
    }
    if (parts.whole.empty() && parts.fraction.empty()) return quoted + " is not a number";
    if (!rest.empty() && (rest[0] == 'e' || rest[0] == 'E') && !take_exponent(rest, parts.exponent))
      return quoted + " is not a number in reach";
  }
  parts.decimal = number.substr(0, number.size() - rest.size());
  take_while(rest, [](char c) { return c == ' '; });
  if (rest.empty()) return {};
  for (const Suffix& suffix : suffixes_of(unit)) {
    if (rest == suffix.text) {
      parts.suffix = suffix;
      return {};
    }
  }
  const std::string accepted = accepted_suffixes(unit);
  return quoted + " has the wrong unit '" + std::string(rest) + "'; expected " +
         (accepted.empty() ? std::string("a bare number") : accepted + " (a bare number is in ") +
         (accepted.empty() ? "" : base::unit_name(unit) + std::string(")"));
}

constexpr const char* kTooLarge = " is too large";

}  // namespace

IntegerQuantity parse_integer(std::string_view text, Unit unit) {
  Parts parts;
  IntegerQuantity out;
  out.error = split(text, unit, parts);
  if (!out.error.empty()) return out;
  const std::string quoted = "'" + std::string(text) + "'";
  const auto push_digit = [&out](int base, int digit) {
    return !__builtin_mul_overflow(out.value, static_cast<__int128>(base), &out.value) &&
           !__builtin_add_overflow(out.value, static_cast<__int128>(digit), &out.value);
  };
  bool fits = true;
  for (const char c : parts.hex) fits = fits && push_digit(16, is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  for (const char c : parts.whole) fits = fits && push_digit(10, c - '0');
  for (const char c : parts.fraction) fits = fits && push_digit(10, c - '0');
  fits = fits && !__builtin_mul_overflow(out.value, static_cast<__int128>(parts.suffix.factor), &out.value);
  int exponent = parts.exponent + parts.suffix.exponent - static_cast<int>(parts.fraction.size());
  if (out.value == 0) exponent = 0;
  for (; fits && exponent > 0; --exponent) fits = push_digit(10, 0);
  for (; fits && exponent < 0; ++exponent) {
    if (out.value % 10 != 0) {
      out.error = quoted + " is not a whole number of " + base::unit_name(unit);
      return out;
    }
    out.value /= 10;
  }
  if (!fits) out.error = quoted + kTooLarge;
  if (parts.negative) out.value = -out.value;
  return out;
}

RealQuantity parse_real(std::string_view text, Unit unit) {
  Parts parts;
  RealQuantity out;
  out.error = split(text, unit, parts);
  if (!out.error.empty()) return out;
  if (!parts.hex.empty()) {
    out.error = "'" + std::string(text) + "' is hexadecimal; expected a decimal number";
    return out;
  }
  const char* end = parts.decimal.data() + parts.decimal.size();
  const auto [stop, status] = std::from_chars(parts.decimal.data(), end, out.value);
  if (status != std::errc{} || stop != end) {
    out.error = "'" + std::string(text) + "' is not a number in reach";
    return out;
  }
  if (parts.negative) out.value = -out.value;
  out.value *= static_cast<double>(parts.suffix.factor);
  if (parts.suffix.exponent > 0) out.value *= std::pow(10.0, parts.suffix.exponent);
  if (parts.suffix.exponent < 0) out.value /= std::pow(10.0, -parts.suffix.exponent);
  if (!std::isfinite(out.value)) out.error = "'" + std::string(text) + "'" + kTooLarge;
  return out;
}

std::string to_string(__int128 value) {
  const bool negative = value < 0;
  std::string digits;
  do {
    const int digit = static_cast<int>(value % 10);
    digits.insert(digits.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
    value /= 10;
  } while (value != 0);
  return negative ? '-' + digits : digits;
}

std::string to_string(double value) {
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, result.ptr};
}

std::string accepted_suffixes(Unit unit) {
  const auto& suffixes = suffixes_of(unit);
  std::string out;
  for (std::size_t i = 0; i < suffixes.size(); ++i) {
    if (i != 0) out += i + 1 == suffixes.size() ? " or " : ", ";
    out += suffixes[i].text;
  }
  return out;
}

std::string suffix_pattern(Unit unit) {
  std::string out;
  for (const Suffix& suffix : suffixes_of(unit)) out += (out.empty() ? "" : "|") + std::string(suffix.text);
  return out;
}

}  // namespace iommusim::params
