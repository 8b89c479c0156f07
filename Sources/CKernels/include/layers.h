// Loops of the layers beyond a recurrent cell: GELU, layer norm, softmax, attention, convolution. Included by
// CKernels.h; the same rules hold.
#pragma once
#include <stddef.h>
#include <stdint.h>

// GELU (Hendrycks & Gimpel 2016), exact form: y = x Phi(x), slope = Phi(x) + x phi(x).
void rl2x_gelu_slope(size_t count, const float *x, float *y, float *slope);

// Layer norm of each row x [rows, columns]: normalized = (x - mean) / deviation, y = weight normalized + bias, with
// deviation = sqrt(variance + epsilon) and its inverse [rows] kept.
void rl2x_layer_norm(size_t rows, size_t columns, float epsilon, const float *x, const float *weight,
                     const float *bias, float *y, float *normalized, float *inverse_deviation);
// dx = (g - mean(g) - normalized mean(normalized g)) / deviation for each row of g; the map is symmetric, so it
// serves tangents and cotangents. g and dx may be the same array.
void rl2x_layer_norm_map(size_t rows, size_t columns, const float *normalized, const float *inverse_deviation,
                         const float *g, float *dx);

// softmax of each row; logits and p may be the same array.
void rl2x_softmax(size_t rows, size_t columns, const float *logits, float *p);
// y = scale p (x - sum(p x)) for each row, `stride` floats apart: the symmetric derivative of softmax. x and y may be
// the same array.
void rl2x_softmax_map(size_t rows, size_t columns, size_t stride, float scale, const float *p, const float *x,
                      float *y);

// The rows of a block of causal attention. Row i of scores [rows, keys], `stride` floats apart, is a query that sees
// the keys j with low <= j <= i + diagonal, low = i + diagonal + 1 - window (window 0: all). Its score is
// scale scores[i][j] - slope (i + diagonal - j). Writes the softmax of the scores, 0 where a key is not seen.
// With `known` 0 it writes log_sums[i] = log of the sum of exponentials; with 1 it reads it.
void rl2x_attention_softmax(size_t rows, size_t keys, size_t stride, size_t diagonal, size_t window, float scale,
                            float slope, int known, float *scores, float *log_sums);

// A window that slides over images [height, width, channels], channels last.
typedef struct {
    int64_t height, width, channels, kernel_height, kernel_width, stride, padding, output_height, output_width;
} rl2x_window;
// patches [count output_height output_width, kernel_height kernel_width channels] of `count` images; beyond the
// border all is zero.
void rl2x_gather_patches(size_t count, const rl2x_window *window, const float *images, float *patches);
// The transposed map: images += patches.
void rl2x_scatter_patches(size_t count, const rl2x_window *window, const float *patches, float *images);
// y = a x
void rl2x_scale_bytes(size_t count, float a, const uint8_t *x, float *y);
