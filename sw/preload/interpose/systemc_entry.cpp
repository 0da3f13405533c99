// SPDX-License-Identifier: Apache-2.0
// The entry that the SystemC library wants of a program, which is not one: nobody calls it. A program that has its own
// keeps it, for its symbols come first.
extern "C" [[gnu::visibility("default")]] int sc_main(int, char**) { return 0; }
