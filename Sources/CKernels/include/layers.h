// Loops of the layers beyond a recurrent cell: GELU, layer norm, softmax, attention, convolution. Included by
// CKernels.h; the same rules hold.
#pragma once
#include <stddef.h>
#include <stdint.h>

// GELU (Hendrycks & Gimpel 2016), exact form: y = x Phi(x), slope = Phi(x) + x phi(x).
void rl2x_gelu_slope(size_t count, const float *x, float *y, float *slope);

// The value alone.
void rl2x_gelu(size_t count, const float *x, float *y);

// Layer norm of each row x [rows, columns]: y = weight (x - mean) inverse + bias, with inverse = 1 / sqrt(variance +
// epsilon); mean and inverse [rows] are written.
void rl2x_layer_norm(size_t rows, size_t columns, float epsilon, const float *x, const float *weight,
                     const float *bias, float *y, float *mean, float *inverse);
// dy from the tangents of x, weight and bias, each of which may be null: it is zero.
void rl2x_layer_norm_pushforward(size_t rows, size_t columns, const float *x, const float *mean, const float *inverse,
                                 const float *weight, const float *weight_tangent, const float *bias_tangent,
                                 const float *dx, float *dy);
// Adds to the cotangents of weight, bias and x what u, that of y, is for them; each may be null: nobody wants it.
void rl2x_layer_norm_pullback(size_t rows, size_t columns, const float *x, const float *mean, const float *inverse,
                              const float *weight, const float *u, float *weight_cotangent, float *bias_cotangent,
                              float *dx);

// B [depth, columns], or stored [columns, depth] if transposed, rows `stride` floats apart, as panels of 32 columns,
// [columns / 32 rounded up][depth][32], zero beyond the last column.
void rl2x_pack_panels(size_t depth, size_t columns, const float *b, size_t stride, int transposed, float *panels);
// C [rows, columns] = A B, or with `add` C += A B. Element (r, k) of A is a[r row_stride + k depth_stride]; B comes in
// panels, `panel_stride` floats apart.
void rl2x_panel_product(size_t rows, size_t columns, size_t depth, const float *a, size_t row_stride,
                        size_t depth_stride, const float *panels, size_t panel_stride, float *c, size_t stride,
                        int add);

// softmax of each row; logits and p may be the same array.
void rl2x_softmax(size_t rows, size_t columns, const float *logits, float *p);
// y = scale p (x - sum(p x)) for each row, `stride` floats apart: the symmetric derivative of softmax. x and y may be
// the same array.
void rl2x_softmax_map(size_t rows, size_t columns, size_t stride, float scale, const float *p, const float *x,
                      float *y);

// y [count, columns] = the rows offsets[i] + shift of a matrix of that many columns.
void rl2x_gather_rows(size_t count, const intptr_t *offsets, intptr_t shift, size_t columns, const float *rows, float *y);
// Writes x [count, columns] to such rows, or with `add` adds it.
void rl2x_scatter_rows(size_t count, const intptr_t *offsets, intptr_t shift, size_t columns, const float *x,
                       float *rows, int add);
// The rows of a block of causal attention. Row i of scores [rows, keys], `stride` floats apart, is a query that sees
// the first `sinks` keys, and of the keys sinks + j those with low <= j <= i + diagonal, low = i + diagonal + 1 - window
// (window 0: all), and unless starts is null starts[i] <= j; starts [rows] are whole numbers. Its score is
// scale scores[i][j] - slope (i + diagonal - j), without a slope for the sinks. Writes the softmax of the scores, 0
// where a key is not seen. With `known` 0 it writes log_sums[i] = log of the sum of exponentials; with 1 it reads it.
void rl2x_attention_softmax(size_t rows, size_t keys, size_t stride, size_t sinks, size_t diagonal, size_t window,
                            const float *starts, float scale, float slope, int known, float *scores, float *log_sums);
// The same for one query against a cache: q [heads width] over `seen` slots, of which slot 0 is a sink (distance 0) and
// slot s > 0 holds the step (newest - s) mod ring before the present one. Keys lie in blocks of 16 slots,
// [block][heads width][16], values [slot][heads width]. slopes [heads], or null. Heads from `forgetful` on see only the
// slots of steps at most `reach` before the present one, and the sink. scores is scratch for heads stretches of `seen`
// rounded up to 16; y [heads width] is written.
void rl2x_cached_attention(size_t heads, size_t width, size_t seen, size_t newest, size_t ring, size_t forgetful,
                           size_t reach, float scale, const float *q, const float *keys, const float *values,
                           const float *slopes, float *scores, float *y);
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
// y = a x + b
void rl2x_scale_bytes(size_t count, float a, float b, const uint8_t *x, float *y);
// y [rows, columns] = max(y + bias, 0), row by row.
void rl2x_bias_relu(size_t rows, size_t columns, const float *bias, float *y);
// z = x where y > 0, else 0; z may be x.
void rl2x_where_positive(size_t count, const float *y, const float *x, float *z);

// Convolutions without padding and without patches, to a number of output channels that is a multiple of 16. `wide`
// says that the processor has AVX-512: it chooses the tile, not the result. Weights come in blocks of 16 output
// channels, [outputs / 16][K][16], K numbers under the kernel in the order of a patch.
//
// y [images positions, outputs] = x * weights + other_x * other_weights + bias, where x, other_x and bias may be null.
// With `rectified` the positive part of that; with a gate, as large as y, 0 where the gate is not positive.
void rl2x_convolve(int wide, size_t images, const rl2x_window *window, size_t outputs, const float *x,
                   const float *weights, const float *other_x, const float *other_weights, const float *bias,
                   int rectified, const float *gate, float *y);
// weights += the sum over all places of what lies under the kernel there times u [images positions, outputs].
void rl2x_convolve_weight_cotangent(int wide, size_t images, const rl2x_window *window, size_t outputs, const float *x,
                                    const float *u, float *weights);
// dx [images, height width channels] += what u is for it. A kernel row must be a multiple of 16 numbers; weights are in
// the order of patches, [outputs][K].
void rl2x_convolve_image_cotangent(int wide, size_t images, const rl2x_window *window, size_t outputs,
                                   const float *weights, const float *u, float *dx);
