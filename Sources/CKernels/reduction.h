#pragma once
#include <stddef.h>

// Sums of a row in sixteen partial sums: strict floating point forbids the compiler to make them itself, and their
// fixed number keeps the order the same for every vector width.
static inline __attribute__((always_inline)) float fold_sum(const float partial[16], float sum) {
    for (int lane = 0; lane < 16; lane++) sum += partial[lane];
    return sum;
}

static inline __attribute__((always_inline)) float row_sum(size_t count, const float *x) {
    float partial[16] = {0};
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (int lane = 0; lane < 16; lane++) partial[lane] += x[i + lane];
    float sum = 0;
    for (; i < count; i++) sum += x[i];
    return fold_sum(partial, sum);
}

static inline __attribute__((always_inline)) float row_dot(size_t count, const float *x, const float *y) {
    float partial[16] = {0};
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (int lane = 0; lane < 16; lane++) partial[lane] += x[i + lane] * y[i + lane];
    float sum = 0;
    for (; i < count; i++) sum += x[i] * y[i];
    return fold_sum(partial, sum);
}

static inline __attribute__((always_inline)) float row_largest(size_t count, const float *x) {
    float partial[16];
    for (int lane = 0; lane < 16; lane++) partial[lane] = x[0];
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (int lane = 0; lane < 16; lane++) partial[lane] = x[i + lane] > partial[lane] ? x[i + lane] : partial[lane];
    float largest = x[0];
    for (; i < count; i++) largest = x[i] > largest ? x[i] : largest;
    for (int lane = 0; lane < 16; lane++) largest = partial[lane] > largest ? partial[lane] : largest;
    return largest;
}
