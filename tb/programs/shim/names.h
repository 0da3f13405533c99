/* SPDX-License-Identifier: Apache-2.0
 * Put in front of a program of tb/programs (-include) when it runs inside a unit test: the system calls that it makes
 * on descriptors of the stack go to shim.cpp. Compiled without this file, the same program runs under `iommusim exec`.
 */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif
int shim_open(const char* path, int flags, ...);
int shim_close(int fd);
int shim_dup(int fd);
int shim_ioctl(int fd, unsigned long command, ...);
ssize_t shim_read(int fd, void* to, size_t bytes);
ssize_t shim_write(int fd, const void* from, size_t bytes);
ssize_t shim_pread(int fd, void* to, size_t bytes, off_t position);
ssize_t shim_pwrite(int fd, const void* from, size_t bytes, off_t position);
void* shim_mmap(void* at, size_t bytes, int prot, int flags, int fd, off_t offset);
int shim_munmap(void* at, size_t bytes);
int shim_poll(struct pollfd* fds, nfds_t count, int timeout_ms);
#ifdef __cplusplus
}
#endif

#ifndef IOMMUSIM_SHIM_ITSELF
#define open shim_open
#define close shim_close
#define dup shim_dup
#define ioctl shim_ioctl
#define read shim_read
#define write shim_write
#define pread shim_pread
#define pwrite shim_pwrite
#define mmap shim_mmap
#define munmap shim_munmap
#define poll shim_poll
#endif
