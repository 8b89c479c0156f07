#pragma once
#include <stdint.h>
#include <string.h>

// x in [low, high]; NaN stays NaN.
static inline __attribute__((always_inline)) float vector_clamp(float x, float low, float high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

// exp by range reduction x = k ln 2 + r, |r| <= ln 2 / 2, and a polynomial of degree 6 for e^r, fitted for the least
// largest relative error there, which is 4.5e-9 after rounding of the coefficients. Adding and subtracting
// 1.5 * 2^23 rounds to the nearest integer in every vector unit. Relative error below 2e-7; inputs are clamped to
// [-87, 88]; NaN stays NaN.
static inline __attribute__((always_inline)) float vector_exp(float x) {
    float clamped = vector_clamp(x, -87.0f, 88.0f);
    // The low bits of `shifted` are k + 127: the exponent of 2^k, once they are moved to its place.
    const float shift = 12582912.0f + 127.0f;
    float shifted = clamped * 1.44269504088896341f + shift;
    float k = shifted - shift;
    float r = clamped - k * 0.693359375f;
    r = r - k * -2.12194440e-4f;
    float p = 0.00138145047f;
    p = p * r + 0.00836876221f;
    p = p * r + 0.0416683924f;
    p = p * r + 0.166665203f;
    p = p * r + 0.499999934f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits <<= 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

static inline __attribute__((always_inline)) float vector_sigmoid(float x) { return 1.0f / (1.0f + vector_exp(-x)); }

// tanh x = x P(x^2) / Q(x^2) on [-9.1, 9.1], where it has reached 1. The coefficients are fitted for the least largest
// relative error, 2.3e-8, and scaled so that their rounding adds little; all are positive, so nothing cancels.
// Relative error below 3.1e-7 with fused multiply-adds and 3.6e-7 without (all floats tried); NaN stays NaN.
static inline __attribute__((always_inline)) float vector_tanh(float x) {
    x = vector_clamp(x, -9.1f, 9.1f);
    float square = x * x;
    float p = 2.40760745e-8f;
    p = p * square + 3.74202609e-5f;
    p = p * square + 0.00637242291f;
    p = p * square + 0.244358987f;
    p = p * square + 1.82705474f;
    float q = 1.40757209e-6f;
    q = q * square + 0.000597980572f;
    q = q * square + 0.0472245961f;
    q = q * square + 0.853376925f;
    q = q * square + 1.82705474f;
    // Rounding may step over 1.
    return vector_clamp(x * p / q, -1.0f, 1.0f);
}

// log(1 + x) for x in [0, 1]: with s = x / (2 + x) it is 2 artanh s = 2 s (1 + s^2 / 3 + s^4 / 5 + ...), and s^2 is at most
// 1/9, so that eight terms leave an error below 2e-9.
static inline __attribute__((always_inline)) float vector_log1p(float x) {
    float s = x / (2.0f + x);
    float square = s * s;
    float p = 1.0f / 15.0f;
    p = p * square + 1.0f / 13.0f;
    p = p * square + 1.0f / 11.0f;
    p = p * square + 1.0f / 9.0f;
    p = p * square + 1.0f / 7.0f;
    p = p * square + 1.0f / 5.0f;
    p = p * square + 1.0f / 3.0f;
    p = p * square + 1.0f;
    return 2.0f * s * p;
}
