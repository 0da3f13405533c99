// SPDX-License-Identifier: Apache-2.0
// Each form of access is executed twice: on memory, and on a page without rights whose fault is answered by
// access_registers(). Registers, flags and memory must agree.
#include "preload/register_access.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>

#include <cstring>

namespace iommusim::preload {
namespace {

struct Bytes final : hal::MappedRegisters {
  std::uint64_t load(std::uint64_t offset, unsigned bytes) override {
    EXPECT_EQ(offset % bytes, 0U);
    std::uint64_t value = 0;
    std::memcpy(&value, content + offset, bytes);
    ++accesses;
    return value;
  }
  void store(std::uint64_t offset, unsigned bytes, std::uint64_t value) override {
    EXPECT_EQ(offset % bytes, 0U);
    std::memcpy(content + offset, &value, bytes);
    ++accesses;
  }
  unsigned char content[4096];
  unsigned accesses = 0;
};

Bytes registers;
unsigned char* page = nullptr;
bool readable = true, writable = true, refused = false;

void on_segv(int, siginfo_t* info, void* raw) {
  auto& context = *static_cast<ucontext_t*>(raw);
  const auto offset = static_cast<std::uint64_t>(static_cast<unsigned char*>(info->si_addr) - page);
  if (access_registers(context, registers, offset, readable, writable)) return;
  refused = true;
  mprotect(page, 4096, PROT_READ | PROT_WRITE);  // let it pass
}

struct RegisterAccess : ::testing::Test {
  void SetUp() override {
    page = static_cast<unsigned char*>(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    struct sigaction action {};
    action.sa_sigaction = on_segv;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, &before);
    refused = false;
    readable = writable = true;
    registers.accesses = 0;
  }
  void TearDown() override {
    sigaction(SIGSEGV, &before, nullptr);
    munmap(page, 4096);
  }
  struct sigaction before {};
};

struct State {
  std::uint64_t a, b, flags;
  unsigned char memory[64];
};

constexpr std::uint64_t kArithmeticFlags = 0x8D5;

// An instruction on 16 bytes behind %2, with %0 (rax) and %1 (rdx) as its registers.
#define FORM(text)                                                                          \
  {                                                                                         \
    text, [](std::uint64_t& a, std::uint64_t& b, unsigned char* at, std::uint64_t& flags) { \
      asm volatile("movq %3, %%xmm1\n\t" text                                               \
                   "\n\tlea -128(%%rsp), %%rsp\n\tpushfq\n\tpopq %2\n\t"                    \
                   "lea 128(%%rsp), %%rsp"                                                  \
                   : "+a"(a), "+d"(b), "=&r"(flags)                                         \
                   : "r"(0x1122334455667788ULL), "D"(at)                                    \
                   : "memory", "cc", "xmm1");                                               \
    }                                                                                       \
  }

struct Form {
  const char* text;
  void (*run)(std::uint64_t& a, std::uint64_t& b, unsigned char* at, std::uint64_t& flags);
};

constexpr Form kForms[] = {
    FORM("mov (%%rdi), %%eax"),        FORM("mov 8(%%rdi), %%rax"),
    FORM("mov 2(%%rdi), %%ax"),        FORM("mov 5(%%rdi), %%al"),
    FORM("mov 5(%%rdi), %%ah"),        FORM("mov %%eax, (%%rdi)"),
    FORM("mov %%rax, 8(%%rdi)"),       FORM("mov %%ax, 2(%%rdi)"),
    FORM("mov %%dh, 7(%%rdi)"),        FORM("movl $0x12345678, 4(%%rdi)"),
    FORM("movq $-5, (%%rdi)"),         FORM("movw $0x1234, (%%rdi)"),
    FORM("movb $0x12, 3(%%rdi)"),      FORM("movzbl 1(%%rdi), %%eax"),
    FORM("movzwl 2(%%rdi), %%eax"),    FORM("movsbq 4(%%rdi), %%rax"),
    FORM("movswl 6(%%rdi), %%eax"),    FORM("movslq 4(%%rdi), %%rax"),
    FORM("movnti %%eax, (%%rdi)"),     FORM("test %%eax, (%%rdi)"),
    FORM("testb $1, 4(%%rdi)"),        FORM("testl $0x80000000, (%%rdi)"),
    FORM("cmp %%eax, (%%rdi)"),        FORM("cmp (%%rdi), %%rax"),
    FORM("cmpb $0x7f, 1(%%rdi)"),      FORM("cmpl $0x1000, (%%rdi)"),
    FORM("cmpw $3, (%%rdi)"),          FORM("orl $1, (%%rdi)"),
    FORM("andl $-2, 4(%%rdi)"),        FORM("add %%eax, (%%rdi)"),
    FORM("add (%%rdi), %%rax"),        FORM("sub (%%rdi), %%eax"),
    FORM("xor %%al, 3(%%rdi)"),        FORM("stc\n\tadc (%%rdi), %%eax"),
    FORM("stc\n\tsbb %%eax, (%%rdi)"), FORM("sub %%dl, 9(%%rdi)"),
    FORM("movups %%xmm1, (%%rdi)"),    FORM("movups (%%rdi), %%xmm1\n\tmovq %%xmm1, %%rax"),
    FORM("movq %%xmm1, 8(%%rdi)"),     FORM("movq 8(%%rdi), %%xmm1\n\tmovq %%xmm1, %%rax"),
    FORM("movsd %%xmm1, (%%rdi)"),     FORM("mov 1(%%rdi), %%eax"),
    FORM("mov %%rax, 3(%%rdi)"),
};

TEST_F(RegisterAccess, LeavesWhatTheInstructionWouldHaveLeft) {
  const std::uint64_t values[] = {0, 1, 0x8000'0000, 0x7FFF'FFFF'FFFF'FFFF, 0x0123'4567'89AB'CDEF, ~0ULL};
  for (const Form& form : kForms) {
    for (const std::uint64_t a : values)
      for (const std::uint64_t fill : values) {
        State real{a, ~a, 0, {}}, done = real;
        for (unsigned i = 0; i < 8; ++i) std::memcpy(real.memory + 8 * i, &fill, 8);
        std::memcpy(registers.content, real.memory, 64);
        form.run(real.a, real.b, real.memory, real.flags);
        form.run(done.a, done.b, page, done.flags);
        std::memcpy(done.memory, registers.content, 64);
        ASSERT_FALSE(refused) << form.text;
        ASSERT_EQ(done.a, real.a) << form.text << " " << std::hex << a << " " << fill;
        ASSERT_EQ(done.b, real.b) << form.text;
        ASSERT_EQ(done.flags & kArithmeticFlags, real.flags & kArithmeticFlags) << form.text << std::hex << a << fill;
        ASSERT_EQ(std::memcmp(done.memory, real.memory, 64), 0) << form.text;
      }
  }
}

TEST_F(RegisterAccess, IndexedOperandsHaveTheirLength) {
  std::memset(registers.content, 0x5C, 64);
  std::uint64_t value = 0;
  asm volatile("mov 0x40(%1,%2,4), %0" : "=r"(value) : "r"(page - 0x40), "r"(2ULL) : "memory");
  EXPECT_EQ(value, 0x5C5C'5C5C'5C5C'5C5CULL);
  EXPECT_EQ(registers.accesses, 1U) << "one access of eight bytes";
}

TEST_F(RegisterAccess, VolatileAccessorsOfPrograms) {
  volatile auto* const at = reinterpret_cast<volatile std::uint32_t*>(page);
  std::memset(registers.content, 0, 64);
  at[2] = 3;
  EXPECT_EQ(at[2], 3U);
  EXPECT_EQ(registers.content[8], 3);
  *reinterpret_cast<volatile std::uint64_t*>(page + 16) = 0xABCDEF;
  EXPECT_EQ(*reinterpret_cast<volatile std::uint8_t*>(page + 17), 0xCD);
}

TEST_F(RegisterAccess, RightsAreKept) {
  writable = false;
  EXPECT_EQ(*reinterpret_cast<volatile std::uint32_t*>(page), *reinterpret_cast<std::uint32_t*>(registers.content));
  EXPECT_FALSE(refused);
  *reinterpret_cast<volatile std::uint32_t*>(page) = 1;
  EXPECT_TRUE(refused) << "no right to write";
}

TEST_F(RegisterAccess, OtherInstructionsAreRefused) {
  std::uint64_t one = 1;
  asm volatile("lock xaddq %0, (%1)" : "+r"(one) : "r"(page) : "memory");
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace iommusim::preload
