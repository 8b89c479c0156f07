#include "CKernels.h"
#include "dispatch.h"
#include "reduction.h"

RL2X_DISPATCH void rl2x_unit_rows(size_t rows, size_t columns, float factor, float epsilon, const float *x, float *y,
                                  float *inverse) {
    for (size_t r = 0; r < rows; r++, x += columns, y += columns) {
        float scale = factor / __builtin_sqrtf(row_dot(columns, x, x) + epsilon);
        inverse[r] = scale;
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) y[c] = scale * x[c];
    }
}

RL2X_DISPATCH void rl2x_unit_rows_map(size_t rows, size_t columns, float factor, const float *x, const float *inverse,
                                      const float *dx, float *dy, int add) {
    for (size_t r = 0; r < rows; r++, x += columns, dx += columns, dy += columns) {
        float scale = inverse[r], length = scale / factor;
        float along = length * length * row_dot(columns, x, dx);
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) dy[c] = (add ? dy[c] : 0.0f) + scale * (dx[c] - along * x[c]);
    }
}
