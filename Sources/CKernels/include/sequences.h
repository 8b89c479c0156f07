// Loops of recurrences whose state is wide, and of what stands around them: activations, norms of heads. Included by
// CKernels.h; the same rules hold.
#pragma once
#include <stddef.h>
#include <stdint.h>

// y = f(x), slope = f'(x).
// x s(x) with the sigmoid s
void rl2x_silu_slope(size_t count, const float *x, float *y, float *slope);
// log(1 + exp x)
void rl2x_softplus_slope(size_t count, const float *x, float *y, float *slope);
// exp(sign x); x is cut off so that the result is finite and normal.
void rl2x_exp_slope(size_t count, float sign, const float *x, float *y, float *slope);
// 1 + x where x > 0, else exp x
void rl2x_elu_plus_one_slope(size_t count, const float *x, float *y, float *slope);

// Rows x [rows, columns] of one length: y = factor x / sqrt(sum x^2 + epsilon); inverse [rows], what x was multiplied
// by, is written.
void rl2x_unit_rows(size_t rows, size_t columns, float factor, float epsilon, const float *x, float *y,
                    float *inverse);
// The symmetric derivative of that; with `add` it is added to dy.
void rl2x_unit_rows_map(size_t rows, size_t columns, float factor, const float *x, const float *inverse,
                        const float *dx, float *dy, int add);

// Fast weights: a matrix S [key_width, columns] for each head, columns = value_width + summed. With a decay a and a rate
// b (null: 1) a step makes of it
//     S' = a S + k e^T,  e = b v, or with `delta` e = b (v - a S^T k),  y = scale S'^T q.
// With `summed` the last number of v, which is not stored, is 1: the last column sums keys.
typedef struct {
    int64_t heads, key_width, value_width;
    int32_t delta, summed;
    float scale;
} rl2x_fast_weights;

// Of a step of one lane: q, k [heads, key_width], v [heads, value_width], decay, rate [heads]; all or several may be null
// where a line says so. S [heads, key_width, columns] becomes S' in place; y [heads, columns]; scratch holds `columns`.
void rl2x_fast_weights_forward(const rl2x_fast_weights *sizes, const float *q, const float *k, const float *v,
                               const float *decay, const float *rate, float *state, float *y, float *scratch);
// The same with tangents: of S in place, and of y. Those of decay and rate may be null. scratch holds 4 `columns`.
void rl2x_fast_weights_pushforward(const rl2x_fast_weights *sizes, const float *q, const float *k, const float *v,
                                   const float *decay, const float *rate, float *state, const float *dq,
                                   const float *dk, const float *dv, const float *d_decay, const float *d_rate,
                                   float *d_state, float *dy, float *scratch);
// Adds to cotangents from that of y, u; the cotangent of S' becomes that of S, the state before. Those of decay and rate
// may be null. scratch holds 4 `columns`.
void rl2x_fast_weights_pullback(const rl2x_fast_weights *sizes, const float *q, const float *k, const float *v,
                                const float *decay, const float *rate, const float *state, const float *u,
                                float *u_q, float *u_k, float *u_v, float *u_decay, float *u_rate, float *u_state,
                                float *scratch);

// Of a step of one lane, complex numbers as `width` real parts and then as many imaginary parts:
// next = factor before + x, where units from `kept` on have nothing before them.
void rl2x_complex_scan(size_t width, size_t kept, const float *factor, const float *x, const float *before,
                       float *next);
void rl2x_complex_scan_pushforward(size_t width, size_t kept, const float *factor, const float *before,
                                   const float *d_factor, const float *dx, const float *d_before, float *d_next);
// Adds to cotangents from that of next, u.
void rl2x_complex_scan_pullback(size_t width, size_t kept, const float *factor, const float *before, const float *u,
                                float *u_factor, float *u_x, float *u_before);

// A selective scan: a state h [channels, width] of which a step of length t [channels] makes
//     h' = exp(-t a) h + t b x,  y = sum over width of c h', + d x
// with x, d, y [channels], a [channels, width], b, c [width].
void rl2x_selective_scan(size_t channels, size_t width, const float *x, const float *t, const float *a, const float *b,
                         const float *c, const float *d, float *state, float *y);
// The same with tangents: of h in place, and of y.
void rl2x_selective_scan_pushforward(size_t channels, size_t width, const float *x, const float *t, const float *a,
                                     const float *b, const float *c, const float *d, float *state, const float *dx,
                                     const float *dt, const float *da, const float *db, const float *dc,
                                     const float *dd, float *d_state, float *dy);
// Adds to cotangents from that of y, u; the cotangent of h' becomes that of h, the state before.
void rl2x_selective_scan_pullback(size_t channels, size_t width, const float *x, const float *t, const float *a,
                                  const float *b, const float *c, const float *d, const float *state, const float *u,
                                  float *u_x, float *u_t, float *u_a, float *u_b, float *u_c, float *u_d,
                                  float *u_state);

// A matrix memory (mLSTM) for each head: fast weights that sum, with decay and rate by exponential gates i and f,
//     m' = max(log s(f) + m, i),  decay = exp(log s(f) + m - m'),  rate = exp(i - m'),  y = x / max(|n|, exp(-m')),
// where x and n are what is read of the values and of the sum. m keeps the exponentials finite; y does not depend on it,
// so that derivatives take it for a constant. A head's state is S [key_width, value_width + 1] and m.
//
// Of a step of one lane: q, k [heads, key_width], v, y [heads, value_width], input, forget (i and f) [heads]. scratch holds
// 7 (value_width + 1).
void rl2x_mlstm_forward(const rl2x_fast_weights *sizes, const float *q, const float *k, const float *v,
                        const float *input, const float *forget, float *state, float *y, float *scratch);
// The same with tangents, of the state in place, and of y.
void rl2x_mlstm_pushforward(const rl2x_fast_weights *sizes, const float *q, const float *k, const float *v,
                            const float *input, const float *forget, float *state, const float *dq, const float *dk,
                            const float *dv, const float *d_input, const float *d_forget, float *d_state, float *dy,
                            float *scratch);
// Adds to cotangents from that of y, u; the cotangent of the state after the step becomes that of the state before it.
void rl2x_mlstm_pullback(const rl2x_fast_weights *sizes, const float *q, const float *k, const float *v,
                         const float *input, const float *forget, const float *state, const float *u, float *u_q,
                         float *u_k, float *u_v, float *u_input, float *u_forget, float *u_state, float *scratch);
