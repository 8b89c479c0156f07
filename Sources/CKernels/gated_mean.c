#include "CKernels.h"
#include "dispatch.h"
#include "vector_math.h"

RL2X_DISPATCH void rl2x_gated_mean(size_t count, const float *gate, const float *candidate, const float *before,
                                   float *next) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float h = before ? before[i] : 0.0f;
        next[i] = h + gate[i] * (candidate[i] - h);
    }
}

RL2X_DISPATCH void rl2x_gated_mean_pushforward(size_t count, const float *gate, const float *candidate,
                                               const float *before, const float *d_gate, const float *d_candidate,
                                               const float *d_before, float *d_next) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float h = before ? before[i] : 0.0f;
        float dh = d_before ? d_before[i] : 0.0f;
        d_next[i] = dh + gate[i] * (d_candidate[i] - dh) + d_gate[i] * (candidate[i] - h);
    }
}

RL2X_DISPATCH void rl2x_gated_mean_pullback(size_t count, const float *gate, const float *candidate,
                                            const float *before, const float *u, float *u_gate, float *u_candidate,
                                            float *u_before) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float h = before ? before[i] : 0.0f;
        u_gate[i] += u[i] * (candidate[i] - h);
        u_candidate[i] += u[i] * gate[i];
    }
    if (!u_before) return;
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) u_before[i] += u[i] * (1.0f - gate[i]);
}

// Beyond this the share is 0 or 1 to the last bit, and squares of exponentials stay finite.
static const float LARGEST = 40.0f;

RL2X_DISPATCH void rl2x_gate_share(size_t count, const float *x, const float *y, float *share, float *slopes) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float p = x[i] > LARGEST ? LARGEST : (x[i] < -LARGEST ? -LARGEST : x[i]);
        float q = y[i] > LARGEST ? LARGEST : (y[i] < -LARGEST ? -LARGEST : y[i]);
        float a = vector_exp(-p), b = vector_exp(-q);
        float total = 1.0f / (2.0f + a + b);
        float first = (1.0f + b) * total, second = (1.0f + a) * total;
        share[i] = first;
        if (slopes) {
            slopes[i] = first * (a * total);
            slopes[count + i] = -second * (b * total);
        }
    }
}
