// SPDX-License-Identifier: Apache-2.0
// The border: every function of iommusim.h that may fail runs its work inside guarded(), which turns exceptions into
// status codes and refuses calls from callbacks and calls after a contradiction.
#include <cstdlib>
#include <cstring>

#include "embed/convert.h"
#include "embed/instance.h"
#include "params/document.h"
#include "params/value.h"

struct iommusim_iommu {
  std::unique_ptr<iommusim::embed::Instance> model;
  std::string error;
  bool inside = false;
  bool failed = false;
};

namespace {

namespace embed = iommusim::embed;
namespace base = iommusim::base;
namespace params = iommusim::params;

/// For iommusim_free(); NULL when memory is out.
char* to_c_string(const std::string& text) {
  auto* const out = static_cast<char*>(std::malloc(text.size() + 1));
  if (out != nullptr) std::memcpy(out, text.c_str(), text.size() + 1);
  return out;
}

void need(const void* pointer, const char* name) {
  if (pointer == nullptr) throw base::InputError(std::string(name) + " is NULL");
}

iommusim_status refuse(iommusim_iommu* instance, iommusim_status status, const char* text) {
  try {
    instance->error = text;
  } catch (...) {
    instance->error.clear();
  }
  return status;
}

/// Runs `work`, which returns a status, with an exception's message as the last error.
template <class Work>
iommusim_status guarded(iommusim_iommu* instance, Work&& work) noexcept {
  if (instance == nullptr) return IOMMUSIM_BAD_ARGUMENT;
  if (instance->failed) return IOMMUSIM_FAILED;
  if (instance->inside) return refuse(instance, IOMMUSIM_IN_CALLBACK, "called from a callback of the instance");
  struct Inside {
    bool& flag;
    explicit Inside(bool& f) : flag(f) { flag = true; }
    ~Inside() { flag = false; }
  } inside(instance->inside);
  try {
    return work(*instance->model);
  } catch (const base::InputError& error) {
    return refuse(instance, IOMMUSIM_BAD_ARGUMENT, error.what());
  } catch (const embed::WrongMode& error) {
    return refuse(instance, IOMMUSIM_WRONG_MODE, error.what());
  } catch (const std::exception& error) {
    instance->failed = true;
    return refuse(instance, IOMMUSIM_FAILED, error.what());
  } catch (...) {
    instance->failed = true;
    return refuse(instance, IOMMUSIM_FAILED, "an exception that is none of this library's");
  }
}

template <class Load>
iommusim_iommu* create(const iommusim_host* host, char** error, Load&& load) noexcept {
  if (error != nullptr) *error = nullptr;
  try {
    need(host, "host");
    auto instance = std::make_unique<iommusim_iommu>();
    instance->model = embed::make_instance(load(), *host);
    return instance.release();
  } catch (const std::exception& problem) {
    if (error != nullptr) *error = to_c_string(problem.what());
    return nullptr;
  }
}

/// IOMMU 5: accesses of 4 and 8 bytes, naturally aligned, within the 4 KiB of registers.
void check_register(std::uint32_t offset, std::uint32_t bytes) {
  if ((bytes != 4 && bytes != 8) || offset % bytes != 0 || offset >= 4096)
    throw base::InputError("a register access of " + std::to_string(bytes) + " bytes at " + std::to_string(offset) +
                           ", expected 4 or 8, aligned, below 4096");
}

}  // namespace

std::uint32_t iommusim_abi(void) { return IOMMUSIM_ABI; }

const char* iommusim_version(void) { return IOMMUSIM_VERSION; }

iommusim_iommu* iommusim_create(const char* yaml, const iommusim_host* host, char** error) {
  return create(host, error, [=] { return yaml == nullptr ? embed::EmbedParams{} : embed::params_of_text(yaml); });
}

iommusim_iommu* iommusim_create_from_file(const char* path, const iommusim_host* host, char** error) {
  return create(host, error, [=] {
    need(path, "path");
    return embed::params_of_file(path);
  });
}

void iommusim_destroy(iommusim_iommu* instance) { delete instance; }

char* iommusim_describe_parameters(void) try {
  return to_c_string(params::to_text(params::descriptions<embed::EmbedParams>()));
} catch (...) {
  return nullptr;
}

const char* iommusim_last_error(const iommusim_iommu* instance) {
  return instance == nullptr ? "instance is NULL" : instance->error.c_str();
}

void iommusim_free(char* text) { std::free(text); }

iommusim_status iommusim_mmio_read(iommusim_iommu* instance, std::uint32_t offset, std::uint32_t bytes,
                                   std::uint64_t* value) {
  return guarded(instance, [=](embed::Instance& model) {
    need(value, "value");
    check_register(offset, bytes);
    *value = model.read_register(offset, bytes);
    return IOMMUSIM_OK;
  });
}

iommusim_status iommusim_mmio_write(iommusim_iommu* instance, std::uint32_t offset, std::uint32_t bytes,
                                    std::uint64_t value) {
  return guarded(instance, [=](embed::Instance& model) {
    check_register(offset, bytes);
    model.write_register(offset, bytes, value);
    return IOMMUSIM_OK;
  });
}

std::uint32_t iommusim_wires(const iommusim_iommu* instance) {
  return instance == nullptr ? 0 : instance->model->wires();
}

iommusim_status iommusim_translate(iommusim_iommu* instance, const iommusim_request* request, iommusim_result* result) {
  return guarded(instance, [=](embed::Instance& model) {
    need(request, "request");
    need(result, "result");
    *result = model.translate(embed::to_request(*request));
    return IOMMUSIM_OK;
  });
}

iommusim_status iommusim_submit(iommusim_iommu* instance, const iommusim_request* request, std::uint64_t cookie) {
  return guarded(instance, [=](embed::Instance& model) {
    need(request, "request");
    if (model.submit(embed::to_request(*request), cookie)) return IOMMUSIM_OK;
    return refuse(instance, IOMMUSIM_HELD_BACK, "the IOMMU takes no request now");
  });
}

int iommusim_poll(iommusim_iommu* instance, iommusim_result* result) {
  bool found = false;
  guarded(instance, [&](embed::Instance& model) {
    need(result, "result");
    found = model.poll(*result);
    return IOMMUSIM_OK;
  });
  return found ? 1 : 0;
}

std::uint64_t iommusim_now(const iommusim_iommu* instance) { return instance == nullptr ? 0 : instance->model->now(); }

iommusim_status iommusim_advance(iommusim_iommu* instance, std::uint64_t cycle) {
  return guarded(instance, [=](embed::Instance& model) {
    if (cycle < model.now() || cycle == base::kNever)
      throw base::InputError("cycle is " + std::to_string(cycle) + ", expected one from " +
                             std::to_string(model.now()) + " on");
    model.advance(cycle);
    return IOMMUSIM_OK;
  });
}

iommusim_status iommusim_run_until_idle(iommusim_iommu* instance) {
  return guarded(instance, [=](embed::Instance& model) {
    const std::string left = model.run_until_idle();
    return left.empty() ? IOMMUSIM_OK : refuse(instance, IOMMUSIM_NOT_IDLE, left.c_str());
  });
}

iommusim_status iommusim_send_page_request(iommusim_iommu* instance, const iommusim_page_request* request) {
  return guarded(instance, [=](embed::Instance& model) {
    need(request, "request");
    if (model.page_request(embed::to_page_request(*request))) return IOMMUSIM_OK;
    return refuse(instance, IOMMUSIM_HELD_BACK, "the IOMMU takes no page request now");
  });
}

iommusim_status iommusim_send_invalidation_completion(iommusim_iommu* instance, std::uint32_t device, int segment_valid,
                                                      std::uint32_t itag_vector, std::uint32_t count) {
  return guarded(instance, [=](embed::Instance& model) {
    if (count > 7) throw base::InputError("count is " + std::to_string(count) + ", expected 0..7");
    const bool expected = model.invalidation_completion(
        {embed::to_function(device, segment_valid != 0), itag_vector, static_cast<std::uint8_t>(count)});
    return expected ? IOMMUSIM_OK : refuse(instance, IOMMUSIM_BAD_ARGUMENT, "no invalidation waits for this");
  });
}

iommusim_status iommusim_time_out_invalidations(iommusim_iommu* instance, std::uint32_t itag_vector) {
  return guarded(instance, [=](embed::Instance& model) {
    model.invalidation_time_out(itag_vector);
    return IOMMUSIM_OK;
  });
}

iommusim_status iommusim_inject(iommusim_iommu* instance, const char* name, const char* yaml) {
  return guarded(instance, [=](embed::Instance& model) {
    need(name, "name");
    need(yaml, "yaml");
    if (!params::is_name(name))
      throw base::InputError(std::string("name is '") + name +
                             "', expected letters, digits, '_' and '-', a letter or digit first");
    model.inject(name, embed::injection_of_text(yaml, model.mode()));
    return IOMMUSIM_OK;
  });
}

iommusim_status iommusim_remove_injection(iommusim_iommu* instance, const char* name) {
  return guarded(instance, [=](embed::Instance& model) {
    need(name, "name");
    if (!model.injector().remove(name))
      throw base::InputError(std::string("name is '") + name + "', expected an injection that was added");
    return IOMMUSIM_OK;
  });
}

iommusim_status iommusim_injection_strikes(iommusim_iommu* instance, const char* name, std::uint64_t* strikes) {
  return guarded(instance, [=](embed::Instance& model) {
    need(name, "name");
    need(strikes, "strikes");
    const auto count = model.injector().strikes(name);
    if (!count) throw base::InputError(std::string("name is '") + name + "', expected an injection that was added");
    *strikes = *count;
    return IOMMUSIM_OK;
  });
}

char* iommusim_injection_log(iommusim_iommu* instance) {
  char* text = nullptr;
  guarded(instance, [&](embed::Instance& model) {
    text = to_c_string(model.injector().log());
    return IOMMUSIM_OK;
  });
  return text;
}

char* iommusim_statistics(iommusim_iommu* instance) {
  char* text = nullptr;
  guarded(instance, [&](embed::Instance& model) {
    text = to_c_string(model.statistics());
    return IOMMUSIM_OK;
  });
  return text;
}

iommusim_status iommusim_reset_statistics(iommusim_iommu* instance) {
  return guarded(instance, [=](embed::Instance& model) {
    model.reset_statistics();
    return IOMMUSIM_OK;
  });
}
