#include "CKernels.h"
#include "dispatch.h"

RL2X_DISPATCH void rl2x_rotate(size_t rows, size_t columns, size_t rotated, size_t width, float direction,
                               const float *angles, const float *x, float *y, int add) {
    size_t half = width / 2;
    for (size_t r = 0; r < rows; r++, x += columns, y += columns, angles += width) {
        const float *restrict cosine = angles, *restrict sine = angles + half;
        for (size_t first = 0; first < rotated; first += width) {
            const float *a = x + first, *b = a + half;
            float *c = y + first, *d = c + half;
            if (add) {
                RL2X_INDEPENDENT
                for (size_t i = 0; i < half; i++) {
                    c[i] += cosine[i] * a[i] - direction * sine[i] * b[i];
                    d[i] += cosine[i] * b[i] + direction * sine[i] * a[i];
                }
            } else {
                RL2X_INDEPENDENT
                for (size_t i = 0; i < half; i++) {
                    c[i] = cosine[i] * a[i] - direction * sine[i] * b[i];
                    d[i] = cosine[i] * b[i] + direction * sine[i] * a[i];
                }
            }
        }
        if (add) {
            RL2X_INDEPENDENT
            for (size_t c = rotated; c < columns; c++) y[c] += x[c];
        } else {
            RL2X_INDEPENDENT
            for (size_t c = rotated; c < columns; c++) y[c] = x[c];
        }
    }
}
