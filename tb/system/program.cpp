// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace iommusim::system_test {

namespace {

std::string read_to_end(int descriptor) {
  std::string text;
  std::array<char, 65536> buffer;
  for (ssize_t got; (got = read(descriptor, buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  close(descriptor);  // a terminal whose other side is gone ends with EIO
  return text;
}

}  // namespace

Outcome call(const std::vector<std::string>& arguments, bool terminal) {
  int out[2], err[2];
  if (pipe(out) != 0 || (terminal ? openpty(&err[0], &err[1], nullptr, nullptr, nullptr) : pipe(err)) != 0)
    throw std::runtime_error("no pipe");
  std::vector<char*> argv{const_cast<char*>(IOMMUSIM_PROGRAM)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    for (const int descriptor : {out[0], out[1], err[0], err[1]}) close(descriptor);
    execv(IOMMUSIM_PROGRAM, argv.data());
    _exit(127);
  }
  close(out[1]);
  close(err[1]);
  Outcome outcome;
  std::thread reader([&] { outcome.err = read_to_end(err[0]); });
  outcome.out = read_to_end(out[0]);
  reader.join();
  int status = 0;
  waitpid(child, &status, 0);
  outcome.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "iommusim-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path(name), std::ios::binary) << text;
  return path(name);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.is_open()) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool exists(const std::string& path) { return std::filesystem::exists(path); }

std::string sample(const std::string& name) {
  return std::string(IOMMUSIM_SOURCE) + "/traces/samples/" + name + ".csv.zst";
}

std::string example_system(const std::string& name) { return std::string(IOMMUSIM_SOURCE) + "/systems/" + name; }

std::string shared_traces() {
  const char* const shared = std::getenv("IOMMUSIM_SHARED");
  const std::string folder =
      (shared != nullptr ? std::string(shared) : std::string(IOMMUSIM_SOURCE) + "/../shared") + "/traces";
  return exists(folder + "/facts.json") ? folder : "";
}

struct Stats::Tree {
  nlohmann::json root;
};

Stats::Stats(const std::string& json) : tree_(std::make_shared<Tree>(Tree{nlohmann::json::parse(json)})) {}

std::uint64_t Stats::operator[](const std::string& path) const {
  const nlohmann::json* at = path.rfind("run.", 0) == 0 ? &tree_->root : &tree_->root.at("measured").at("system");
  std::istringstream parts(path);
  for (std::string part; std::getline(parts, part, '.');) {
    if (!at->contains(part)) {
      ADD_FAILURE() << "there is no " << path;
      return ~0ULL;
    }
    at = &at->at(part);
  }
  return (at->is_object() ? at->at("value") : *at).get<std::uint64_t>();
}

std::string Stats::digest() const { return tree_->root.at("run").at("digest").dump(); }
std::string Stats::digest(const std::string& part) const { return tree_->root.at("run").at("digest").at(part); }

Stats run(const std::string& system, const std::vector<std::string>& sets) {
  std::vector<std::string> arguments{"run", system, "--json"};
  for (const std::string& set : sets) {
    arguments.push_back("--set");
    arguments.push_back(set);
  }
  const Outcome outcome = call(arguments);
  if (outcome.exit != 0) throw std::runtime_error("exit code " + std::to_string(outcome.exit) + ": " + outcome.err);
  return Stats(outcome.out);
}

Stats run_device(const std::string& device, const std::vector<std::string>& sets) {
  const Folder folder;
  return run(folder.write("s.yaml", "devices: {d: " + device + "}\nsoftware: {largest_page_bytes: 4096}\n"), sets);
}

}  // namespace iommusim::system_test
