/* SPDX-License-Identifier: Apache-2.0 */
/* The IOMMU inside somebody else's simulator or testbench: the C interface of libiommusim. docs/embedding.md explains
 * it.
 *
 * Instances share nothing: any number live side by side, each used by one thread at a time. No exception crosses this
 * border. Callbacks run inside the call that causes them and must not call the same instance: such a call fails with
 * IOMMUSIM_IN_CALLBACK. A pointer argument must not be NULL unless the function says so. */
#ifndef IOMMUSIM_H
#define IOMMUSIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever a program that was compiled with an older header would not work any more. */
#define IOMMUSIM_ABI 1
uint32_t iommusim_abi(void);
/* "0.1.0"; never freed. */
const char* iommusim_version(void);

typedef struct iommusim_iommu iommusim_iommu;

typedef enum iommusim_status {
  IOMMUSIM_OK = 0,
  IOMMUSIM_BAD_ARGUMENT = 1, /* nothing happened */
  IOMMUSIM_WRONG_MODE = 2,   /* the instance's mode, functional or cycle, has no such operation; nothing happened */
  IOMMUSIM_HELD_BACK = 3,    /* the IOMMU takes none now: advance time first */
  IOMMUSIM_NOT_IDLE = 4,     /* something inside waits for what only the caller can do */
  IOMMUSIM_IN_CALLBACK = 5,  /* called from a callback of the same instance; nothing happened */
  IOMMUSIM_FAILED = 6        /* an internal contradiction: the instance can only be destroyed */
} iommusim_status;

/* ---- What the host provides ---- */

typedef enum iommusim_memory_status {
  IOMMUSIM_MEMORY_OK = 0,
  IOMMUSIM_MEMORY_ACCESS_FAULT = 1,
  IOMMUSIM_MEMORY_CORRUPT = 2 /* poisoned data */
} iommusim_memory_status;

/* A PCIe message from the IOMMU to a device. */
typedef enum iommusim_message_kind {
  IOMMUSIM_INVALIDATION_REQUEST = 0,
  IOMMUSIM_PAGE_RESPONSE = 1 /* page request group response */
} iommusim_message_kind;
typedef struct iommusim_message {
  uint32_t kind; /* iommusim_message_kind */
  uint32_t device;
  uint32_t segment_valid; /* otherwise `device` is a requester id without a segment */
  uint32_t itag;          /* IOMMUSIM_INVALIDATION_REQUEST */
  uint32_t process_valid;
  uint32_t process;
  uint64_t payload; /* as in the ATS.INVAL or ATS.PRGR command */
} iommusim_message;

typedef struct iommusim_result iommusim_result;

typedef struct iommusim_host {
  size_t size; /* sizeof(iommusim_host); members beyond it count as NULL */
  void* user;  /* handed to every callback */
  /* Memory as the IOMMU itself reaches it: `bytes` is 4, 8, 16, 32 or 64, `address` a multiple of it, `data` the bytes
   * in the order in which they lie in memory. */
  iommusim_memory_status (*read)(void* user, uint64_t address, uint32_t bytes, void* data);
  iommusim_memory_status (*write)(void* user, uint64_t address, uint32_t bytes, const void* data);
  /* Atomic, of 4 or 8 bytes; *old is what was found. May be NULL: then it is a read and, on equality, a write. */
  iommusim_memory_status (*compare_swap)(void* user, uint64_t address, uint32_t bytes, uint64_t expected,
                                         uint64_t desired, uint64_t* old);
  /* An interrupt wire changed its level. May be NULL: poll iommusim_wires(). */
  void (*interrupt)(void* user, uint32_t vector, int level);
  /* May be NULL: messages are dropped. */
  void (*message)(void* user, const iommusim_message* message);
  /* A submitted request left the IOMMU. May be NULL: poll iommusim_poll(). */
  void (*finished)(void* user, const iommusim_result* result);
} iommusim_host;

/* ---- Life ---- */

/* `yaml` is the text of a configuration, NULL for the defaults. Returns NULL when something is wrong; *error, if
 * `error` is not NULL, is then one line "file:line:col: what, expected what" for iommusim_free(), and NULL otherwise.
 */
iommusim_iommu* iommusim_create(const char* yaml, const iommusim_host* host, char** error);
iommusim_iommu* iommusim_create_from_file(const char* path, const iommusim_host* host, char** error);
/* NULL is allowed. Nothing is called back. Not to be called from a callback of the instance. */
void iommusim_destroy(iommusim_iommu* instance);
/* Every parameter of a configuration with unit, default and range, as text for iommusim_free(). */
char* iommusim_describe_parameters(void);
/* What went wrong in the instance's last call that did not return IOMMUSIM_OK; "" before that. Valid until the next. */
const char* iommusim_last_error(const iommusim_iommu* instance);
/* Of strings that this library handed out; NULL is allowed. */
void iommusim_free(char* text);

/* ---- Registers ---- */

/* `offset` within the 4 KiB register page, `bytes` 4 or 8, aligned. Mode functional: the write and all that it starts
 * are done on return. Mode cycle: the access happens at the instance's present cycle. */
iommusim_status iommusim_mmio_read(iommusim_iommu* instance, uint32_t offset, uint32_t bytes, uint64_t* value);
iommusim_status iommusim_mmio_write(iommusim_iommu* instance, uint32_t offset, uint32_t bytes, uint64_t value);
/* Levels of the interrupt wires, one bit a vector. */
uint32_t iommusim_wires(const iommusim_iommu* instance);

/* ---- Requests of devices ---- */

typedef enum iommusim_access { IOMMUSIM_READ = 0, IOMMUSIM_WRITE = 1, IOMMUSIM_ATOMIC = 2 } iommusim_access;
typedef enum iommusim_address_type {
  IOMMUSIM_UNTRANSLATED = 0,
  IOMMUSIM_TRANSLATED = 1,
  IOMMUSIM_ATS_REQUEST = 2 /* an ATS translation request */
} iommusim_address_type;
/* Bits of iommusim_request.flags. */
#define IOMMUSIM_PROCESS_VALID 1u /* `process` is the request's PASID */
#define IOMMUSIM_PRIVILEGED 2u    /* with IOMMUSIM_PROCESS_VALID */
#define IOMMUSIM_EXECUTE 4u
#define IOMMUSIM_NO_WRITE 8u /* IOMMUSIM_ATS_REQUEST: no write permission is wanted */
#define IOMMUSIM_CXL 16u     /* IOMMUSIM_ATS_REQUEST: of a CXL type 1 or 2 device */
/* `data` holds what the write writes, should it be of 4 bytes: a message to a memory-resident interrupt file is then
 * stored by the IOMMU itself, notice included, and the result has msi 3. */
#define IOMMUSIM_STORE_MSI 32u

typedef struct iommusim_request {
  uint64_t iova;
  uint32_t bytes;   /* at least 1; no request crosses a 4 KiB border */
  uint32_t device;  /* device_id, 24 bits */
  uint32_t process; /* process_id, 20 bits */
  uint32_t access;  /* iommusim_access */
  uint32_t type;    /* iommusim_address_type */
  uint32_t flags;
  uint32_t data; /* with IOMMUSIM_STORE_MSI: the bytes of a write of 4, as a little-endian number */
} iommusim_request;

typedef enum iommusim_response {
  IOMMUSIM_SUCCESS = 0,
  IOMMUSIM_UNSUPPORTED_REQUEST = 1,
  IOMMUSIM_COMPLETER_ABORT = 2
} iommusim_response;
/* Bits of iommusim_result.ats: the fields of an ATS translation completion. */
#define IOMMUSIM_ATS_R 1u
#define IOMMUSIM_ATS_W 2u
#define IOMMUSIM_ATS_X 4u
#define IOMMUSIM_ATS_PRIV 8u
#define IOMMUSIM_ATS_GLOBAL 16u
#define IOMMUSIM_ATS_U 32u
#define IOMMUSIM_ATS_CXL_IO 64u

struct iommusim_result {
  uint64_t cookie;       /* of the submission; 0 after iommusim_translate() */
  uint64_t accepted;     /* the cycles at which the request was taken and answered; mode functional: */
  uint64_t done;         /* both the present one */
  uint64_t address;      /* system-physical, of the first byte (with T2GPA a GPA answers an ATS request) */
  uint32_t translated;   /* 1: forward to `address`; 0: answer with `response` */
  uint32_t response;     /* iommusim_response */
  uint32_t size_log2;    /* of the range around the address that translates alike */
  uint32_t pbmt;         /* page-based memory type */
  uint32_t bypass;       /* no translation was needed */
  uint32_t ats;          /* of an ATS request that ends with success */
  uint32_t cause;        /* 0: no fault */
  uint32_t fault_record; /* 1: the fault is for the fault queue */
  uint64_t iotval2;      /* of the fault */
  uint32_t msi;          /* 1: `address` is an interrupt file; 2: it is the notice of a memory-resident one; 3: there
                            is nothing to forward, the IOMMU has done it all (a read gets zeros) */
  uint32_t notice_id;    /* msi 2 and 3: data of the notice */
  uint64_t mrif_address; /* msi 2 and 3 */
  uint32_t rcid;         /* QoS identifiers for what is forwarded */
  uint32_t mcid;
};

/* Mode functional: translates at once, records the fault if there is one. */
iommusim_status iommusim_translate(iommusim_iommu* instance, const iommusim_request* request, iommusim_result* result);
/* Takes the request in at the present cycle. Its result comes to `finished`, or to iommusim_poll(); in mode functional
 * it is there on return. */
iommusim_status iommusim_submit(iommusim_iommu* instance, const iommusim_request* request, uint64_t cookie);
/* 1 and the next result, in the order in which they left; 0: none. Not used with the callback `finished`. */
int iommusim_poll(iommusim_iommu* instance, iommusim_result* result);

/* ---- Time ---- */

/* The present cycle; 0 at first. */
uint64_t iommusim_now(const iommusim_iommu* instance);
/* Goes to `cycle`, which must not be before the present one. */
iommusim_status iommusim_advance(iommusim_iommu* instance, uint64_t cycle);
/* Goes on until nothing happens any more by itself. IOMMUSIM_NOT_IDLE: something waits for a message from a device. */
iommusim_status iommusim_run_until_idle(iommusim_iommu* instance);

/* ---- PCIe messages of devices to the IOMMU ---- */

typedef struct iommusim_page_request {
  uint32_t device; /* segment and requester id; a message without a segment has segment_valid 0 */
  uint32_t segment_valid;
  uint32_t flags; /* IOMMUSIM_PROCESS_VALID, IOMMUSIM_PRIVILEGED, IOMMUSIM_EXECUTE */
  uint32_t process;
  uint64_t payload; /* as in the page-request queue: page address, group index, last, write, read */
} iommusim_page_request;

/* Mode cycle: it arrives at the present cycle, or is IOMMUSIM_HELD_BACK. */
iommusim_status iommusim_send_page_request(iommusim_iommu* instance, const iommusim_page_request* request);
/* "Invalidation Completion" for the requests of these ITags; `count` messages (0 means 8) answer one request. A
 * completion that nobody waits for is IOMMUSIM_BAD_ARGUMENT. */
iommusim_status iommusim_send_invalidation_completion(iommusim_iommu* instance, uint32_t device, int segment_valid,
                                                      uint32_t itag_vector, uint32_t count);
/* The IOMMU waits no longer for the completions of these ITags. */
iommusim_status iommusim_time_out_invalidations(iommusim_iommu* instance, uint32_t itag_vector);

/* ---- Injections: what goes wrong on purpose ---- */

/* `yaml` is one entry as it stands under `inject:` of a configuration, such as
 * "{kind: access_fault, target: first_stage, skip: 9, count: 1}". A name that exists gets the new entry, and counts on.
 */
iommusim_status iommusim_inject(iommusim_iommu* instance, const char* name, const char* yaml);
/* It strikes no more. What it has struck stays counted and logged. */
iommusim_status iommusim_remove_injection(iommusim_iommu* instance, const char* name);
/* How often that entry struck. */
iommusim_status iommusim_injection_strikes(iommusim_iommu* instance, const char* name, uint64_t* strikes);
/* A line a strike, as text for iommusim_free(), or NULL (see iommusim_last_error()). */
char* iommusim_injection_log(iommusim_iommu* instance);

/* ---- Statistics ---- */

/* A JSON object for iommusim_free(), or NULL (see iommusim_last_error()). */
char* iommusim_statistics(iommusim_iommu* instance);
iommusim_status iommusim_reset_statistics(iommusim_iommu* instance);

#ifdef __cplusplus
}
#endif

#endif
