#pragma once
#include <stdint.h>
#include <string.h>

// exp by range reduction x = k ln 2 + r, |r| <= ln 2 / 2, and a degree-7 Taylor polynomial of e^r, whose
// truncation error there is below 6e-9 relative. Adding and subtracting 1.5 * 2^23 rounds to the nearest
// integer in every vector unit. Relative error below 2e-7; inputs are clamped to [-87, 88]; NaN stays NaN.
static inline __attribute__((always_inline)) float vector_exp(float x) {
    float clamped = x < -87.0f ? -87.0f : x;
    clamped = clamped > 88.0f ? 88.0f : clamped;
    float shifted = clamped * 1.44269504088896341f + 12582912.0f;
    float k = shifted - 12582912.0f;
    float r = clamped - k * 0.693359375f;
    r = r - k * -2.12194440e-4f;
    float p = 1.0f / 5040.0f;
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    // The low bits of `shifted` are k in two's complement; move them into the exponent.
    uint32_t exponent = (uint32_t)(bits + (127 - 0x4B400000)) << 23;
    float power;
    memcpy(&power, &exponent, sizeof power);
    return p * power;
}

static inline __attribute__((always_inline)) float vector_sigmoid(float x) { return 1.0f / (1.0f + vector_exp(-x)); }

// tanh x = x (1 + x^2 p(x^2)) for small x, where the exponential form would cancel; else 1 - 2 / (e^{2|x|} + 1).
static inline __attribute__((always_inline)) float vector_tanh(float x) {
    float magnitude = __builtin_fabsf(x);
    float square = x * x;
    // Taylor coefficients of tanh to x^11: below 0.3 the next term is under 2e-9 relative.
    float p = -1382.0f / 155925.0f;
    p = p * square + 62.0f / 2835.0f;
    p = p * square - 17.0f / 315.0f;
    p = p * square + 2.0f / 15.0f;
    p = p * square - 1.0f / 3.0f;
    float small = x + x * square * p;
    float large = 1.0f - 2.0f / (vector_exp(2.0f * magnitude) + 1.0f);
    large = __builtin_copysignf(large, x);
    return magnitude < 0.3f ? small : large;
}
