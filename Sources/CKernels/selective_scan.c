#include "CKernels.h"
#include "dispatch.h"
#include "reduction.h"
#include "vector_math.h"

// Numbers of a channel that are handled at a time: what they add up to is kept in as many sums.
enum { BLOCK = 16 };

RL2X_DISPATCH void rl2x_selective_scan(size_t channels, size_t width, const float *x, const float *t, const float *a,
                                       const float *b, const float *c, const float *d, float *state, float *y) {
    for (size_t e = 0; e < channels; e++, a += width, state += width) {
        float step = t[e], input = step * x[e];
        RL2X_INDEPENDENT
        for (size_t s = 0; s < width; s++) state[s] = vector_exp(-step * a[s]) * state[s] + input * b[s];
        y[e] = d[e] * x[e] + row_dot(width, c, state);
    }
}

RL2X_DISPATCH void rl2x_selective_scan_pushforward(size_t channels, size_t width, const float *x, const float *t,
                                                   const float *a, const float *b, const float *c, const float *d,
                                                   float *state, const float *dx, const float *dt, const float *da,
                                                   const float *db, const float *dc, const float *dd, float *d_state,
                                                   float *dy) {
    for (size_t e = 0; e < channels; e++, a += width, da += width, state += width, d_state += width) {
        float step = t[e], d_step = dt[e], input = step * x[e], d_input = d_step * x[e] + step * dx[e];
        RL2X_INDEPENDENT
        for (size_t s = 0; s < width; s++) {
            float left = vector_exp(-step * a[s]) * state[s], rate = vector_exp(-step * a[s]);
            d_state[s] = rate * d_state[s] - (d_step * a[s] + step * da[s]) * left + d_input * b[s] + input * db[s];
            state[s] = left + input * b[s];
        }
        dy[e] = dd[e] * x[e] + d[e] * dx[e] + row_dot(width, dc, state) + row_dot(width, c, d_state);
    }
}

RL2X_DISPATCH void rl2x_selective_scan_pullback(size_t channels, size_t width, const float *x, const float *t,
                                                const float *a, const float *b, const float *c, const float *d,
                                                const float *state, const float *u, float *u_x, float *u_t,
                                                float *u_a, float *u_b, float *u_c, float *u_d, float *u_state) {
    for (size_t e = 0; e < channels; e++) {
        float step = t[e], input = step * x[e], seed = u[e];
        float of_input[BLOCK] = {0}, of_step[BLOCK] = {0};
        for (size_t first = 0; first < width; first += BLOCK) {
            size_t count = width - first < BLOCK ? width - first : BLOCK;
            RL2X_INDEPENDENT
            for (size_t i = 0; i < count; i++) {
                size_t s = first + i;
                float rate = vector_exp(-step * a[s]), left = rate * state[s];
                float g = u_state[s] + c[s] * seed;
                u_c[s] += seed * (left + input * b[s]);
                u_b[s] += g * input;
                u_a[s] -= g * step * left;
                of_step[i] -= g * a[s] * left;
                of_input[i] += g * b[s];
                u_state[s] = g * rate;
            }
        }
        float inputs = fold_sum(of_input, 0.0f);
        u_t[e] += fold_sum(of_step, 0.0f) + inputs * x[e];
        u_x[e] += inputs * step + d[e] * seed;
        u_d[e] += x[e] * seed;
        a += width, u_a += width, state += width, u_state += width;
    }
}
