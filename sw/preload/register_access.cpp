// SPDX-License-Identifier: Apache-2.0
// Decoding follows Intel's manual, volume 2: prefixes, REX, opcode, ModRM with SIB and displacement, immediate. Where
// in memory the operand lies the fault tells; only the length of the instruction and its other operand are needed.
#include "preload/register_access.h"

#include <algorithm>
#include <cstring>

namespace iommusim::preload {
namespace {

enum class Action { kLoad, kLoadSigned, kStore, kArithmetic, kTest, kLoadVector, kStoreVector };
enum class Other { kRegister, kImmediate };  // the operand that is not in memory

struct Instruction {
  Action action = Action::kLoad;
  Other other = Other::kRegister;
  unsigned memory_bytes = 0;
  unsigned register_bytes = 0;  // of kLoad and kLoadSigned
  unsigned reg = 0;             // number of the register, or of the operation in a group
  bool old_byte = false;        // registers 4 to 7 are ah, ch, dh, bh
  unsigned operation = 0;       // arithmetic: add or adc sbb and sub xor cmp
  bool memory_is_target = true;
  std::int64_t immediate = 0;
  unsigned length = 0;
};

class Decoder {
 public:
  explicit Decoder(const std::uint8_t* code) : code_(code) {}
  bool decode(Instruction& out);

 private:
  void prefixes();
  void operand(Instruction& out);
  bool one_byte(std::uint8_t opcode, Instruction& out);
  bool two_bytes(std::uint8_t opcode, Instruction& out);
  void immediate(Instruction& out, unsigned bytes);
  unsigned width() const { return rex_w_ ? 8 : operand_16_ ? 2 : 4; }

  const std::uint8_t* const code_;
  unsigned at_ = 0;
  bool operand_16_ = false, repeat_ = false, repeat_not_ = false, rex_ = false, rex_w_ = false, rex_r_ = false;
};

void Decoder::prefixes() {
  for (;; ++at_) {
    const std::uint8_t byte = code_[at_];
    if (byte == 0x66)
      operand_16_ = true;
    else if (byte == 0xF3)
      repeat_ = true;
    else if (byte == 0xF2)
      repeat_not_ = true;
    else if (byte != 0x2E && byte != 0x36 && byte != 0x3E && byte != 0x26 && byte != 0x64 && byte != 0x65)
      break;
  }
  if ((code_[at_] & 0xF0) != 0x40) return;
  rex_ = true;
  rex_w_ = (code_[at_] & 8) != 0;
  rex_r_ = (code_[at_] & 4) != 0;
  ++at_;
}

void Decoder::operand(Instruction& out) {
  const std::uint8_t modrm = code_[at_++];
  const unsigned mode = modrm >> 6, base = modrm & 7;
  out.reg = (modrm >> 3 & 7) | (rex_r_ ? 8U : 0U);
  bool far = mode == 2;
  if (base == 4) {
    const std::uint8_t sib = code_[at_++];
    far |= mode == 0 && (sib & 7) == 5;
  }
  far |= mode == 0 && base == 5;
  at_ += far ? 4 : mode == 1 ? 1 : 0;
}

void Decoder::immediate(Instruction& out, unsigned bytes) {
  out.other = Other::kImmediate;
  std::uint64_t raw = 0;
  std::memcpy(&raw, code_ + at_, bytes);
  const unsigned unused = 64 - 8 * bytes;
  out.immediate = static_cast<std::int64_t>(raw << unused) >> unused;
  at_ += bytes;
}

bool Decoder::one_byte(std::uint8_t opcode, Instruction& out) {
  const bool byte = (opcode & 1) == 0;
  out.memory_bytes = out.register_bytes = byte ? 1 : width();
  if (opcode < 0x40 && (opcode & 7) < 4) {  // add to cmp, a register and memory
    operand(out);
    out.action = Action::kArithmetic;
    out.operation = opcode >> 3;
    out.memory_is_target = (opcode & 2) == 0;
    return true;
  }
  switch (opcode) {
    case 0x63:
      operand(out);
      out.action = Action::kLoadSigned;
      out.memory_bytes = 4;
      out.register_bytes = width();
      return true;
    case 0x80:
    case 0x81:
    case 0x83:
      operand(out);
      out.action = Action::kArithmetic;
      out.operation = out.reg & 7;
      immediate(out, opcode == 0x81 ? std::min(width(), 4U) : 1);
      return true;
    case 0x84:
    case 0x85:
      operand(out);
      out.action = Action::kTest;
      return true;
    case 0xF6:
    case 0xF7:
      operand(out);
      if ((out.reg & 7) > 1) return false;
      out.action = Action::kTest;
      immediate(out, byte ? 1 : std::min(width(), 4U));
      return true;
    case 0x88:
    case 0x89:
      operand(out);
      out.action = Action::kStore;
      return true;
    case 0x8A:
    case 0x8B:
      operand(out);
      out.action = Action::kLoad;
      return true;
    case 0xC6:
    case 0xC7:
      operand(out);
      if ((out.reg & 7) != 0) return false;
      out.action = Action::kStore;
      immediate(out, byte ? 1 : std::min(width(), 4U));
      return true;
    default:
      return false;
  }
}

bool Decoder::two_bytes(std::uint8_t opcode, Instruction& out) {
  operand(out);
  switch (opcode) {
    case 0xB6:
    case 0xB7:
    case 0xBE:
    case 0xBF:
      out.action = opcode < 0xB8 ? Action::kLoad : Action::kLoadSigned;
      out.memory_bytes = (opcode & 1) == 0 ? 1 : 2;
      out.register_bytes = width();
      return true;
    case 0xC3:  // movnti
      out.action = Action::kStore;
      out.memory_bytes = width();
      return true;
    case 0x10:
    case 0x11:
      if (repeat_) return false;  // a lone float is not a register's way
      out.action = opcode == 0x10 ? Action::kLoadVector : Action::kStoreVector;
      out.memory_bytes = repeat_not_ ? 8 : 16;
      return true;
    case 0x28:
    case 0x29:
    case 0x2B:
    case 0xE7:
      out.action = opcode == 0x28 ? Action::kLoadVector : Action::kStoreVector;
      out.memory_bytes = 16;
      return true;
    case 0x6F:
    case 0x7F:
      if (!operand_16_ && !repeat_) return false;
      out.action = opcode == 0x6F ? Action::kLoadVector : Action::kStoreVector;
      out.memory_bytes = 16;
      return true;
    case 0x7E:
      if (!repeat_) return false;
      out.action = Action::kLoadVector;
      out.memory_bytes = 8;
      return true;
    case 0xD6:
      if (!operand_16_) return false;
      out.action = Action::kStoreVector;
      out.memory_bytes = 8;
      return true;
    default:
      return false;
  }
}

bool Decoder::decode(Instruction& out) {
  prefixes();
  const std::uint8_t opcode = code_[at_++];
  if (!(opcode == 0x0F ? two_bytes(code_[at_++], out) : one_byte(opcode, out))) return false;
  out.old_byte = !rex_;
  out.length = at_;
  return true;
}

constexpr int kRegisters[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

std::uint64_t ones(unsigned bytes) { return ~0ULL >> (64 - 8 * bytes); }

class Machine64 {
 public:
  explicit Machine64(ucontext_t& context) : context_(context) {}

  std::uint64_t get(const Instruction& what, unsigned bytes) const {
    if (what.other == Other::kImmediate) return static_cast<std::uint64_t>(what.immediate) & ones(bytes);
    unsigned shift = 0;
    const std::uint64_t value = word(number(what, bytes, shift));
    return value >> shift & ones(bytes);
  }
  void set(const Instruction& what, unsigned bytes, std::uint64_t value) {
    unsigned shift = 0;
    greg_t& to = context_.uc_mcontext.gregs[kRegisters[number(what, bytes, shift)]];
    const std::uint64_t kept = bytes >= 4 ? 0 : static_cast<std::uint64_t>(to) & ~(ones(bytes) << shift);
    to = static_cast<greg_t>(kept | (value & ones(bytes)) << shift);
  }
  void skip(unsigned bytes) { context_.uc_mcontext.gregs[REG_RIP] += bytes; }
  greg_t& flags() { return context_.uc_mcontext.gregs[REG_EFL]; }
  void* vector(unsigned number) { return context_.uc_mcontext.fpregs->_xmm[number].element; }

 private:
  static unsigned number(const Instruction& what, unsigned bytes, unsigned& shift) {
    const bool high = bytes == 1 && what.old_byte && what.reg >= 4 && what.reg < 8;
    shift = high ? 8 : 0;
    return high ? what.reg - 4 : what.reg;
  }
  std::uint64_t word(unsigned number) const {
    return static_cast<std::uint64_t>(context_.uc_mcontext.gregs[kRegisters[number]]);
  }

  ucontext_t& context_;
};

// The result, and the arithmetic flags as the processor sets them.
std::uint64_t calculate(unsigned operation, std::uint64_t a, std::uint64_t b, unsigned bytes, greg_t& flags) {
  constexpr greg_t kCarry = 1, kParity = 4, kAdjust = 0x10, kZero = 0x40, kSign = 0x80, kOverflow = 0x800;
  const std::uint64_t mask = ones(bytes), top = mask ^ mask >> 1;
  const std::uint64_t carry_in = (operation == 2 || operation == 3) && (flags & kCarry) != 0 ? 1 : 0;
  const bool adds = operation == 0 || operation == 2, subtracts = operation == 3 || operation == 5 || operation == 7;
  std::uint64_t result = 0;
  bool carry = false, overflow = false, adjust = false;
  if (adds) {
    result = (a + b + carry_in) & mask;
    carry = result < a || (carry_in != 0 && result == a);
    overflow = ((a ^ result) & (b ^ result) & top) != 0;
  } else if (subtracts) {
    result = (a - b - carry_in) & mask;
    carry = a < b || (carry_in != 0 && a == b);
    overflow = ((a ^ b) & (a ^ result) & top) != 0;
  } else {
    result = operation == 1 ? a | b : operation == 4 ? a & b : a ^ b;
  }
  if (adds || subtracts) adjust = ((a ^ b ^ result) & 0x10) != 0;
  flags &= ~(kCarry | kParity | kAdjust | kZero | kSign | kOverflow);
  flags |= (carry ? kCarry : 0) | (adjust ? kAdjust : 0) | (overflow ? kOverflow : 0) | (result == 0 ? kZero : 0) |
           ((result & top) != 0 ? kSign : 0) |
           (__builtin_parity(static_cast<unsigned>(result & 0xFF)) == 0 ? kParity : 0);
  return result;
}

std::uint64_t load(hal::MappedRegisters& registers, std::uint64_t offset, unsigned bytes) {
  if (offset % bytes == 0) return registers.load(offset, bytes);
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value |= registers.load(offset + i, 1) << (8 * i);
  return value;
}

void store(hal::MappedRegisters& registers, std::uint64_t offset, unsigned bytes, std::uint64_t value) {
  if (offset % bytes == 0) return registers.store(offset, bytes, value & ones(bytes));
  for (unsigned i = 0; i < bytes; ++i) registers.store(offset + i, 1, value >> (8 * i) & 0xFF);
}

bool reads(const Instruction& what) { return what.action != Action::kStore && what.action != Action::kStoreVector; }
bool writes(const Instruction& what) {
  if (what.action == Action::kArithmetic) return what.memory_is_target && what.operation != 7;
  return what.action == Action::kStore || what.action == Action::kStoreVector;
}

void perform(const Instruction& what, Machine64& machine, hal::MappedRegisters& registers, std::uint64_t offset) {
  const unsigned bytes = what.memory_bytes;
  switch (what.action) {
    case Action::kLoad:
      return machine.set(what, what.register_bytes, load(registers, offset, bytes));
    case Action::kLoadSigned: {
      const unsigned unused = 64 - 8 * bytes;
      const auto value = static_cast<std::int64_t>(load(registers, offset, bytes) << unused) >> unused;
      return machine.set(what, what.register_bytes, static_cast<std::uint64_t>(value));
    }
    case Action::kStore:
      return store(registers, offset, bytes, machine.get(what, bytes));
    case Action::kTest:
      calculate(4, load(registers, offset, bytes), machine.get(what, bytes), bytes, machine.flags());
      return;
    case Action::kArithmetic: {
      const std::uint64_t memory = load(registers, offset, bytes), other = machine.get(what, bytes);
      const std::uint64_t result = what.memory_is_target
                                       ? calculate(what.operation, memory, other, bytes, machine.flags())
                                       : calculate(what.operation, other, memory, bytes, machine.flags());
      if (what.operation == 7) return;
      return what.memory_is_target ? store(registers, offset, bytes, result) : machine.set(what, bytes, result);
    }
    case Action::kLoadVector: {
      std::uint64_t words[2] = {};
      for (unsigned i = 0; i < bytes / 8; ++i) words[i] = load(registers, offset + 8 * i, 8);
      std::memcpy(machine.vector(what.reg), words, sizeof words);
      return;
    }
    case Action::kStoreVector: {
      std::uint64_t words[2] = {};
      std::memcpy(words, machine.vector(what.reg), sizeof words);
      for (unsigned i = 0; i < bytes / 8; ++i) store(registers, offset + 8 * i, 8, words[i]);
      return;
    }
  }
}

}  // namespace

bool access_registers(ucontext_t& context, hal::MappedRegisters& registers, std::uint64_t offset, bool may_read,
                      bool may_write) {
  Instruction what;
  Decoder decoder(reinterpret_cast<const std::uint8_t*>(context.uc_mcontext.gregs[REG_RIP]));
  if (!decoder.decode(what) || (reads(what) && !may_read) || (writes(what) && !may_write)) return false;
  Machine64 machine(context);
  perform(what, machine, registers, offset);
  machine.skip(what.length);
  return true;
}

}  // namespace iommusim::preload
