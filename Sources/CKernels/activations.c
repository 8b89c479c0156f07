#include "CKernels.h"
#include "dispatch.h"
#include "vector_math.h"

RL2X_DISPATCH void rl2x_silu_slope(size_t count, const float *x, float *y, float *slope) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float share = vector_sigmoid(x[i]);
        float value = x[i] * share;
        y[i] = value;
        slope[i] = share + value * (1.0f - share);
    }
}

RL2X_DISPATCH void rl2x_softplus_slope(size_t count, const float *x, float *y, float *slope) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float value = x[i];
        y[i] = (value > 0.0f ? value : 0.0f) + vector_log1p(vector_exp(-__builtin_fabsf(value)));
        slope[i] = vector_sigmoid(value);
    }
}

RL2X_DISPATCH void rl2x_exp_slope(size_t count, float sign, const float *x, float *y, float *slope) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float value = vector_exp(sign * x[i]);
        y[i] = value;
        slope[i] = sign * value;
    }
}

RL2X_DISPATCH void rl2x_elu_plus_one_slope(size_t count, const float *x, float *y, float *slope) {
    RL2X_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        float value = x[i], power = vector_exp(value);
        y[i] = value > 0.0f ? value + 1.0f : power;
        slope[i] = value > 0.0f ? 1.0f : power;
    }
}
