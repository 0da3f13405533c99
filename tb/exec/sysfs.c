// SPDX-License-Identifier: Apache-2.0
// The tree of sysfs and /dev by every way that programs read it: directories, links, globs, relative paths.
#define _GNU_SOURCE
#include <dirent.h>
#include <glob.h>
#include <limits.h>
#include <sys/stat.h>

#include "check.h"

static int lists(const char* path, const char* name) {
  DIR* d = opendir(path);
  CHECK(d != NULL);
  int found = 0;
  for (struct dirent* e; (e = readdir(d));) found += strcmp(e->d_name, name) == 0;
  closedir(d);
  return found;
}

int main(int argc, char** argv) {
  struct stat s;
  char text[PATH_MAX] = {0};
  CHECK(lists("/dev/vfio", "vfio") == 1);
  CHECK(lists("/dev//vfio/./", "devices") == 1);
  CHECK(lists("/sys/bus/pci/drivers", "vfio-pci") == 1);
  CHECK(stat("/dev/vfio/vfio", &s) == 0 && S_ISCHR(s.st_mode));
  CHECK(realpath("/sys/bus/pci/drivers/vfio-pci/module", text) && strcmp(text, "/sys/module/vfio_pci") == 0);
  int directory = open("/dev/vfio", O_RDONLY | O_DIRECTORY);
  CHECK(directory >= 0);
  int fd = openat(directory, "vfio", O_RDWR);  // a node by a relative path is a node
  CHECK(fd >= 0 && fstat(fd, &s) == 0 && S_ISCHR(s.st_mode));
  close(fd);
  CHECK(fstatat(directory, "vfio", &s, 0) == 0 && S_ISCHR(s.st_mode));
  CHECK(chdir("/sys/bus/pci") == 0 && getcwd(text, sizeof text) && strcmp(text, "/sys/bus/pci") == 0);
  CHECK(access("drivers/vfio-pci/bind", W_OK) == 0);
  fd = open("/sys/bus/pci/drivers/vfio-pci/new_id", O_WRONLY);
  CHECK(fd >= 0 && write(fd, "1b36 0010", 9) == 9);
  close(fd);
  struct dirent** entries;
  CHECK(scandir("/dev/vfio", &entries, NULL, alphasort) >= 3);
  glob_t g;
  CHECK(glob("/dev/vfio/v*", 0, NULL, &g) == 0 && g.gl_pathc == 1 && strcmp(g.gl_pathv[0], "/dev/vfio/vfio") == 0);
  globfree(&g);
  CHECK(glob("/sys/bus/pci/nothing*", 0, NULL, &g) == GLOB_NOMATCH);
  CHECK(stat("/proc/self", &s) == 0 && stat("/dev/null", &s) == 0);  // the rest is the host's
  (void)argc;
  (void)argv;
  return 0;
}
