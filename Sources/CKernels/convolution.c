#include "CKernels.h"
#include "dispatch.h"

// With channels last, the kernel_width channels floats of one kernel row are neighbours in the image, so a patch is
// kernel_height stretches of memory. A stretch that crosses the border is cut to columns first ..< last.
typedef struct {
    int64_t first, last, source;
} rl2x_stretch;

static inline __attribute__((always_inline)) rl2x_stretch stretch(const rl2x_window *w, int64_t y, int64_t x) {
    int64_t left = x * w->stride - w->padding;
    int64_t first = left < 0 ? -left : 0;
    int64_t last = left + w->kernel_width > w->width ? w->width - left : w->kernel_width;
    if (y < 0 || y >= w->height || last < first) first = last = 0;
    rl2x_stretch result = {first * w->channels, last * w->channels, (y * w->width + left) * w->channels};
    return result;
}

RL2X_DISPATCH void rl2x_gather_patches(size_t count, const rl2x_window *w, const float *images, float *patches) {
    int64_t length = w->kernel_width * w->channels;
    for (size_t n = 0; n < count; n++, images += w->height * w->width * w->channels)
        for (int64_t oy = 0; oy < w->output_height; oy++)
            for (int64_t ox = 0; ox < w->output_width; ox++)
                for (int64_t ky = 0; ky < w->kernel_height; ky++, patches += length) {
                    rl2x_stretch s = stretch(w, oy * w->stride - w->padding + ky, ox);
                    for (int64_t i = 0; i < s.first; i++) patches[i] = 0.0f;
                    RL2X_INDEPENDENT
                    for (int64_t i = s.first; i < s.last; i++) patches[i] = images[s.source + i];
                    for (int64_t i = s.last; i < length; i++) patches[i] = 0.0f;
                }
}

RL2X_DISPATCH void rl2x_scatter_patches(size_t count, const rl2x_window *w, const float *patches, float *images) {
    int64_t length = w->kernel_width * w->channels;
    for (size_t n = 0; n < count; n++, images += w->height * w->width * w->channels)
        for (int64_t oy = 0; oy < w->output_height; oy++)
            for (int64_t ox = 0; ox < w->output_width; ox++)
                for (int64_t ky = 0; ky < w->kernel_height; ky++, patches += length) {
                    rl2x_stretch s = stretch(w, oy * w->stride - w->padding + ky, ox);
                    RL2X_INDEPENDENT
                    for (int64_t i = s.first; i < s.last; i++) images[s.source + i] += patches[i];
                }
}

RL2X_DISPATCH void rl2x_scale_bytes(size_t count, float a, float b, const uint8_t *x, float *y) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) y[i] = a * (float)x[i] + b;
}

RL2X_DISPATCH void rl2x_bias_relu(size_t rows, size_t columns, const float *bias, float *y) {
    for (size_t row = 0; row < rows; row++, y += columns)
        RL2X_INDEPENDENT
        for (size_t i = 0; i < columns; i++) {
            float value = bias[i] + y[i];
            y[i] = value < 0.0f ? 0.0f : value;  // NaN stays NaN
        }
}

RL2X_DISPATCH void rl2x_where_positive(size_t count, const float *y, const float *x, float *z) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) z[i] = y[i] > 0.0f ? x[i] : 0.0f;
}
