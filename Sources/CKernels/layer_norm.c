#include "CKernels.h"
#include "dispatch.h"
#include "reduction.h"

RL2X_DISPATCH void rl2x_layer_norm(size_t rows, size_t columns, float epsilon, const float *x, const float *weight,
                                   const float *bias, float *y, float *mean, float *inverse) {
    for (size_t r = 0; r < rows; r++, x += columns, y += columns) {
        float middle = row_sum(columns, x) / (float)columns;
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) y[c] = x[c] - middle;
        float factor = 1.0f / __builtin_sqrtf(row_dot(columns, y, y) / (float)columns + epsilon);
        mean[r] = middle;
        inverse[r] = factor;
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) y[c] = weight[c] * (y[c] * factor) + bias[c];
    }
}

// Sums of g and of g times the normalised x of a row, where g = weight u.
static inline __attribute__((always_inline)) void row_moments(size_t columns, const float *x, float mean, float inverse,
                                                              const float *weight, const float *u, float *sum,
                                                              float *projection) {
    float sums[16] = {0}, products[16] = {0};
    size_t i = 0;
    for (; i + 16 <= columns; i += 16)
        for (int lane = 0; lane < 16; lane++) {
            float g = weight ? weight[i + lane] * u[i + lane] : u[i + lane];
            sums[lane] += g;
            products[lane] += g * ((x[i + lane] - mean) * inverse);
        }
    float rest = 0, rest_product = 0;
    for (; i < columns; i++) {
        float g = weight ? weight[i] * u[i] : u[i];
        rest += g;
        rest_product += g * ((x[i] - mean) * inverse);
    }
    *sum = fold_sum(sums, rest);
    *projection = fold_sum(products, rest_product);
}

RL2X_DISPATCH void rl2x_layer_norm_pushforward(size_t rows, size_t columns, const float *x, const float *mean,
                                               const float *inverse, const float *weight, const float *weight_tangent,
                                               const float *bias_tangent, const float *dx, float *dy) {
    for (size_t r = 0; r < rows; r++, x += columns, dy += columns) {
        float middle = mean[r], factor = inverse[r], sum = 0.0f, projection = 0.0f;
        if (dx) {
            row_moments(columns, x, middle, factor, NULL, dx, &sum, &projection);
            sum /= (float)columns;
            projection /= (float)columns;
            RL2X_INDEPENDENT
            for (size_t c = 0; c < columns; c++) {
                float normalized = (x[c] - middle) * factor;
                dy[c] = weight[c] * (factor * (dx[c] - sum - normalized * projection));
            }
            dx += columns;
        } else {
            for (size_t c = 0; c < columns; c++) dy[c] = 0.0f;
        }
        if (weight_tangent) {
            RL2X_INDEPENDENT
            for (size_t c = 0; c < columns; c++) dy[c] += weight_tangent[c] * ((x[c] - middle) * factor);
        }
        if (bias_tangent) {
            RL2X_INDEPENDENT
            for (size_t c = 0; c < columns; c++) dy[c] += bias_tangent[c];
        }
    }
}

RL2X_DISPATCH void rl2x_layer_norm_pullback(size_t rows, size_t columns, const float *x, const float *mean,
                                            const float *inverse, const float *weight, const float *u,
                                            float *weight_cotangent, float *bias_cotangent, float *dx) {
    for (size_t r = 0; r < rows; r++, x += columns, u += columns) {
        float middle = mean[r], factor = inverse[r], sum, projection;
        if (weight_cotangent) {
            RL2X_INDEPENDENT
            for (size_t c = 0; c < columns; c++) weight_cotangent[c] += u[c] * ((x[c] - middle) * factor);
        }
        if (bias_cotangent) {
            RL2X_INDEPENDENT
            for (size_t c = 0; c < columns; c++) bias_cotangent[c] += u[c];
        }
        if (!dx) continue;
        row_moments(columns, x, middle, factor, weight, u, &sum, &projection);
        sum /= (float)columns;
        projection /= (float)columns;
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) {
            float normalized = (x[c] - middle) * factor;
            dx[c] += factor * (weight[c] * u[c] - sum - normalized * projection);
        }
        dx += columns;
    }
}
