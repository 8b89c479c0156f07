#include "CKernels.h"
#include "dispatch.h"

// Numbers of a complex row lie apart: `width` real parts, then as many imaginary parts.

RL2X_DISPATCH void rl2x_complex_scan(size_t width, size_t kept, const float *factor, const float *x,
                                     const float *before, float *next) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < kept; i++) {
        float re = factor[i], im = factor[width + i], h_re = before[i], h_im = before[width + i];
        next[i] = re * h_re - im * h_im + x[i];
        next[width + i] = re * h_im + im * h_re + x[width + i];
    }
    for (size_t i = kept; i < width; i++) {
        next[i] = x[i];
        next[width + i] = x[width + i];
    }
}

RL2X_DISPATCH void rl2x_complex_scan_pushforward(size_t width, size_t kept, const float *factor, const float *before,
                                                 const float *d_factor, const float *dx, const float *d_before,
                                                 float *d_next) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < kept; i++) {
        float re = factor[i], im = factor[width + i], h_re = before[i], h_im = before[width + i];
        float d_re = d_factor[i], d_im = d_factor[width + i], dh_re = d_before[i], dh_im = d_before[width + i];
        d_next[i] = re * dh_re - im * dh_im + d_re * h_re - d_im * h_im + dx[i];
        d_next[width + i] = re * dh_im + im * dh_re + d_re * h_im + d_im * h_re + dx[width + i];
    }
    for (size_t i = kept; i < width; i++) {
        d_next[i] = dx[i];
        d_next[width + i] = dx[width + i];
    }
}

RL2X_DISPATCH void rl2x_complex_scan_pullback(size_t width, size_t kept, const float *factor, const float *before,
                                              const float *u, float *u_factor, float *u_x, float *u_before) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < 2 * width; i++) u_x[i] += u[i];
    RL2X_INDEPENDENT
    for (size_t i = 0; i < kept; i++) {
        float re = factor[i], im = factor[width + i], h_re = before[i], h_im = before[width + i];
        float u_re = u[i], u_im = u[width + i];
        u_factor[i] += u_re * h_re + u_im * h_im;
        u_factor[width + i] += u_im * h_re - u_re * h_im;
        u_before[i] += re * u_re + im * u_im;
        u_before[width + i] += re * u_im - im * u_re;
    }
}
