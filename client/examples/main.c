/* SPDX-License-Identifier: Apache-2.0
 * Each example as a program: EXAMPLE is the name of its function.
 */
#include "examples.h"

int main(int argc, char** argv) { return EXAMPLE(NULL, argc > 1 ? argv[1] : "/dev/vfio/devices/vfio0"); }
