#include "CKernels.h"
#include "dispatch.h"
#include "vector_math.h"

RL2X_DISPATCH void rl2x_lstm_forward(size_t rows, size_t width, const float *gates, const float *bias,
                                     const float *cell, float *next_hidden, float *next_cell, float *coefficients) {
    const float *restrict bias_i = bias, *restrict bias_f = bias + width;
    const float *restrict bias_g = bias + 2 * width, *restrict bias_o = bias + 3 * width;
    for (size_t row = 0; row < rows; row++) {
        const float *restrict gate = gates + row * 4 * width;
        const float *restrict c = cell + row * width;
        float *restrict out_hidden = next_hidden + row * width;
        float *restrict out_cell = next_cell + row * width;
        if (coefficients) {
            float *restrict k = coefficients + row * 6 * width;
            RL2X_INDEPENDENT
            for (size_t j = 0; j < width; j++) {
                float i = vector_sigmoid(gate[j] + bias_i[j]);
                float f = vector_sigmoid(gate[width + j] + bias_f[j]);
                float g = vector_tanh(gate[2 * width + j] + bias_g[j]);
                float o = vector_sigmoid(gate[3 * width + j] + bias_o[j]);
                float sum = f * c[j] + i * g;
                float t = vector_tanh(sum);
                out_cell[j] = sum;
                out_hidden[j] = o * t;
                // Not through f c and g i: the compiler would join them with those of the sum, and fuse that into
                // other multiply-adds than without coefficients.
                k[j] = g * (i * (1.0f - i));
                k[width + j] = c[j] * (f * (1.0f - f));
                k[2 * width + j] = i * (1.0f - g * g);
                k[3 * width + j] = t * o * (1.0f - o);
                k[4 * width + j] = f;
                k[5 * width + j] = o * (1.0f - t * t);
            }
        } else {
            RL2X_INDEPENDENT
            for (size_t j = 0; j < width; j++) {
                float i = vector_sigmoid(gate[j] + bias_i[j]);
                float f = vector_sigmoid(gate[width + j] + bias_f[j]);
                float g = vector_tanh(gate[2 * width + j] + bias_g[j]);
                float o = vector_sigmoid(gate[3 * width + j] + bias_o[j]);
                float sum = f * c[j] + i * g;
                out_cell[j] = sum;
                out_hidden[j] = o * vector_tanh(sum);
            }
        }
    }
}

RL2X_DISPATCH void rl2x_lstm_pushforward(size_t rows, size_t width, const float *coefficients, const float *gates,
                                         const float *bias, const float *cell, float *next_hidden,
                                         float *next_cell) {
    for (size_t row = 0; row < rows; row++) {
        const float *restrict k = coefficients + row * 6 * width;
        const float *restrict gate = gates + row * 4 * width;
        float *restrict out_hidden = next_hidden + row * width;
        float *restrict out_cell = next_cell + row * width;
        const float *restrict c = cell ? cell + row * width : NULL;
        RL2X_INDEPENDENT
        for (size_t j = 0; j < width; j++) {
            float sum = k[j] * (gate[j] + bias[j]);
            sum += k[width + j] * (gate[width + j] + bias[width + j]);
            sum += k[2 * width + j] * (gate[2 * width + j] + bias[2 * width + j]);
            if (c) sum += k[4 * width + j] * c[j];
            out_cell[j] = sum;
            out_hidden[j] =
                k[3 * width + j] * (gate[3 * width + j] + bias[3 * width + j]) + k[5 * width + j] * sum;
        }
    }
}

RL2X_DISPATCH void rl2x_lstm_pullback(size_t rows, size_t width, const float *coefficients, const float *next_hidden,
                                      const float *next_cell, float *gates, float *bias, float *cell) {
    float *restrict sum_i = bias, *restrict sum_f = bias + width;
    float *restrict sum_g = bias + 2 * width, *restrict sum_o = bias + 3 * width;
    for (size_t row = 0; row < rows; row++) {
        const float *restrict k = coefficients + row * 6 * width;
        const float *restrict u_hidden = next_hidden + row * width;
        const float *restrict u_cell = next_cell + row * width;
        float *restrict gate = gates + row * 4 * width;
        float *restrict c = cell ? cell + row * width : NULL;
        RL2X_INDEPENDENT
        for (size_t j = 0; j < width; j++) {
            // All that reaches cell': from itself and through hidden'.
            float u = u_cell[j] + k[5 * width + j] * u_hidden[j];
            float i = k[j] * u, f = k[width + j] * u, g = k[2 * width + j] * u;
            float o = k[3 * width + j] * u_hidden[j];
            gate[j] = i;
            gate[width + j] = f;
            gate[2 * width + j] = g;
            gate[3 * width + j] = o;
            sum_i[j] += i;
            sum_f[j] += f;
            sum_g[j] += g;
            sum_o[j] += o;
            if (c) c[j] += k[4 * width + j] * u;
        }
    }
}
