#include "CKernels.h"
#include "dispatch.h"
#include <string.h>

// C = A B by tiles of twelve rows and two vectors of sixteen columns, which with two vectors of B are 26 of the 32
// registers of AVX-512. A is read where it lies, an element at a time, so only B is brought into another order: panels
// [depth][32], zero beyond the last column.
enum { TILE_ROWS = 12, PANEL = 32 };

typedef float rl2x_vector __attribute__((vector_size(64), aligned(4), may_alias));

RL2X_DISPATCH void rl2x_pack_panels(size_t depth, size_t columns, const float *b, size_t stride, int transposed,
                                    float *panels) {
    for (size_t first = 0; first < columns; first += PANEL, panels += depth * PANEL) {
        size_t count = columns - first < PANEL ? columns - first : PANEL;
        if (transposed) {
            for (size_t k = 0; k < depth; k += 16) {
                size_t rows = depth - k < 16 ? depth - k : 16;
                for (size_t c = 0; c < count; c++) {
                    const float *source = b + (first + c) * stride + k;
                    for (size_t i = 0; i < rows; i++) panels[(k + i) * PANEL + c] = source[i];
                }
            }
            if (count < PANEL)
                for (size_t k = 0; k < depth; k++)
                    for (size_t c = count; c < PANEL; c++) panels[k * PANEL + c] = 0.0f;
        } else {
            for (size_t k = 0; k < depth; k++) {
                const float *source = b + k * stride + first;
                float *restrict place = panels + k * PANEL;
                if (count == PANEL) {
                    for (size_t c = 0; c < PANEL; c++) place[c] = source[c];
                } else {
                    for (size_t c = 0; c < count; c++) place[c] = source[c];
                    for (size_t c = count; c < PANEL; c++) place[c] = 0.0f;
                }
            }
        }
    }
}

static inline __attribute__((always_inline)) void tile(int rows, size_t depth, const float *a, size_t row_stride,
                                                       size_t depth_stride, const float *panel, float *c,
                                                       size_t stride, int add) {
    rl2x_vector left[TILE_ROWS], right[TILE_ROWS];
    for (int r = 0; r < rows; r++) {
        left[r] = add ? *(const rl2x_vector *)(c + r * stride) : (rl2x_vector){0};
        right[r] = add ? *(const rl2x_vector *)(c + r * stride + 16) : (rl2x_vector){0};
    }
    for (size_t k = 0; k < depth; k++, a += depth_stride, panel += PANEL) {
        rl2x_vector first = *(const rl2x_vector *)panel, second = *(const rl2x_vector *)(panel + 16);
        for (int r = 0; r < rows; r++) {
            float x = a[r * row_stride];
            left[r] += x * first;
            right[r] += x * second;
        }
    }
    for (int r = 0; r < rows; r++) {
        *(rl2x_vector *)(c + r * stride) = left[r];
        *(rl2x_vector *)(c + r * stride + 16) = right[r];
    }
}

static inline __attribute__((always_inline)) void panel_product(size_t rows, size_t depth, const float *a,
                                                                size_t row_stride, size_t depth_stride,
                                                                const float *panel, float *c, size_t stride, int add) {
    size_t r = 0;
    for (; r + 12 <= rows; r += 12)
        tile(12, depth, a + r * row_stride, row_stride, depth_stride, panel, c + r * stride, stride, add);
    for (; r + 4 <= rows; r += 4)
        tile(4, depth, a + r * row_stride, row_stride, depth_stride, panel, c + r * stride, stride, add);
    for (; r < rows; r++)
        tile(1, depth, a + r * row_stride, row_stride, depth_stride, panel, c + r * stride, stride, add);
}

RL2X_DISPATCH void rl2x_panel_product(size_t rows, size_t columns, size_t depth, const float *a, size_t row_stride,
                                      size_t depth_stride, const float *panels, size_t panel_stride, float *c,
                                      size_t stride, int add) {
    for (; columns >= PANEL; columns -= PANEL, panels += panel_stride, c += PANEL)
        panel_product(rows, depth, a, row_stride, depth_stride, panels, c, stride, add);
    if (columns == 0) return;
    // The last panel is wider than C: by way of a tile of its own.
    float rest[TILE_ROWS * PANEL];
    for (size_t first = 0; first < rows; first += TILE_ROWS) {
        size_t count = rows - first < TILE_ROWS ? rows - first : TILE_ROWS;
        panel_product(count, depth, a + first * row_stride, row_stride, depth_stride, panels, rest, PANEL, 0);
        for (size_t r = 0; r < count; r++) {
            float *row = c + (first + r) * stride;
            for (size_t i = 0; i < columns; i++) row[i] = add ? row[i] + rest[r * PANEL + i] : rest[r * PANEL + i];
        }
    }
}
