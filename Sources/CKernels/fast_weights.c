#include "CKernels.h"
#include "dispatch.h"
#include "reduction.h"

// sum [columns] = S^T x, or with `add` what is there and that; S [rows, columns].
static inline __attribute__((always_inline)) void transposed_product(size_t rows, size_t columns, const float *state,
                                                                     const float *x, float *sum, int add) {
    if (!add)
        for (size_t j = 0; j < columns; j++) sum[j] = 0.0f;
    for (size_t i = 0; i < rows; i++, state += columns) {
        float factor = x[i];
        RL2X_INDEPENDENT
        for (size_t j = 0; j < columns; j++) sum[j] += factor * state[j];
    }
}

RL2X_DISPATCH void rl2x_fast_weights_forward(const rl2x_fast_weights *sizes, const float *q, const float *k,
                                             const float *v, const float *decay, const float *rate, float *state,
                                             float *y, float *scratch) {
    size_t keys = sizes->key_width, values = sizes->value_width, columns = values + sizes->summed;
    float scale = sizes->scale, *error = scratch;
    for (int64_t h = 0; h < sizes->heads; h++, q += keys, k += keys, v += values, y += columns) {
        float a = decay ? decay[h] : 1.0f, b = rate ? rate[h] : 1.0f;
        if (sizes->delta) {
            transposed_product(keys, columns, state, k, error, 0);
            RL2X_INDEPENDENT
            for (size_t j = 0; j < values; j++) error[j] = b * (v[j] - a * error[j]);
        } else {
            RL2X_INDEPENDENT
            for (size_t j = 0; j < values; j++) error[j] = b * v[j];
            if (sizes->summed) error[values] = b;
        }
        for (size_t j = 0; j < columns; j++) y[j] = 0.0f;
        for (size_t i = 0; i < keys; i++, state += columns) {
            float key = k[i], query = scale * q[i];
            RL2X_INDEPENDENT
            for (size_t j = 0; j < columns; j++) {
                float s = a * state[j] + key * error[j];
                state[j] = s;
                y[j] += query * s;
            }
        }
    }
}

RL2X_DISPATCH void rl2x_fast_weights_pushforward(const rl2x_fast_weights *sizes, const float *q, const float *k,
                                                 const float *v, const float *decay, const float *rate, float *state,
                                                 const float *dq, const float *dk, const float *dv,
                                                 const float *d_decay, const float *d_rate, float *d_state, float *dy,
                                                 float *scratch) {
    size_t keys = sizes->key_width, values = sizes->value_width, columns = values + sizes->summed;
    float scale = sizes->scale;
    float *error = scratch, *d_error = error + columns;
    for (int64_t h = 0; h < sizes->heads; h++) {
        float a = decay ? decay[h] : 1.0f, b = rate ? rate[h] : 1.0f;
        float da = d_decay ? d_decay[h] : 0.0f, db = d_rate ? d_rate[h] : 0.0f;
        if (sizes->delta) {
            transposed_product(keys, columns, state, k, error, 0);
            transposed_product(keys, columns, state, dk, d_error, 0);
            transposed_product(keys, columns, d_state, k, d_error, 1);
            RL2X_INDEPENDENT
            for (size_t j = 0; j < values; j++) {
                float found = error[j], missing = v[j] - a * found;
                error[j] = b * missing;
                d_error[j] = db * missing + b * (dv[j] - da * found - a * d_error[j]);
            }
        } else {
            RL2X_INDEPENDENT
            for (size_t j = 0; j < values; j++) {
                error[j] = b * v[j];
                d_error[j] = db * v[j] + b * dv[j];
            }
            if (sizes->summed) {
                error[values] = b;
                d_error[values] = db;
            }
        }
        for (size_t j = 0; j < columns; j++) dy[j] = 0.0f;
        for (size_t i = 0; i < keys; i++, state += columns, d_state += columns) {
            float key = k[i], d_key = dk[i], query = scale * q[i], d_query = scale * dq[i];
            RL2X_INDEPENDENT
            for (size_t j = 0; j < columns; j++) {
                float ds = da * state[j] + a * d_state[j] + d_key * error[j] + key * d_error[j];
                float s = a * state[j] + key * error[j];
                state[j] = s;
                d_state[j] = ds;
                dy[j] += d_query * s + query * ds;
            }
        }
        q += keys, k += keys, v += values, dq += keys, dk += keys, dv += values, dy += columns;
    }
}

RL2X_DISPATCH void rl2x_fast_weights_pullback(const rl2x_fast_weights *sizes, const float *q, const float *k,
                                              const float *v, const float *decay, const float *rate,
                                              const float *state, const float *u, float *u_q, float *u_k, float *u_v,
                                              float *u_decay, float *u_rate, float *u_state, float *scratch) {
    size_t keys = sizes->key_width, values = sizes->value_width, columns = values + sizes->summed;
    float scale = sizes->scale;
    float *found = scratch, *missing = found + columns, *error = missing + columns, *u_error = error + columns;
    for (int64_t h = 0; h < sizes->heads; h++) {
        float a = decay ? decay[h] : 1.0f, b = rate ? rate[h] : 1.0f;
        if (sizes->delta) transposed_product(keys, columns, state, k, found, 0);
        for (size_t j = 0; j < columns; j++) {
            float value = j < values ? v[j] : 1.0f;
            missing[j] = sizes->delta ? value - a * found[j] : value;
            error[j] = b * missing[j];
            u_error[j] = 0.0f;
        }
        float of_decay = 0.0f;
        for (size_t i = 0; i < keys; i++) {
            const float *before = state + i * columns;
            float *cotangent = u_state + i * columns;
            float key = k[i], query = scale * q[i];
            // Of S' by y, and of q: S' = a S + k e^T.
            u_q[i] += scale * (a * row_dot(columns, before, u) + key * row_dot(columns, error, u));
            RL2X_INDEPENDENT
            for (size_t j = 0; j < columns; j++) {
                float c = cotangent[j] + query * u[j];
                cotangent[j] = c;
                u_error[j] += key * c;
            }
            of_decay += row_dot(columns, before, cotangent);
            u_k[i] += row_dot(columns, error, cotangent);
        }
        if (u_rate) u_rate[h] += row_dot(columns, u_error, missing);
        RL2X_INDEPENDENT
        for (size_t j = 0; j < values; j++) u_v[j] += b * u_error[j];
        if (sizes->delta) {
            of_decay -= b * row_dot(columns, u_error, found);
            // Of S^T k.
            RL2X_INDEPENDENT
            for (size_t j = 0; j < columns; j++) u_error[j] *= -a * b;
            for (size_t i = 0; i < keys; i++) {
                float *cotangent = u_state + i * columns;
                float key = k[i];
                u_k[i] += row_dot(columns, state + i * columns, u_error);
                RL2X_INDEPENDENT
                for (size_t j = 0; j < columns; j++) cotangent[j] = a * cotangent[j] + key * u_error[j];
            }
        } else {
            RL2X_INDEPENDENT
            for (size_t j = 0; j < keys * columns; j++) u_state[j] *= a;
        }
        if (u_decay) u_decay[h] += of_decay;
        state += keys * columns, u_state += keys * columns;
        q += keys, k += keys, v += values, u_q += keys, u_k += keys, u_v += values, u += columns;
    }
}
