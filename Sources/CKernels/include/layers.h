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
// the first `sinks` keys, and of the keys sinks + j those with low <= j <= i + diagonal, low = i + diagonal + 1 - window
// (window 0: all). Its score is scale scores[i][j] - slope (i + diagonal - j), without a slope for the sinks. Writes the
// softmax of the scores, 0 where a key is not seen. With `known` 0 it writes log_sums[i] = log of the sum of
// exponentials; with 1 it reads it.
void rl2x_attention_softmax(size_t rows, size_t keys, size_t stride, size_t sinks, size_t diagonal, size_t window,
                            float scale, float slope, int known, float *scores, float *log_sums);
// The same for one query against a cache: q [heads width] over `seen` slots, of which slot 0 is a sink (distance 0) and
// slot s > 0 holds the step (newest - s) mod ring before the present one. Keys lie in blocks of 16 slots,
// [block][heads width][16], values [slot][heads width]. slopes [heads], or null. scores is scratch for heads stretches
// of `seen` rounded up to 16; y [heads width] is written.
void rl2x_cached_attention(size_t heads, size_t width, size_t seen, size_t newest, size_t ring, float scale,
                           const float *q, const float *keys, const float *values, const float *slopes, float *scores,
                           float *y);
// Writes a key [columns] into its slot of such blocks.
void rl2x_cache_key(size_t columns, size_t slot, const float *key, float *keys);

// y = x with the first `rotated` of its columns turned, in heads of `width` columns: columns i and i + width / 2 of a
// head by the angle whose cosine is angles[r][i] and whose sine is angles[r][width / 2 + i], forwards (direction 1) or
// back (-1). With `add` the result is added to y.
void rl2x_rotate(size_t rows, size_t columns, size_t rotated, size_t width, float direction, const float *angles,
                 const float *x, float *y, int add);

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
