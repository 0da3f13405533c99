// SPDX-License-Identifier: Apache-2.0
// Starting the machine, opening nodes, and calls into files.
#include "preload/runtime.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <exception>

#include "iommufd/context_file.h"
#include "preload/host_files.h"
#include "preload/machines.h"
#include "preload/proc_status.h"
#include "preload/register_access.h"
#include "preload/signals.h"
#include "preload/system_calls.h"
#include "uapi/build_options.h"

namespace iommusim::preload {
namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

void complain(const char* what) {
  const std::string line = std::string("iommusim exec: ") + what + "\n";
  sys::write(2, line.data(), line.size());
}

// Of the contexts that the program opens (R1.5a).
iommufd::ContextOptions context_options() {
  iommufd::ContextOptions options;
  if (environment("IOMMUSIM_EXEC_DESTROY") == "busy") options.destroy = iommufd::DestroyPolicy::kBusy;
  return options;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// A call of the program into a file, as the machine sees it.
class Inside {
 public:
  explicit Inside(Running* running) : machine_(running ? running->machine.get() : nullptr) {
    if (machine_) machine_->call_begins();
  }
  ~Inside() {
    if (machine_) machine_->call_ends();
  }

 private:
  Machine* const machine_;
};

// A contradiction inside the stack is its own bug: said, and an errno for the program.
template <class Work>
std::int64_t guarded(Work work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  } catch (const std::exception& error) {
    complain(error.what());
    return -EIO;
  }
}

}  // namespace

Runtime& Runtime::get() {
  static Runtime* const runtime = new Runtime;
  return *runtime;
}

Runtime::Runtime() : tree_(environment("IOMMUSIM_EXEC_ROOT")) {}

int Runtime::start() {
  const std::lock_guard guard(start_lock_);
  if (running_) return 0;
  try {
    auto running = std::make_unique<Running>(descriptors_);
    set_file_pages(&running->pages);
    const std::string name = environment("IOMMUSIM_EXEC_MACHINE");
    const MachineKind* const kind = find_machine(name);
    if (!kind) throw std::runtime_error("no machine '" + name + "' in this build");
    catch_faults();
    starting_ = pthread_self();
    running->machine = kind->make(running->ram.ram(), running->ram, lines_of(environment("IOMMUSIM_EXEC_ARGUMENTS")));
    running->registry = std::make_unique<vfio::Registry>(running->machine->host());
    for (const PciSlot& slot : running->machine->slots())
      running->registry->add(slot.address, *slot.function, *slot.device);
    starting_ = pthread_t{};
    running_ = running.release();
    return 0;
  } catch (const std::exception& error) {
    starting_ = pthread_t{};
    complain(error.what());
    return ENODEV;
  }
}

int Runtime::open_file(const Node& node, std::shared_ptr<hal::File>& out) {
  switch (node.kind) {
    case NodeKind::kIommu:
      if (!uapi::kHasIommufd) return -ENODEV;
      out = std::make_shared<iommufd::ContextFile>(
          "/dev/iommu", iommufd::Context::open(running_->machine->host(), context_options()));
      return 0;
    case NodeKind::kContainer: {
      iommufd::ContextOptions options = context_options();
      options.account = hal::LockedAccount::kMm;  // R11.4
      return running_->registry->open_container(out, options);
    }
    case NodeKind::kGroup:
      return running_->registry->open_group(node.number, out);
    case NodeKind::kDevice:
      return running_->registry->open_device(node.number, out);
  }
  return -ENODEV;
}

int Runtime::opened(int fd) {
  if (!active() || fd < 0) return fd;
  if (descriptors_.may_be_ours(fd)) descriptors_.remove(fd);  // closed behind our back
  struct stat status {};
  if (sys::call(SYS_fstat, fd, &status) != 0) return fd;
  const Node* const node = tree_.find_node(status);
  if (!node) return fd;
  if (fd >= Descriptors::kMaxFd) return sys::close(fd), -EMFILE;
  const auto index = static_cast<std::uint64_t>(node - tree_.nodes().data());
  std::shared_ptr<OpenFile> open;
  std::int64_t error = 0;
  if (lane_) {
    LaneMessage message;
    message.op = LaneOp::kOpen;
    message.a = index;
    error = lane_->call(message);
    if (error == 0) open = lane_->make_file(message.id, node->device_number);
  } else {
    open = std::make_shared<OpenFile>();
    open->device_number = node->device_number;
    error = open_node(index, *open);
  }
  if (error) {
    sys::close(fd);
    return static_cast<int>(error);
  }
  descriptors_.add(fd, std::move(open));
  return fd;
}

int Runtime::open_node(std::uint64_t node, OpenFile& out) {
  if (const int error = start()) return -error;
  const Inside inside(running_);
  return static_cast<int>(guarded([&] { return open_file(tree_.nodes().at(node), out.file); }));
}

std::int64_t Runtime::ioctl(OpenFile& open, std::uint32_t command, std::uint64_t arg) {
  if (open.file) return ioctl(running_->process, open, command, arg);
  LaneMessage message;
  message.op = LaneOp::kIoctl;
  message.id = open.remote, message.command = command, message.a = arg;
  return lane_->call(message);
}

std::int64_t Runtime::read(OpenFile& open, std::uint64_t va, std::uint64_t bytes, const std::uint64_t* position) {
  if (open.file) return read(running_->process, open, va, bytes, position);
  LaneMessage message;
  message.op = LaneOp::kRead;
  message.id = open.remote, message.a = va, message.b = bytes,
  message.c = position ? *position : LaneMessage::kNoPosition;
  return lane_->call(message);
}

std::int64_t Runtime::write(OpenFile& open, std::uint64_t va, std::uint64_t bytes, const std::uint64_t* position) {
  if (open.file) return write(running_->process, open, va, bytes, position);
  LaneMessage message;
  message.op = LaneOp::kWrite;
  message.id = open.remote, message.a = va, message.b = bytes,
  message.c = position ? *position : LaneMessage::kNoPosition;
  return lane_->call(message);
}

std::int64_t Runtime::ioctl(hal::Process& caller, OpenFile& open, std::uint32_t command, std::uint64_t arg) {
  const std::shared_ptr<hal::File> file = open.file;
  const Inside inside(running_);
  const std::unique_ptr<CallRecord> record = running_->machine->ioctl_begins(file->name(), command, arg);
  const std::int64_t result = guarded([&] { return file->ioctl(caller, command, arg); });
  if (record) record->ended(result);
  return result;
}

std::int64_t Runtime::read(hal::Process& caller, OpenFile& open, std::uint64_t va, std::uint64_t bytes,
                           const std::uint64_t* position) {
  const std::shared_ptr<hal::File> file = open.file;
  if (position && !file->has_position()) return -ESPIPE;
  const Inside inside(running_);
  std::uint64_t at = position ? *position : 0;
  if (position || !file->has_position()) return guarded([&] { return file->read(caller, va, bytes, at); });
  const std::lock_guard guard(open.position_lock);
  return guarded([&] { return file->read(caller, va, bytes, open.position); });
}

std::int64_t Runtime::write(hal::Process& caller, OpenFile& open, std::uint64_t va, std::uint64_t bytes,
                            const std::uint64_t* position) {
  const std::shared_ptr<hal::File> file = open.file;
  if (position && !file->has_position()) return -ESPIPE;
  const Inside inside(running_);
  std::uint64_t at = position ? *position : 0;
  if (position || !file->has_position()) return guarded([&] { return file->write(caller, va, bytes, at); });
  const std::lock_guard guard(open.position_lock);
  return guarded([&] { return file->write(caller, va, bytes, open.position); });
}

std::int64_t Runtime::map(OpenFile& open, std::uint64_t at, std::uint64_t bytes, int prot, int flags,
                          std::uint64_t offset) {
  const std::uint64_t whole = (bytes + 4095) & ~4095ULL;
  if (bytes == 0 || offset % 4096 != 0) return -EINVAL;
  if (!open.file) return -ENODEV;  // Model: what is mapped is reached in the process of the machine only
  hal::MappedRegion region;
  const bool shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
  {
    const std::shared_ptr<hal::File> file = open.file;
    const Inside inside(running_);
    const std::int64_t error = guarded(
        [&] { return file->mmap(running_->process, offset, whole, static_cast<unsigned>(prot), shared, region); });
    if (error) return error;
  }
  const int placing = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
  const long address =
      region.registers
          ? sys::call(SYS_mmap, at, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | placing, -1, 0UL)
          : sys::call(SYS_mmap, at, whole, prot, MAP_SHARED | placing, running_->ram.fd(), region.spa);
  if (address < 0 && address > -4096) return address;
  mappings_.add(static_cast<std::uint64_t>(address), whole, region, prot);
  return address;
}

bool Runtime::access_mapping(const void* address, ucontext_t& context) {
  std::uint64_t offset = 0;
  int prot = 0;
  const auto registers = mappings_.find(reinterpret_cast<std::uint64_t>(address), offset, prot);
  if (!registers) return false;
  const Inside inside(running_);
  return guarded([&] {
           const bool done =
               access_registers(context, *registers, offset, (prot & PROT_READ) != 0, (prot & PROT_WRITE) != 0);
           return done ? 1 : 0;
         }) == 1;
}

std::string Runtime::status_text(int pid) {
  const bool own = pid == 0 || pid == static_cast<int>(sys::call(SYS_getpid));
  if (!running_ || !own) return patched_status(pid, 0, 0);
  const MmAccount& account = running_->process.account();
  return patched_status(0, account.pinned * 4, account.locked * 4);
}

void Runtime::finish() {
  if (running_) guarded([&] { return running_->machine->finish(), 0; });
}

}  // namespace iommusim::preload
