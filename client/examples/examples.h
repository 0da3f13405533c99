/* SPDX-License-Identifier: Apache-2.0
 * The examples as functions, so that a test can run them on other system calls. 0: it did what it should.
 */
#pragma once

#include "ioc.h"

#ifdef __cplusplus
extern "C" {
#endif
int example_dma(const struct ioc_system* system, const char* path);
int example_fault(const struct ioc_system* system, const char* path);
int example_dirty(const struct ioc_system* system, const char* path);
#ifdef __cplusplus
}
#endif
