#include "CKernels.h"
#include "dispatch.h"
#include "vector_math.h"

RL2X_DISPATCH void rl2x_exp(size_t count, const float *x, float *y) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) y[i] = vector_exp(x[i]);
}

RL2X_DISPATCH void rl2x_tanh(size_t count, const float *x, float *y) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) y[i] = vector_tanh(x[i]);
}

RL2X_DISPATCH void rl2x_sigmoid(size_t count, const float *x, float *y) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) y[i] = vector_sigmoid(x[i]);
}

RL2X_DISPATCH void rl2x_tanh_slope(size_t count, const float *x, float *y, float *slope) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float value = vector_tanh(x[i]);
        y[i] = value;
        slope[i] = 1.0f - value * value;
    }
}

RL2X_DISPATCH void rl2x_sigmoid_slope(size_t count, const float *x, float *y, float *slope) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float value = vector_sigmoid(x[i]);
        y[i] = value;
        slope[i] = value * (1.0f - value);
    }
}

RL2X_DISPATCH void rl2x_relu_slope(size_t count, const float *x, float *y, float *slope) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float value = x[i];
        slope[i] = value > 0.0f ? 1.0f : 0.0f;
        y[i] = value < 0.0f ? 0.0f : value;  // NaN stays NaN
    }
}

RL2X_DISPATCH void rl2x_add_scaled(size_t count, float a, const float *restrict x, float *restrict y) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) y[i] += a * x[i];
}

RL2X_DISPATCH void rl2x_scale(size_t count, float a, float *y) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) y[i] *= a;
}

RL2X_DISPATCH void rl2x_add_product(size_t count, const float *restrict x, const float *restrict y,
                                    float *restrict z) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) z[i] += x[i] * y[i];
}

RL2X_DISPATCH void rl2x_product(size_t count, const float *x, const float *y, float *z) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) z[i] = x[i] * y[i];
}

// Sixteen partial sums: the order is fixed by the code, not by the vector width, so every kernel set gives
// the same bits.
RL2X_DISPATCH double rl2x_dot(size_t count, const float *x, const float *y) {
    double partial[16] = {0};
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (int lane = 0; lane < 16; lane++) partial[lane] += (double)x[i + lane] * (double)y[i + lane];
    double sum = 0;
    for (; i < count; i++) sum += (double)x[i] * (double)y[i];
    for (int lane = 0; lane < 16; lane++) sum += partial[lane];
    return sum;
}

RL2X_DISPATCH void rl2x_add_bias(size_t rows, size_t columns, const float *restrict bias, float *restrict y) {
    for (size_t r = 0; r < rows; r++, y += columns)
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) y[c] += bias[c];
}

RL2X_DISPATCH void rl2x_sum_rows(size_t rows, size_t columns, const float *x, const float *bias, float *y) {
    for (size_t r = 0; r < rows; r++, y += columns) {
        if (x && bias) {
            RL2X_INDEPENDENT
            for (size_t c = 0; c < columns; c++) y[c] = x[c] + bias[c];
        } else {
            const float *source = x ? x : bias;
            RL2X_INDEPENDENT
            for (size_t c = 0; c < columns; c++) y[c] = source[c];
        }
        if (x) x += columns;
    }
}

RL2X_DISPATCH void rl2x_add_column_sums(size_t rows, size_t columns, const float *restrict y,
                                        float *restrict bias) {
    for (size_t r = 0; r < rows; r++, y += columns)
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) bias[c] += y[c];
}

RL2X_DISPATCH void rl2x_log_softmax(size_t rows, size_t columns, const float *logits, float *log_probabilities) {
    for (size_t r = 0; r < rows; r++, logits += columns, log_probabilities += columns) {
        float largest = logits[0];
        for (size_t c = 1; c < columns; c++) largest = logits[c] > largest ? logits[c] : largest;
        float sum = 0;
        for (size_t c = 0; c < columns; c++) sum += vector_exp(logits[c] - largest);
        float shift = largest + __builtin_logf(sum);
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) log_probabilities[c] = logits[c] - shift;
    }
}

RL2X_DISPATCH void rl2x_adam(size_t count, float rate, float beta1, float beta2, float epsilon,
                             const float *restrict gradient, float *restrict m, float *restrict v,
                             float *restrict theta) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i];
        float first = beta1 * m[i] + (1.0f - beta1) * g;
        float second = beta2 * v[i] + (1.0f - beta2) * g * g;
        m[i] = first;
        v[i] = second;
        theta[i] -= rate * first / (__builtin_sqrtf(second) + epsilon);
    }
}
