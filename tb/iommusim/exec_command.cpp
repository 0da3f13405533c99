// SPDX-License-Identifier: Apache-2.0
// iommusim exec: runs a program with the preload library in front of libc. What the program finds as sysfs and as
// device nodes is made here before it starts and removed after it has ended; the machine itself lives in the program's
// process. Exit status as a shell gives it: the program's own, 128 + n when signal n ended it (this process ends by the
// same signal), 126 cannot be executed, 127 not found.
#include <elf.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "base/error.h"
#include "commands.h"
#include "preload/machines.h"
#include "preload/tree_builder.h"

namespace iommusim::program {
namespace {

namespace fs = std::filesystem;

constexpr int kNotFound = 127, kNotExecutable = 126;

std::string beside_this_program(const char* name) {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return name;
  return (fs::path(std::string(path, static_cast<std::size_t>(length))).parent_path() / name).string();
}

// As execvp() looks for it; empty: not found, and `error` says why.
std::string find_program(const std::string& name, int& error) {
  error = ENOENT;
  if (name.find('/') != std::string::npos) {
    if (access(name.c_str(), F_OK) != 0) return {};
    if (access(name.c_str(), X_OK) == 0 && !fs::is_directory(name)) return name;
    error = EACCES;
    return {};
  }
  const char* const path = std::getenv("PATH");
  const std::string folders = path ? path : "/usr/bin:/bin";
  for (std::size_t at = 0; at <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    const fs::path candidate = fs::path(end == at ? "." : folders.substr(at, end - at)) / name;
    std::error_code ignored;
    if (fs::is_regular_file(candidate, ignored)) {
      if (access(candidate.c_str(), X_OK) == 0) return candidate.string();
      error = EACCES;
    }
    at = end + 1;
  }
  return {};
}

// Why a library cannot be preloaded into this file; empty: it can.
std::string unsuitable(const std::string& path, int depth = 0) {
  std::ifstream file(path, std::ios::binary);
  char head[sizeof(Elf64_Ehdr)] = {};
  file.read(head, sizeof head);
  if (std::memcmp(head, "#!", 2) == 0 && depth < 4) {
    file.clear();
    file.seekg(2);
    std::string interpreter;
    file >> interpreter;
    return interpreter.empty() ? std::string() : unsuitable(interpreter, depth + 1);
  }
  if (file.gcount() < static_cast<std::streamsize>(sizeof head) || std::memcmp(head, ELFMAG, SELFMAG) != 0) return {};
  Elf64_Ehdr header;
  std::memcpy(&header, head, sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64) return "it is no x86-64 program";
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    file.seekg(static_cast<std::streamoff>(header.e_phoff + std::uint64_t{i} * header.e_phentsize));
    file.read(reinterpret_cast<char*>(&segment), sizeof segment);
    if (segment.p_type != PT_INTERP) continue;
    std::string loader(segment.p_filesz, '\0');
    file.seekg(static_cast<std::streamoff>(segment.p_offset));
    file.read(loader.data(), static_cast<std::streamsize>(loader.size()));
    if (loader.find("ld-musl") != std::string::npos) return "it is linked with musl, expected glibc";
    if (access(path.c_str(), R_OK) == 0 && (fs::status(path).permissions() & fs::perms::set_uid) != fs::perms::none)
      return "it is set-user-id, so the loader preloads nothing into it";
    return {};
  }
  return "it is statically linked, expected a dynamically linked program";
}

// A folder that goes with the run.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "iommusim-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("cannot make a folder like " + name);
    path_ = fs::canonical(name).string();
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

volatile sig_atomic_t child = 0;

void forward(int signal) {
  const int saved = errno;
  if (child > 0) kill(child, signal);
  errno = saved;
}

void run_child(const std::string& path, const ExecOptions& options) {
  std::vector<char*> arguments;
  for (const std::string& argument : options.program) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execv(path.c_str(), arguments.data());
  const int error = errno;
  std::fprintf(stderr, "iommusim exec: %s: %s\n", options.program.front().c_str(), std::strerror(error));
  _exit(error == ENOENT ? kNotFound : kNotExecutable);
}

void set_environment(const ExecOptions& options, const std::string& tree) {
  const std::string library = beside_this_program("libiommusim_preload.so");
  if (access(library.c_str(), R_OK) != 0) throw std::runtime_error("cannot find " + library);
  const char* const others = std::getenv("LD_PRELOAD");
  setenv("LD_PRELOAD", (others && *others ? library + ":" + others : library).c_str(), 1);
  setenv("IOMMUSIM_EXEC_ROOT", tree.c_str(), 1);
  setenv("IOMMUSIM_EXEC_MACHINE", options.machine.c_str(), 1);
  std::string arguments;
  for (const std::string& argument : options.machine_arguments) arguments += argument + "\n";
  setenv("IOMMUSIM_EXEC_ARGUMENTS", arguments.c_str(), 1);
  setenv("IOMMUSIM_EXEC_DESTROY", options.destroy.c_str(), 1);
}

int end_as(int status) {
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  const int signal = WTERMSIG(status);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);  // the program's core, if any, is there already
  std::signal(signal, SIG_DFL);
  raise(signal);
  return 128 + signal;
}

}  // namespace

/// What was told about the simulated machine, as its arguments. Files are the program's to open, wherever it goes.
std::vector<std::string> arguments_of(const ExecOptions& options) {
  std::vector<std::string> arguments = options.machine_arguments;
  const auto add = [&](const char* name, const std::string& path) {
    if (!path.empty()) arguments.push_back(name + ("=" + fs::absolute(path).lexically_normal().string()));
  };
  add("system", options.system);
  for (const std::string& set : options.sets) arguments.push_back("set=" + set);
  if (options.seed) arguments.push_back("seed=" + std::to_string(*options.seed));
  add("output", options.output);
  add("ioctl_log", options.ioctl_log);
  if (options.machine != "simulated" && arguments.size() != options.machine_arguments.size())
    throw base::InputError("iommusim exec: " + arguments.back() + " is for --machine simulated, expected that machine");
  return arguments;
}

int exec(const ExecOptions& given) {
  ExecOptions options = given;
  options.machine_arguments = arguments_of(given);
  const preload::MachineKind* const machine = preload::find_machine(options.machine);
  if (!machine) throw base::InputError("iommusim exec: no machine '" + options.machine + "' in this build");
  int error = 0;
  const std::string path = find_program(options.program.front(), error);
  if (path.empty()) {
    std::fprintf(stderr, "iommusim exec: %s: %s\n", options.program.front().c_str(), std::strerror(error));
    return error == ENOENT ? kNotFound : kNotExecutable;
  }
  const std::string why = unsuitable(path);
  if (!why.empty()) throw base::InputError("iommusim exec: cannot get between " + path + " and the kernel: " + why);

  int status = 0;
  {
    const Folder folder;
    preload::build_tree(folder.path(), machine->slots(options.machine_arguments));
    set_environment(options, folder.path());
    std::fflush(nullptr);
    child = fork();
    if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
    if (child == 0) run_child(path, options);
    struct sigaction action {};
    action.sa_handler = forward;
    action.sa_flags = SA_RESTART;
    for (const int signal : {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) sigaction(signal, &action, nullptr);
    // Those of the keyboard reach the whole group by themselves; this process stays to clean up.
    action.sa_handler = SIG_IGN;
    for (const int signal : {SIGINT, SIGQUIT}) sigaction(signal, &action, nullptr);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  }
  return end_as(status);
}

}  // namespace iommusim::program
