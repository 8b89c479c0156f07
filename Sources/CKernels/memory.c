#define _GNU_SOURCE
#include "CKernels.h"
#include <sys/mman.h>

void *rl2x_grow_mapping(void *block, size_t old_bytes, size_t new_bytes) {
    void *moved = mremap(block, old_bytes, new_bytes, MREMAP_MAYMOVE);
    return moved == MAP_FAILED ? NULL : moved;
}

long rl2x_thread_operations(long more) {
    static _Thread_local long operations;
    return operations += more;
}

void rl2x_advise_huge_pages(void *block, size_t bytes) { madvise(block, bytes, MADV_HUGEPAGE); }
