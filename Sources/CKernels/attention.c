#include "CKernels.h"
#include "dispatch.h"
#include "reduction.h"
#include "vector_math.h"

RL2X_DISPATCH void rl2x_softmax(size_t rows, size_t columns, const float *logits, float *p) {
    for (size_t r = 0; r < rows; r++, logits += columns, p += columns) {
        float largest = row_largest(columns, logits);
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) p[c] = vector_exp(logits[c] - largest);
        float factor = 1.0f / row_sum(columns, p);
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) p[c] *= factor;
    }
}

RL2X_DISPATCH void rl2x_softmax_map(size_t rows, size_t columns, size_t stride, float scale, const float *p,
                                    const float *x, float *y) {
    for (size_t r = 0; r < rows; r++, p += stride, x += stride, y += stride) {
        float mean = row_dot(columns, p, x);
        RL2X_INDEPENDENT
        for (size_t c = 0; c < columns; c++) y[c] = scale * p[c] * (x[c] - mean);
    }
}

RL2X_DISPATCH void rl2x_attention_softmax(size_t rows, size_t keys, size_t stride, size_t diagonal, size_t window,
                                          float scale, float slope, int known, float *scores, float *log_sums) {
    for (size_t r = 0; r < rows; r++, scores += stride) {
        size_t position = r + diagonal;
        size_t end = position + 1 < keys ? position + 1 : keys;
        size_t first = window > 0 && position + 1 > window ? position + 1 - window : 0;
        size_t seen = end - first;
        float *restrict row = scores + first;
        float distance = (float)(position - first);
        for (size_t c = 0; c < seen; c++) row[c] = scale * row[c] - slope * (distance - (float)(int32_t)c);
        float shift;
        if (known) {
            shift = log_sums[r];
            for (size_t c = 0; c < seen; c++) row[c] = vector_exp(row[c] - shift);
        } else {
            float largest = row_largest(seen, row);
            for (size_t c = 0; c < seen; c++) row[c] = vector_exp(row[c] - largest);
            float sum = row_sum(seen, row);
            log_sums[r] = largest + __builtin_logf(sum);
            float factor = 1.0f / sum;
            for (size_t c = 0; c < seen; c++) row[c] *= factor;
        }
        for (size_t c = 0; c < first; c++) scores[c] = 0.0f;
        for (size_t c = end; c < keys; c++) scores[c] = 0.0f;
    }
}
