/* NVML for tests: the calls that nvidia-ml-py makes for an inventory. FAKE_NVML says which machine this is. */
#include <stdlib.h>
#include <string.h>

typedef int nvmlReturn_t;
typedef struct device *nvmlDevice_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
struct device { const char *uuid, *name; unsigned long long memory; int cut, parent; };

enum { SUCCESS = 0, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, DRIVER_NOT_LOADED = 9, GPU_IS_LOST = 15 };

/* Two whole devices, the second cut into two slices (at the indices 0 and 2: there may be gaps). */
static struct device devices[] = {
    {"GPU-11111111-2222-3333-4444-555555555555", "NVIDIA A100-SXM4-40GB", 42949672960ULL, 0, -1},
    {"GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "NVIDIA A100-SXM4-40GB", 42949672960ULL, 1, -1},
    {"MIG-01234567-89ab-cdef-0123-456789abcdef", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", 5100273664ULL, 0, 1},
    {"MIG-fedcba98-7654-3210-fedc-ba9876543210", "NVIDIA A100-SXM4-40GB MIG 2g.10gb", 10468982784ULL, 0, 1},
};
static int slice_at[7] = {2, -1, 3, -1, -1, -1, -1};

static int is(const char *machine) {
    const char *said = getenv("FAKE_NVML");
    return said && !strcmp(said, machine);
}

nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    return is("not-loaded") ? DRIVER_NOT_LOADED : SUCCESS;
}
nvmlReturn_t nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(nvmlReturn_t result) { (void)result; return "fake"; }
nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    strncpy(version, "580.65.06", length);
    return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
    if (is("crashes")) abort();
    *count = is("empty") ? 0 : 2;
    return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
    if (is("lost")) return GPU_IS_LOST;
    *device = &devices[index];
    return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length) {
    strncpy(uuid, is("odd-uuid") ? "GPU-;rm -rf" : device->uuid, length);
    return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
    strncpy(name, device->name, length);
    return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
    memory->total = memory->free = device->memory;
    memory->used = 0;
    return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
    if (!device->cut) return NOT_SUPPORTED;
    *current = *pending = 1;
    return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int *count) {
    (void)device;
    *count = 7;
    return SUCCESS;
}
nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int index, nvmlDevice_t *slice) {
    (void)device;
    if (index >= 7) return INVALID;
    if (slice_at[index] < 0) return NOT_FOUND;
    *slice = &devices[slice_at[index]];
    return SUCCESS;
}
