#include "CKernels.h"
#include "dispatch.h"
#include "reduction.h"

RL2X_DISPATCH void rl2x_layer_norm(size_t rows, size_t columns, float epsilon, const float *x, const float *weight,
                                   const float *bias, float *y, float *normalized, float *inverse_deviation) {
    for (size_t r = 0; r < rows; r++, x += columns, y += columns, normalized += columns) {
        float mean = row_sum(columns, x) / (float)columns;
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) normalized[c] = x[c] - mean;
        float variance = row_dot(columns, normalized, normalized) / (float)columns;
        float inverse = 1.0f / __builtin_sqrtf(variance + epsilon);
        inverse_deviation[r] = inverse;
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) {
            float value = normalized[c] * inverse;
            normalized[c] = value;
            y[c] = weight[c] * value + bias[c];
        }
    }
}

RL2X_DISPATCH void rl2x_layer_norm_map(size_t rows, size_t columns, const float *normalized,
                                       const float *inverse_deviation, const float *g, float *dx) {
    for (size_t r = 0; r < rows; r++, g += columns, dx += columns, normalized += columns) {
        float mean = row_sum(columns, g) / (float)columns;
        float projection = row_dot(columns, normalized, g) / (float)columns;
        float inverse = inverse_deviation[r];
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) dx[c] = inverse * (g[c] - mean - normalized[c] * projection);
    }
}
