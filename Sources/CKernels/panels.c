#include "CKernels.h"
#include "dispatch.h"
#include <string.h>

// C = A B by tiles of twelve rows and two vectors of sixteen columns, which with two vectors of B are 26 of the 32
// registers of AVX-512. A is read where it lies, an element at a time, so only B is brought into another order: panels
// [depth][32], zero beyond the last column.
enum { TILE_ROWS = 12, PANEL = 32 };

typedef float rl2x_vector __attribute__((vector_size(64), aligned(4), may_alias));

typedef float rl2x_four __attribute__((vector_size(16), aligned(4), may_alias));

// Four columns of a panel, [depth][4] in steps of 32, from four rows of B transposed.
static inline __attribute__((always_inline)) void pack_four(size_t depth, const float *b, size_t stride, float *place) {
    const float *b1 = b + stride, *b2 = b + 2 * stride, *b3 = b + 3 * stride;
    size_t k = 0;
    for (; k + 4 <= depth; k += 4, place += 4 * PANEL) {
        rl2x_four r0 = *(const rl2x_four *)(b + k), r1 = *(const rl2x_four *)(b1 + k);
        rl2x_four r2 = *(const rl2x_four *)(b2 + k), r3 = *(const rl2x_four *)(b3 + k);
        rl2x_four low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
        rl2x_four top01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7), top23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
        *(rl2x_four *)place = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
        *(rl2x_four *)(place + PANEL) = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
        *(rl2x_four *)(place + 2 * PANEL) = __builtin_shufflevector(top01, top23, 0, 1, 4, 5);
        *(rl2x_four *)(place + 3 * PANEL) = __builtin_shufflevector(top01, top23, 2, 3, 6, 7);
    }
    for (; k < depth; k++, place += PANEL) {
        place[0] = b[k];
        place[1] = b1[k];
        place[2] = b2[k];
        place[3] = b3[k];
    }
}

RL2X_DISPATCH void rl2x_pack_panels(size_t depth, size_t columns, const float *b, size_t stride, int transposed,
                                    float *panels) {
    for (size_t first = 0; first < columns; first += PANEL, panels += depth * PANEL) {
        size_t count = columns - first < PANEL ? columns - first : PANEL, c = 0;
        if (transposed) {
            const float *source = b + first * stride;
            for (; c + 4 <= count; c += 4) pack_four(depth, source + c * stride, stride, panels + c);
            for (; c < count; c++)
                for (size_t k = 0; k < depth; k++) panels[k * PANEL + c] = source[c * stride + k];
        } else {
            const float *source = b + first;
            float *place = panels;
            for (size_t k = 0; k < depth; k++, source += stride, place += PANEL) {
                if (count == PANEL)
                    for (c = 0; c < PANEL; c++) place[c] = source[c];
                else
                    for (c = 0; c < count; c++) place[c] = source[c];
            }
            c = count;
        }
        for (size_t k = 0; k < depth && c < PANEL; k++)
            for (size_t rest = c; rest < PANEL; rest++) panels[k * PANEL + rest] = 0.0f;
    }
}

// `vectors` is 1 or 2, a constant where it is inlined, as `rows` is.
static inline __attribute__((always_inline)) void tile(int rows, int vectors, size_t depth, const float *a,
                                                       size_t row_stride, size_t depth_stride, const float *panel,
                                                       float *c, size_t stride, int add) {
    rl2x_vector left[TILE_ROWS], right[TILE_ROWS];
    for (int r = 0; r < rows; r++) {
        left[r] = add ? *(const rl2x_vector *)(c + r * stride) : (rl2x_vector){0};
        if (vectors == 2) right[r] = add ? *(const rl2x_vector *)(c + r * stride + 16) : (rl2x_vector){0};
    }
    for (size_t k = 0; k < depth; k++, a += depth_stride, panel += PANEL) {
        rl2x_vector first = *(const rl2x_vector *)panel, second = *(const rl2x_vector *)(panel + 16);
        for (int r = 0; r < rows; r++) {
            float x = a[r * row_stride];
            left[r] += x * first;
            if (vectors == 2) right[r] += x * second;
        }
    }
    for (int r = 0; r < rows; r++) {
        *(rl2x_vector *)(c + r * stride) = left[r];
        if (vectors == 2) *(rl2x_vector *)(c + r * stride + 16) = right[r];
    }
}

static inline __attribute__((always_inline)) void panel_product(size_t rows, int vectors, size_t depth, const float *a,
                                                                size_t row_stride, size_t depth_stride,
                                                                const float *panel, float *c, size_t stride, int add) {
    size_t r = 0;
    for (; r + 12 <= rows; r += 12)
        tile(12, vectors, depth, a + r * row_stride, row_stride, depth_stride, panel, c + r * stride, stride, add);
    for (; r + 4 <= rows; r += 4)
        tile(4, vectors, depth, a + r * row_stride, row_stride, depth_stride, panel, c + r * stride, stride, add);
    for (; r < rows; r++)
        tile(1, vectors, depth, a + r * row_stride, row_stride, depth_stride, panel, c + r * stride, stride, add);
}

RL2X_DISPATCH void rl2x_panel_product(size_t rows, size_t columns, size_t depth, const float *a, size_t row_stride,
                                      size_t depth_stride, const float *panels, size_t panel_stride, float *c,
                                      size_t stride, int add) {
    for (; columns >= PANEL; columns -= PANEL, panels += panel_stride, c += PANEL)
        panel_product(rows, 2, depth, a, row_stride, depth_stride, panels, c, stride, add);
    if (columns >= 16) {
        panel_product(rows, 1, depth, a, row_stride, depth_stride, panels, c, stride, add);
        panels += 16;
        c += 16;
        columns -= 16;
    }
    if (columns == 0) return;
    // C ends inside a vector: by way of a tile of its own.
    float rest[TILE_ROWS * 16];
    for (size_t first = 0; first < rows; first += TILE_ROWS) {
        size_t count = rows - first < TILE_ROWS ? rows - first : TILE_ROWS;
        panel_product(count, 1, depth, a + first * row_stride, row_stride, depth_stride, panels, rest, 16, 0);
        for (size_t r = 0; r < count; r++) {
            float *row = c + (first + r) * stride;
            for (size_t i = 0; i < columns; i++) row[i] = add ? row[i] + rest[16 * r + i] : rest[16 * r + i];
        }
    }
}
