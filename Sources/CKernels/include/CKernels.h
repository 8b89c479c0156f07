// Elementwise loops that need the C vectoriser, dispatched at run time to AVX-512, AVX2 or baseline code.
// No logic: shapes are checked by the Swift callers. All matrices are row-major Float32; `ld` is a row stride.
#pragma once
#include <stddef.h>
#include <stdint.h>

// y[i] = f(x[i]); x and y may be the same array.
void rl2x_exp(size_t count, const float *x, float *y);
void rl2x_tanh(size_t count, const float *x, float *y);
void rl2x_sigmoid(size_t count, const float *x, float *y);

// y[i] += a * x[i]
void rl2x_add_scaled(size_t count, float a, const float *x, float *y);
// y[i] *= a
void rl2x_scale(size_t count, float a, float *y);
// z[i] += x[i] * y[i]
void rl2x_add_product(size_t count, const float *x, const float *y, float *z);
// z[i] = x[i] * y[i]
void rl2x_product(size_t count, const float *x, const float *y, float *z);
// sum of x[i] * y[i], accumulated in double precision in a fixed order.
double rl2x_dot(size_t count, const float *x, const float *y);

// Tanh-form derivative helpers for activations: y = f(x), slope = f'(x).
void rl2x_tanh_slope(size_t count, const float *x, float *y, float *slope);
void rl2x_sigmoid_slope(size_t count, const float *x, float *y, float *slope);
void rl2x_relu_slope(size_t count, const float *x, float *y, float *slope);

// share[i] = s(x[i]) / (s(x[i]) + s(y[i])) with the sigmoid s; slopes [2, count], by x and by y, may be null.
void rl2x_gate_share(size_t count, const float *x, const float *y, float *share, float *slopes);

// One step of h' = h + gate (candidate - h), elementwise; before, what was h, may be null: it is zero.
void rl2x_gated_mean(size_t count, const float *gate, const float *candidate, const float *before, float *next);
// Its tangent; d_before may be null too.
void rl2x_gated_mean_pushforward(size_t count, const float *gate, const float *candidate, const float *before,
                                 const float *d_gate, const float *d_candidate, const float *d_before, float *d_next);
// Adds to cotangents from that of h', u; u_before may be null.
void rl2x_gated_mean_pullback(size_t count, const float *gate, const float *candidate, const float *before,
                              const float *u, float *u_gate, float *u_candidate, float *u_before);

// rows of y [rows, columns] += bias [columns]
void rl2x_add_bias(size_t rows, size_t columns, const float *bias, float *y);
// rows of y [rows, columns] = x + bias; one of the two may be null: it is zero.
void rl2x_sum_rows(size_t rows, size_t columns, const float *x, const float *bias, float *y);
// bias [columns] += sum over rows of y [rows, columns]
void rl2x_add_column_sums(size_t rows, size_t columns, const float *y, float *bias);

// log-softmax of each row [rows, columns].
void rl2x_log_softmax(size_t rows, size_t columns, const float *logits, float *log_probabilities);

// Reset-after GRU cell. gates [rows, 4H] hold the four pre-activations without biases in the order
// reset r, update z, candidate's hidden part n_h, candidate's input part n_x; bias [4H] in that order.
// Writes hidden' [rows, H] and, where coefficients is not null, the cell's linearisation [rows, 5H]:
// d hidden' = c_r dr + c_z dz + c_nh dn_h + c_nx dn_x + c_h d hidden.
void rl2x_gru_forward(size_t rows, size_t width, const float *gates, const float *bias, const float *hidden,
                      float *next, float *coefficients);
// tangent' [rows, H] from gate tangents [rows, 4H], bias tangents [4H] and hidden's tangent (null: zero).
void rl2x_gru_pushforward(size_t rows, size_t width, const float *coefficients, const float *gates,
                          const float *bias, const float *hidden, float *next);
// gate cotangents [rows, 4H] from the cotangent of hidden' [rows, H]; adds to hidden's cotangent (may be null)
// and to the bias cotangent [4H].
void rl2x_gru_pullback(size_t rows, size_t width, const float *coefficients, const float *next, float *gates,
                       float *bias, float *hidden);

// LSTM cell. gates [rows, 4H] hold the pre-activations without biases in the order input i, forget f, candidate g,
// output o; bias [4H] in that order. Writes hidden' and cell' [rows, H] and, where coefficients is not null, the
// linearisation [rows, 6H]:
// d cell' = c_i di + c_f df + c_g dg + c_c d cell,  d hidden' = c_o do + c_h d cell'; in the order i, f, g, o, c, h.
void rl2x_lstm_forward(size_t rows, size_t width, const float *gates, const float *bias, const float *cell,
                       float *next_hidden, float *next_cell, float *coefficients);
// tangents of hidden' and cell' [rows, H] from gate tangents [rows, 4H], bias tangents [4H] and cell's tangent (null:
// zero).
void rl2x_lstm_pushforward(size_t rows, size_t width, const float *coefficients, const float *gates,
                           const float *bias, const float *cell, float *next_hidden, float *next_cell);
// gate cotangents [rows, 4H] from the cotangents of hidden' and cell' [rows, H]; adds to cell's cotangent (may be
// null) and to the bias cotangent [4H].
void rl2x_lstm_pullback(size_t rows, size_t width, const float *coefficients, const float *next_hidden,
                        const float *next_cell, float *gates, float *bias, float *cell);

// Adam (Kingma & Ba 2015, algorithm 1) with bias corrections folded into rate and epsilon by the caller:
// m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  theta -= rate * m / (sqrt(v) + epsilon)
void rl2x_adam(size_t count, float rate, float beta1, float beta2, float epsilon, const float *gradient, float *m,
               float *v, float *theta);

// mremap, which Swift's Glibc module does not show; NULL if there is no room.
void *rl2x_grow_mapping(void *block, size_t old_bytes, size_t new_bytes);
void rl2x_advise_huge_pages(void *block, size_t bytes);

// Adds to a count of the calling thread's own and returns it: Swift has no thread-local variables.
long rl2x_thread_operations(long more);

#include "layers.h"
#include "sequences.h"
