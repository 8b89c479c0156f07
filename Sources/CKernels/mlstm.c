#include "CKernels.h"
#include "reduction.h"
#include "vector_math.h"

// Each head is one of fast weights, whose loops are dispatched; what is left here is a number or a row at a time.

typedef struct {
    float decay, rate, largest, floor;
    // d log s(f) / d f
    float slope;
} gates;

static gates open_gates(float input, float forget, float largest_before) {
    float size = __builtin_fabsf(forget);
    // log s(f) = min(f, 0) - log(1 + exp(-|f|))
    float kept = (forget < 0.0f ? forget : 0.0f) - vector_log1p(vector_exp(-size)) + largest_before;
    gates g;
    g.largest = kept > input ? kept : input;
    g.decay = vector_exp(kept - g.largest);
    g.rate = vector_exp(input - g.largest);
    g.floor = vector_exp(-g.largest);
    g.slope = vector_sigmoid(-forget);
    return g;
}

static rl2x_fast_weights one_head(const rl2x_fast_weights *sizes) {
    rl2x_fast_weights head = *sizes;
    head.heads = 1;
    return head;
}

void rl2x_mlstm_forward(const rl2x_fast_weights *sizes, const float *q, const float *k, const float *v,
                        const float *input, const float *forget, float *state, float *y, float *scratch) {
    rl2x_fast_weights head = one_head(sizes);
    size_t keys = sizes->key_width, values = sizes->value_width, count = keys * (values + 1);
    float *read = scratch, *rest = scratch + values + 1;
    for (int64_t h = 0; h < sizes->heads; h++) {
        gates g = open_gates(input[h], forget[h], state[count]);
        rl2x_fast_weights_forward(&head, q, k, v, &g.decay, &g.rate, state, read, rest);
        state[count] = g.largest;
        float size = __builtin_fabsf(read[values]);
        float inverse = 1.0f / (size > g.floor ? size : g.floor);
        for (size_t j = 0; j < values; j++) y[j] = read[j] * inverse;
        q += keys, k += keys, v += values, y += values, state += count + 1;
    }
}

void rl2x_mlstm_pushforward(const rl2x_fast_weights *sizes, const float *q, const float *k, const float *v,
                            const float *input, const float *forget, float *state, const float *dq, const float *dk,
                            const float *dv, const float *d_input, const float *d_forget, float *d_state, float *dy,
                            float *scratch) {
    rl2x_fast_weights head = one_head(sizes);
    size_t keys = sizes->key_width, values = sizes->value_width, count = keys * (values + 1);
    float *read = scratch, *d_read = read + values + 1, *rest = d_read + values + 1;
    for (int64_t h = 0; h < sizes->heads; h++) {
        gates g = open_gates(input[h], forget[h], state[count]);
        float d_decay = g.decay * g.slope * d_forget[h], d_rate = g.rate * d_input[h];
        rl2x_fast_weights_pushforward(&head, q, k, v, &g.decay, &g.rate, state, dq, dk, dv, &d_decay, &d_rate, d_state,
                                      d_read, rest);
        // What the state after the step gives, which is not at hand.
        for (size_t j = 0; j <= values; j++) read[j] = 0.0f;
        for (size_t i = 0; i < keys; i++) {
            float query = sizes->scale * q[i];
            const float *row = state + i * (values + 1);
            for (size_t j = 0; j <= values; j++) read[j] += query * row[j];
        }
        state[count] = g.largest;
        float sum = read[values], size = __builtin_fabsf(sum);
        float inverse = 1.0f / (size > g.floor ? size : g.floor);
        float of_sum = size > g.floor ? (sum < 0.0f ? -d_read[values] : d_read[values]) : 0.0f;
        for (size_t j = 0; j < values; j++) dy[j] = (d_read[j] - read[j] * inverse * of_sum) * inverse;
        q += keys, k += keys, v += values, dq += keys, dk += keys, dv += values, dy += values;
        state += count + 1, d_state += count + 1;
    }
}

void rl2x_mlstm_pullback(const rl2x_fast_weights *sizes, const float *q, const float *k, const float *v,
                         const float *input, const float *forget, const float *state, const float *u, float *u_q,
                         float *u_k, float *u_v, float *u_input, float *u_forget, float *u_state, float *scratch) {
    rl2x_fast_weights head = one_head(sizes);
    size_t keys = sizes->key_width, values = sizes->value_width, count = keys * (values + 1);
    float *read = scratch, *u_read = read + values + 1, *rest = u_read + values + 1;
    for (int64_t h = 0; h < sizes->heads; h++) {
        gates g = open_gates(input[h], forget[h], state[count]);
        // What the state after the step gives: decay S^T q + rate (k . q) v.
        for (size_t j = 0; j <= values; j++) read[j] = 0.0f;
        float match = 0.0f;
        for (size_t i = 0; i < keys; i++) {
            float query = sizes->scale * q[i], factor = g.decay * query;
            const float *row = state + i * (values + 1);
            match += query * k[i];
            for (size_t j = 0; j <= values; j++) read[j] += factor * row[j];
        }
        for (size_t j = 0; j < values; j++) read[j] += g.rate * match * v[j];
        read[values] += g.rate * match;
        float sum = read[values], size = __builtin_fabsf(sum);
        float inverse = 1.0f / (size > g.floor ? size : g.floor);
        float of_sum = 0.0f;
        for (size_t j = 0; j < values; j++) {
            u_read[j] = u[j] * inverse;
            of_sum -= u[j] * read[j] * inverse * inverse;
        }
        u_read[values] = size > g.floor ? (sum < 0.0f ? -of_sum : of_sum) : 0.0f;
        float u_decay = 0.0f, u_rate = 0.0f;
        rl2x_fast_weights_pullback(&head, q, k, v, &g.decay, &g.rate, state, u_read, u_q, u_k, u_v, &u_decay, &u_rate,
                                   u_state, rest);
        u_forget[h] += u_decay * g.decay * g.slope;
        u_input[h] += u_rate * g.rate;
        q += keys, k += keys, v += values, u_q += keys, u_k += keys, u_v += values, u += values;
        state += count + 1, u_state += count + 1;
    }
}
