/* SPDX-License-Identifier: Apache-2.0
 * A small harness for programs that test a device node from outside. TEST(name) { ... } is one case; VARIANT_TEST(name,
 * count) is run with `variant` from 0 to count - 1. Each runs in a child that opens the node itself, so a crash or a
 * hang (10 s) is one failure. The arguments of the program are words; a case runs if its name contains one of them.
 */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct test_case {
  const char* name;
  void (*run)(void);
  int variants;
  struct test_case* next;
};

static struct test_case* first_case;
static struct test_case** end_of_cases = &first_case;
static int variant;
static int failures;

static void add_case(struct test_case* added) {
  *end_of_cases = added;
  end_of_cases = &added->next;
}

#define VARIANT_TEST(title, count)                                                        \
  static void title(void);                                                                \
  static struct test_case case_##title = {#title, title, count, 0};                       \
  __attribute__((constructor)) static void add_##title(void) { add_case(&case_##title); } \
  static void title(void)
#define TEST(title) VARIANT_TEST(title, 1)

#define FAIL(...)                                                \
  do {                                                           \
    failures++;                                                  \
    printf("%s:%d (variant %d): ", __FILE__, __LINE__, variant); \
    printf(__VA_ARGS__);                                         \
    printf("\n");                                                \
  } while (0)

#define EXPECT(condition)                             \
  do {                                                \
    if (!(condition)) FAIL("not so: %s", #condition); \
  } while (0)

#define EXPECT_EQ(left, right)                                                                                  \
  do {                                                                                                          \
    long long left_value = (long long)(left), right_value = (long long)(right);                                 \
    if (left_value != right_value) FAIL("%s is %#llx, not %#llx (%s)", #left, left_value, right_value, #right); \
  } while (0)

/* The call says -1 and this errno. */
#define EXPECT_ERRNO(number, call)                                                                         \
  do {                                                                                                     \
    errno = 0;                                                                                             \
    long long call_result = (long long)(call);                                                             \
    int call_errno = errno;                                                                                \
    if (call_result != -1 || call_errno != (number))                                                       \
      FAIL("%s: result %lld, errno %s, not %s", #call, call_result, strerrorname_np(call_errno), #number); \
  } while (0)

#define EXPECT_OK(call)                                                               \
  do {                                                                                \
    errno = 0;                                                                        \
    if ((long long)(call) == -1) FAIL("%s: errno %s", #call, strerrorname_np(errno)); \
  } while (0)

/* As EXPECT_OK; what follows would make no sense. */
#define REQUIRE_OK(call)                                   \
  do {                                                     \
    errno = 0;                                             \
    if ((long long)(call) == -1) {                         \
      FAIL("%s: errno %s", #call, strerrorname_np(errno)); \
      fflush(stdout);                                      \
      _exit(1);                                            \
    }                                                      \
  } while (0)

static int run_one(const struct test_case* which) {
  int status = 0;
  pid_t child;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    alarm(10);
    which->run();
    fflush(stdout);
    _exit(failures != 0);
  }
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) printf("%s (variant %d): signal %d\n", which->name, variant, WTERMSIG(status));
  return status != 0;
}

static int wanted(const struct test_case* which, int count, char** words) {
  int i;
  for (i = 1; i < count; i++)
    if (strstr(which->name, words[i])) return 1;
  return count < 2;
}

int main(int argc, char** argv) {
  int ran = 0, failed = 0;
  struct test_case* which;
  for (which = first_case; which; which = which->next) {
    if (!wanted(which, argc, argv)) continue;
    for (variant = 0; variant < which->variants; variant++) {
      int bad = run_one(which);
      ran++;
      failed += bad;
      if (bad) printf("FAILED %s, variant %d\n", which->name, variant);
    }
  }
  printf("%d run, %d failed\n", ran, failed);
  return failed != 0 || ran == 0;
}
