// SPDX-License-Identifier: Apache-2.0
// Each form is executed twice: on memory, by the processor, and on a page without rights, by the decoder in a handler
// of SIGSEGV. Memory, registers and flags must come out alike.
#include "preload/register_access.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <csignal>
#include <cstring>
#include <string>
#include <vector>

namespace iommusim::preload {
namespace register_forms {

struct State {
  std::uint64_t rax = 0x8182838485868788, rdx = 0x0102030405060708, r9 = 0xF1F2F3F4F5F6F7F8;
  std::uint64_t flags = 0;
  std::uint64_t xmm[4] = {0x1111111122222222, 0x3333333344444444, 0x5555555566666666, 0x7777777788888888};
};

using Form = void (*)(void*, State*);
struct Row {
  const char* name;
  Form run;
};

// xmm3 and xmm11 hold state.xmm; rdi points to the memory, r10 is 0. `lahf` and `seto` keep the flags.
#define REGISTER_FORM(text)                                                                             \
  Row {                                                                                                 \
    text, [](void* memory, State* state) {                                                              \
      asm volatile(                                                                                     \
          "movdqu 32(%%rsi), %%xmm3\n movdqu 48(%%rsi), %%xmm11\n"                                      \
          "mov 0(%%rsi), %%rax\n mov 8(%%rsi), %%rdx\n mov 16(%%rsi), %%r9\n xor %%r10d, %%r10d\n" text \
          "\n"                                                                                          \
          "mov %%rax, 0(%%rsi)\n mov %%rdx, 8(%%rsi)\n mov %%r9, 16(%%rsi)\n"                           \
          "lahf\n seto %%al\n movzwl %%ax, %%eax\n mov %%rax, 24(%%rsi)\n"                              \
          "movdqu %%xmm3, 32(%%rsi)\n movdqu %%xmm11, 48(%%rsi)\n"                                      \
          :                                                                                             \
          : "D"(memory), "S"(state)                                                                     \
          : "rax", "rdx", "r9", "r10", "xmm3", "xmm11", "memory", "cc");                                \
    }                                                                                                   \
  }

static const Row kForms[] = {
    REGISTER_FORM("movb %%al, (%%rdi)"),
    REGISTER_FORM("movb %%ah, 3(%%rdi)"),
    REGISTER_FORM("movb %%r9b, 1(%%rdi)"),
    REGISTER_FORM("movw %%dx, 2(%%rdi)"),
    REGISTER_FORM("movl %%edx, 4(%%rdi)"),
    REGISTER_FORM("movq %%r9, 8(%%rdi)"),
    REGISTER_FORM("movl %%r9d, 4(%%rdi,%%r10,4)"),
    REGISTER_FORM("movl %%edx, 0x100(%%rdi)"),
    REGISTER_FORM("movb (%%rdi), %%al"),
    REGISTER_FORM("movb 1(%%rdi), %%dh"),
    REGISTER_FORM("movb 1(%%rdi), %%r9b"),
    REGISTER_FORM("movw 2(%%rdi), %%ax"),
    REGISTER_FORM("movl 4(%%rdi), %%eax"),
    REGISTER_FORM("movl 4(%%rdi), %%r9d"),
    REGISTER_FORM("movq 8(%%rdi), %%rdx"),
    REGISTER_FORM("movq 8(%%rdi,%%r10,8), %%r9"),
    REGISTER_FORM("movb $0x7f, (%%rdi)"),
    REGISTER_FORM("movw $0x8001, 2(%%rdi)"),
    REGISTER_FORM("movl $0x80000001, 4(%%rdi)"),
    REGISTER_FORM("movq $-2, 8(%%rdi)"),
    REGISTER_FORM("movzbl (%%rdi), %%eax"),
    REGISTER_FORM("movzbw (%%rdi), %%dx"),
    REGISTER_FORM("movzwl 2(%%rdi), %%r9d"),
    REGISTER_FORM("movzwq 2(%%rdi), %%rax"),
    REGISTER_FORM("movsbl (%%rdi), %%eax"),
    REGISTER_FORM("movsbq (%%rdi), %%rdx"),
    REGISTER_FORM("movsbw (%%rdi), %%ax"),
    REGISTER_FORM("movswl 2(%%rdi), %%eax"),
    REGISTER_FORM("movswq 2(%%rdi), %%r9"),
    REGISTER_FORM("movslq 4(%%rdi), %%rax"),
    REGISTER_FORM("movnti %%edx, 4(%%rdi)"),
    REGISTER_FORM("movnti %%r9, 8(%%rdi)"),
    REGISTER_FORM("movdqu %%xmm3, (%%rdi)"),
    REGISTER_FORM("movdqu (%%rdi), %%xmm11"),
    REGISTER_FORM("movdqa %%xmm11, 16(%%rdi)"),
    REGISTER_FORM("movdqa 16(%%rdi), %%xmm3"),
    REGISTER_FORM("movups %%xmm3, (%%rdi)"),
    REGISTER_FORM("movups (%%rdi), %%xmm3"),
    REGISTER_FORM("movaps %%xmm11, 16(%%rdi)"),
    REGISTER_FORM("movupd (%%rdi), %%xmm3"),
    REGISTER_FORM("movsd %%xmm3, 8(%%rdi)"),
    REGISTER_FORM("movsd 8(%%rdi), %%xmm11"),
    REGISTER_FORM("movq %%xmm11, 8(%%rdi)"),
    REGISTER_FORM("movq 8(%%rdi), %%xmm3"),
    REGISTER_FORM("movntdq %%xmm3, 16(%%rdi)"),
    REGISTER_FORM("movntps %%xmm3, 16(%%rdi)"),
    REGISTER_FORM("testb $0x80, (%%rdi)"),
    REGISTER_FORM("testl $1, 4(%%rdi)"),
    REGISTER_FORM("testq %%rax, 8(%%rdi)"),
    REGISTER_FORM("cmpb $0x7f, (%%rdi)"),
    REGISTER_FORM("cmpw $-1, 2(%%rdi)"),
    REGISTER_FORM("cmpl $0x7fffffff, 4(%%rdi)"),
    REGISTER_FORM("cmpq %%rdx, 8(%%rdi)"),
    REGISTER_FORM("cmpl 4(%%rdi), %%eax"),
    REGISTER_FORM("cmpb %%ah, (%%rdi)"),
    REGISTER_FORM("andl $0xf0f0f0f0, 4(%%rdi)"),
    REGISTER_FORM("orb $1, (%%rdi)"),
    REGISTER_FORM("orl %%edx, 4(%%rdi)"),
    REGISTER_FORM("xorq %%r9, 8(%%rdi)"),
    REGISTER_FORM("andq 8(%%rdi), %%rax"),
    REGISTER_FORM("orl 4(%%rdi), %%edx"),
    REGISTER_FORM("xorw 2(%%rdi), %%ax"),
    REGISTER_FORM("orl $8, 4(%%rdi)"),
};

static std::uint8_t* closed = nullptr;
static std::uint8_t behind[4096];
static unsigned accesses = 0;

struct Behind final : hal::MappedRegisters {
  std::uint64_t load(std::uint64_t offset, unsigned bytes) override {
    std::uint64_t value = 0;
    std::memcpy(&value, behind + offset, bytes);
    return value;
  }
  void store(std::uint64_t offset, unsigned bytes, std::uint64_t value) override {
    std::memcpy(behind + offset, &value, bytes);
  }
};

static void on_fault(int, siginfo_t* info, void* context) {
  Behind registers;
  const auto offset = static_cast<std::size_t>(static_cast<std::uint8_t*>(info->si_addr) - closed);
  if (offset >= 4096 || !access_registers(*static_cast<ucontext_t*>(context), registers, offset, true, true))
    std::signal(SIGSEGV, SIG_DFL);
  ++accesses;
}

static void fill(std::uint8_t* memory, unsigned variant) {
  for (unsigned i = 0; i < 4096; ++i)
    memory[i] = static_cast<std::uint8_t>(variant == 0 ? 0 : variant == 1 ? 0xff : (i * 37 + variant * 101) >> (i % 3));
}

TEST(RegisterForms, EveryFormDoesWhatTheProcessorDoes) {
  closed = static_cast<std::uint8_t*>(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(closed, MAP_FAILED);
  alignas(16) static std::uint8_t open[4096];
  struct sigaction action {
  }, before{};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, &before);
  for (const Row& row : kForms)
    for (unsigned variant = 0; variant < 12; ++variant) {
      State real, emulated;
      fill(open, variant);
      fill(behind, variant);
      row.run(open, &real);
      accesses = 0;
      row.run(closed, &emulated);
      const bool compares = std::string(row.name).find("cmp") == 0;
      const std::uint64_t flags = compares ? 0xD501 : 0xC501;  // the auxiliary carry of and, or, test is undefined
      real.flags &= flags;
      emulated.flags &= flags;
      EXPECT_EQ(accesses, 1U) << row.name;
      EXPECT_EQ(std::memcmp(open, behind, sizeof open), 0) << row.name << ", memory, variant " << variant;
      EXPECT_EQ(std::memcmp(&real, &emulated, sizeof real), 0) << row.name << ", registers, variant " << variant;
    }
  sigaction(SIGSEGV, &before, nullptr);
  munmap(closed, 4096);
}

}  // namespace register_forms
}  // namespace iommusim::preload
