/* A CUDA driver for tests: the calls that the scrub makes, on a file that keeps its bytes from tenant to tenant.
   FAKE_CUDA_MEMORY names the folder; a file in it is the memory of the device of that uuid; FAKE_CUDA_FAULT what goes wrong. Where cuda.h is
   installed this is compiled with it, so that a signature that is not NVIDIA's does not compile. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef WITH_CUDA_H
#include <cuda.h>
#else
typedef int CUresult;
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef struct { char bytes[16]; } CUuuid;
typedef void *CUcontext;
#define CUDA_SUCCESS 0
#define CUDA_ERROR_OUT_OF_MEMORY 2
#define CUDA_ERROR_NO_DEVICE 100
#define CUDA_ERROR_INVALID_DEVICE 101
#endif

static const CUdeviceptr BASE = 0x7f0000000000ULL;
static const size_t GRAIN = 2u << 20;
static unsigned char *memory;
static size_t total, reserved, used;
static int held, context;

static int fault(const char *name) {
    const char *said = getenv("FAKE_CUDA_FAULT");
    return said && !strcmp(said, name);
}

static unsigned char *at(CUdeviceptr address) { return memory + (address - BASE); }

CUresult cuInit(unsigned int flags) {
    const char *folder = getenv("FAKE_CUDA_MEMORY"), *device = getenv("CUDA_VISIBLE_DEVICES");
    char path[4096];
    struct stat about;
    int file = -1;
    if (folder && device && snprintf(path, sizeof path, "%s/%s", folder, device) < (int)sizeof path)
        file = open(path, O_RDWR);
    (void)flags;
    if (file < 0 || fstat(file, &about)) return CUDA_ERROR_NO_DEVICE;
    total = about.st_size;
    memory = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) return CUDA_ERROR_NO_DEVICE;
    /* What a driver keeps to itself; with the fault, what another process still holds. */
    reserved = fault("held") ? total / 2 : GRAIN;
    return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    if (ordinal != 0 || !getenv("CUDA_VISIBLE_DEVICES")) return CUDA_ERROR_INVALID_DEVICE;
    *device = 0;
    return CUDA_SUCCESS;
}

CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device) {
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    int count = 0;
    (void)device;
    for (const char *c = strchr(visible, '-') + 1; *c && count < 32; c++) {
        int digit = *c >= '0' && *c <= '9' ? *c - '0' : *c >= 'a' && *c <= 'f' ? *c - 'a' + 10 : -1;
        if (digit < 0) continue;
        uuid->bytes[count / 2] = (char)(count % 2 ? (uuid->bytes[count / 2] << 4) | digit : digit);
        count++;
    }
    if (fault("other-device")) uuid->bytes[0] ^= 1;
    return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *made, CUdevice device) {
    (void)device;
    *made = (CUcontext)&context;
    return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) { (void)device; return held ? CUDA_ERROR_INVALID_DEVICE : CUDA_SUCCESS; }
CUresult cuCtxSetCurrent(CUcontext given) { return given == (CUcontext)&context ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE; }
CUresult cuCtxSynchronize(void) { return CUDA_SUCCESS; }

CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total_bytes) {
    *total_bytes = total;
    *free_bytes = total - reserved - used;
    return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t size) {
    size = (size + GRAIN - 1) / GRAIN * GRAIN;
    if (reserved + used + size > total) return CUDA_ERROR_OUT_OF_MEMORY;
    *address = BASE + reserved + used;
    used += size;
    held++;
    return CUDA_SUCCESS;
}
CUresult cuMemFree_v2(CUdeviceptr address) {
    (void)address;
    held--;
    return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoH_v2(void *host, CUdeviceptr device, size_t size) {
    if (fault("reads-zero")) memset(host, 0, size);
    else memcpy(host, at(device), size);
    return CUDA_SUCCESS;
}

CUresult cuMemsetD32_v2(CUdeviceptr device, unsigned int value, size_t count) {
    uint32_t *word = (uint32_t *)at(device);
    /* The fault: one page in the middle is never written. */
    size_t bad = fault("stuck-page") ? count / 2 : count;
    if (fault("keeps")) return CUDA_SUCCESS;
    for (size_t i = 0; i < count; i++)
        if (i < bad || i >= bad + 1024) word[i] = value;
    return CUDA_SUCCESS;
}
