#include "CKernels.h"
#include "dispatch.h"

// Convolutions without patches: a tile of sums stays in registers while the numbers under the kernel are read where
// they lie in the image. A sum of sixteen channels is one register of AVX-512 and two of AVX2, which has sixteen: six
// places of the kernel, a vector of weights and a number of the image fill them. AVX-512 needs at least eight sums
// under way to hide the latency of its multiply-adds. Each number is summed in an order that no tile changes.
enum { NARROW_PLACES = 6, WIDE_PLACES = 10, NARROW_TAPS = 5, WIDE_TAPS = 15, CHUNK = 120 };

// Sixteen floats wherever they lie.
typedef float rl2x_lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t rl2x_mask __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

// Where the windows of the `count` places from `first` on begin, places of all images counted on.
static inline __attribute__((always_inline)) void window_offsets(const rl2x_window *w, size_t first, size_t count,
                                                                 int64_t *offsets) {
    int64_t positions = w->output_height * w->output_width;
    int64_t image = (int64_t)first / positions, place = (int64_t)first % positions;
    int64_t oy = place / w->output_width, ox = place % w->output_width;
    for (size_t i = 0; i < count; i++) {
        offsets[i] = ((image * w->height + oy * w->stride) * w->width + ox * w->stride) * w->channels;
        if (++ox < w->output_width) continue;
        ox = 0;
        if (++oy < w->output_height) continue;
        oy = 0;
        image++;
    }
}

// sums [places] += what lies under the kernel there, times weights [K][16].
static inline __attribute__((always_inline)) void add_places(int places, const rl2x_window *w, const int64_t *offsets,
                                                             size_t last, const float *images, const float *weights,
                                                             rl2x_lanes *sums) {
    int64_t length = w->kernel_width * w->channels, row = w->width * w->channels;
    const float *x[WIDE_PLACES];
    for (int p = 0; p < places; p++) x[p] = images + offsets[smaller(p, last)];
    for (int64_t ky = 0; ky < w->kernel_height; ky++) {
        for (int64_t i = 0; i < length; i++, weights += 16) {
            rl2x_lanes weight = *(const rl2x_lanes *)weights;
            for (int p = 0; p < places; p++) sums[p] += x[p][i] * weight;
        }
        for (int p = 0; p < places; p++) x[p] += row;
    }
}

// A tile, of whose places those up to `last` are there.
static inline __attribute__((always_inline)) void convolve_places(
    int places, const rl2x_window *w, const int64_t *offsets, size_t last, size_t outputs, const float *images,
    const float *weights, const float *other_images, const float *other_weights, const float *bias, int rectified,
    const float *gate, float *y) {
    rl2x_lanes sums[WIDE_PLACES];
    for (int p = 0; p < places; p++) sums[p] = (rl2x_lanes){0};
    if (images) add_places(places, w, offsets, last, images, weights, sums);
    if (other_images) add_places(places, w, offsets, last, other_images, other_weights, sums);
    rl2x_lanes start = bias ? *(const rl2x_lanes *)bias : (rl2x_lanes){0};
    for (int p = 0; p < places; p++) {
        if ((size_t)p > last) continue;
        rl2x_lanes sum = sums[p] + start;
        if (rectified) sum = (rl2x_lanes)((rl2x_mask)sum & ~(rl2x_mask)(sum < 0.0f));  // NaN stays NaN
        if (gate) sum = (rl2x_lanes)((rl2x_mask)sum & (rl2x_mask)(*(const rl2x_lanes *)(gate + p * outputs) > 0.0f));
        *(rl2x_lanes *)(y + p * outputs) = sum;
    }
}

static inline __attribute__((always_inline)) void convolve(
    int places, size_t images, const rl2x_window *w, size_t outputs, const float *x, const float *weights,
    const float *other_x, const float *other_weights, const float *bias, int rectified, const float *gate, float *y) {
    size_t count = images * (size_t)(w->output_height * w->output_width);
    size_t block = 16 * (size_t)(w->kernel_height * w->kernel_width * w->channels);
    int64_t offsets[CHUNK];
    for (size_t first = 0; first < count; first += CHUNK) {
        size_t chunk = smaller(CHUNK, count - first);
        window_offsets(w, first, chunk, offsets);
        for (size_t o = 0; o < outputs; o += 16)
            for (size_t i = 0; i < chunk; i += (size_t)places) {
                size_t place = (first + i) * outputs + o;
                convolve_places(places, w, offsets + i, smaller((size_t)places, chunk - i) - 1, outputs, x,
                                weights + o / 16 * block, other_x, other_weights + o / 16 * block,
                                bias ? bias + o : bias, rectified, gate ? gate + place : gate, y + place);
            }
    }
}

RL2X_DISPATCH void rl2x_convolve(int wide, size_t images, const rl2x_window *w, size_t outputs, const float *x,
                                 const float *weights, const float *other_x, const float *other_weights,
                                 const float *bias, int rectified, const float *gate, float *y) {
    if (wide)
        convolve(WIDE_PLACES, images, w, outputs, x, weights, other_x, other_weights, bias, rectified, gate, y);
    else
        convolve(NARROW_PLACES, images, w, outputs, x, weights, other_x, other_weights, bias, rectified, gate, y);
}

// weights [taps][16] += sum over `count` places of x [taps] there times u [16] there.
static inline __attribute__((always_inline)) void add_taps(int taps, const int64_t *offsets, size_t count,
                                                           size_t outputs, const float *x, const float *u,
                                                           float *weights) {
    rl2x_lanes sums[WIDE_TAPS];
    for (int t = 0; t < taps; t++) sums[t] = *(const rl2x_lanes *)(weights + 16 * t);
    for (size_t i = 0; i < count; i++, u += outputs) {
        const float *place = x + offsets[i];
        rl2x_lanes factor = *(const rl2x_lanes *)u;
        for (int t = 0; t < taps; t++) sums[t] += place[t] * factor;
    }
    for (int t = 0; t < taps; t++) *(rl2x_lanes *)(weights + 16 * t) = sums[t];
}

RL2X_DISPATCH void rl2x_convolve_weight_cotangent(int wide, size_t images, const rl2x_window *w, size_t outputs,
                                                  const float *x, const float *u, float *weights) {
    size_t count = images * (size_t)(w->output_height * w->output_width);
    int64_t length = w->kernel_width * w->channels, row = w->width * w->channels;
    int64_t offsets[CHUNK];
    for (size_t first = 0; first < count; first += CHUNK) {
        size_t chunk = smaller(CHUNK, count - first);
        window_offsets(w, first, chunk, offsets);
        float *place = weights;
        for (size_t o = 0; o < outputs; o += 16) {
            const float *factors = u + first * outputs + o;
            for (int64_t ky = 0; ky < w->kernel_height; ky++) {
                const float *under = x + ky * row;
                int64_t i = 0;
                for (; wide && i + WIDE_TAPS <= length; i += WIDE_TAPS, place += 16 * WIDE_TAPS)
                    add_taps(WIDE_TAPS, offsets, chunk, outputs, under + i, factors, place);
                for (; i + NARROW_TAPS <= length; i += NARROW_TAPS, place += 16 * NARROW_TAPS)
                    add_taps(NARROW_TAPS, offsets, chunk, outputs, under + i, factors, place);
                for (; i < length; i++, place += 16)
                    add_taps(1, offsets, chunk, outputs, under + i, factors, place);
            }
        }
    }
}

// Adds to sixteen channels of one pixel under the kernel of each place what comes from u [outputs] there.
static inline __attribute__((always_inline)) void spread_places(int places, const int64_t *offsets, size_t last,
                                                                size_t outputs, size_t stride, const float *weights,
                                                                const float *u, float *dx) {
    rl2x_lanes sums[WIDE_PLACES];
    const float *factors[WIDE_PLACES];
    for (int p = 0; p < places; p++) {
        sums[p] = (rl2x_lanes){0};
        factors[p] = u + smaller(p, last) * outputs;
    }
    for (size_t o = 0; o < outputs; o++, weights += stride) {
        rl2x_lanes weight = *(const rl2x_lanes *)weights;
        for (int p = 0; p < places; p++) sums[p] += factors[p][o] * weight;
    }
    for (int p = 0; p < places; p++)
        if ((size_t)p <= last) *(rl2x_lanes *)(dx + offsets[p]) += sums[p];
}

static inline __attribute__((always_inline)) void spread(int places, size_t images, const rl2x_window *w,
                                                         size_t outputs, const float *weights, const float *u,
                                                         float *dx) {
    size_t count = images * (size_t)(w->output_height * w->output_width);
    int64_t length = w->kernel_width * w->channels, row = w->width * w->channels;
    int64_t offsets[CHUNK];
    for (size_t first = 0; first < count; first += CHUNK) {
        size_t chunk = smaller(CHUNK, count - first);
        window_offsets(w, first, chunk, offsets);
        for (int64_t ky = 0; ky < w->kernel_height; ky++)
            for (int64_t i = 0; i < length; i += 16)
                for (size_t p = 0; p < chunk; p += (size_t)places)
                    spread_places(places, offsets + p, smaller((size_t)places, chunk - p) - 1, outputs,
                                  (size_t)(w->kernel_height * length), weights + ky * length + i,
                                  u + (first + p) * outputs, dx + ky * row + i);
    }
}

RL2X_DISPATCH void rl2x_convolve_image_cotangent(int wide, size_t images, const rl2x_window *w, size_t outputs,
                                                 const float *weights, const float *u, float *dx) {
    if (wide)
        spread(WIDE_PLACES, images, w, outputs, weights, u, dx);
    else
        spread(NARROW_PLACES, images, w, outputs, weights, u, dx);
}
