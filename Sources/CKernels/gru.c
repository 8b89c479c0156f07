#include "CKernels.h"
#include "dispatch.h"
#include "vector_math.h"

RL2X_DISPATCH void rl2x_gru_forward(size_t rows, size_t width, const float *gates, const float *bias,
                                    const float *hidden, float *next, float *coefficients) {
    const float *restrict bias_r = bias, *restrict bias_z = bias + width;
    const float *restrict bias_nh = bias + 2 * width, *restrict bias_nx = bias + 3 * width;
    for (size_t row = 0; row < rows; row++) {
        const float *restrict gate = gates + row * 4 * width;
        const float *restrict h = hidden + row * width;
        float *restrict out = next + row * width;
        if (coefficients) {
            float *restrict c = coefficients + row * 5 * width;
            RL2X_INDEPENDENT
            for (size_t j = 0; j < width; j++) {
                float r = vector_sigmoid(gate[j] + bias_r[j]);
                float z = vector_sigmoid(gate[width + j] + bias_z[j]);
                float n_h = gate[2 * width + j] + bias_nh[j];
                float n = vector_tanh(gate[3 * width + j] + bias_nx[j] + r * n_h);
                float c_nx = (1.0f - z) * (1.0f - n * n);
                out[j] = n + z * (h[j] - n);
                c[j] = c_nx * n_h * r * (1.0f - r);
                c[width + j] = z * (1.0f - z) * (h[j] - n);
                c[2 * width + j] = c_nx * r;
                c[3 * width + j] = c_nx;
                c[4 * width + j] = z;
            }
        } else {
            RL2X_INDEPENDENT
            for (size_t j = 0; j < width; j++) {
                float r = vector_sigmoid(gate[j] + bias_r[j]);
                float z = vector_sigmoid(gate[width + j] + bias_z[j]);
                float n_h = gate[2 * width + j] + bias_nh[j];
                float n = vector_tanh(gate[3 * width + j] + bias_nx[j] + r * n_h);
                out[j] = n + z * (h[j] - n);
            }
        }
    }
}

RL2X_DISPATCH void rl2x_gru_pushforward(size_t rows, size_t width, const float *coefficients, const float *gates,
                                        const float *bias, const float *hidden, float *next) {
    for (size_t row = 0; row < rows; row++) {
        const float *restrict c = coefficients + row * 5 * width;
        const float *restrict gate = gates + row * 4 * width;
        float *restrict out = next + row * width;
        RL2X_INDEPENDENT
        for (size_t j = 0; j < width; j++) {
            float sum = c[j] * (gate[j] + bias[j]);
            sum += c[width + j] * (gate[width + j] + bias[width + j]);
            sum += c[2 * width + j] * (gate[2 * width + j] + bias[2 * width + j]);
            sum += c[3 * width + j] * (gate[3 * width + j] + bias[3 * width + j]);
            out[j] = sum;
        }
        if (hidden) {
            const float *restrict h = hidden + row * width;
            RL2X_INDEPENDENT
            for (size_t j = 0; j < width; j++) out[j] += c[4 * width + j] * h[j];
        }
    }
}

RL2X_DISPATCH void rl2x_gru_pullback(size_t rows, size_t width, const float *coefficients, const float *next,
                                     float *gates, float *bias, float *hidden) {
    for (size_t row = 0; row < rows; row++) {
        const float *restrict c = coefficients + row * 5 * width;
        const float *restrict u = next + row * width;
        float *restrict gate = gates + row * 4 * width;
        float *restrict sum = bias;
        for (size_t k = 0; k < 4; k++)
            RL2X_INDEPENDENT
            for (size_t j = 0; j < width; j++) {
                float value = c[k * width + j] * u[j];
                gate[k * width + j] = value;
                sum[k * width + j] += value;
            }
        if (hidden) {
            float *restrict h = hidden + row * width;
            RL2X_INDEPENDENT
            for (size_t j = 0; j < width; j++) h[j] += c[4 * width + j] * u[j];
        }
    }
}
