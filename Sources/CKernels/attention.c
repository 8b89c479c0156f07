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

RL2X_DISPATCH void rl2x_attention_softmax(size_t rows, size_t keys, size_t stride, size_t sinks, size_t diagonal,
                                          size_t window, const float *starts, float scale, float slope, int known,
                                          float *scores, float *log_sums) {
    for (size_t r = 0; r < rows; r++, scores += stride) {
        size_t position = r + diagonal;
        size_t end = sinks + position + 1 < keys ? sinks + position + 1 : keys;
        size_t skipped = window > 0 && position + 1 > window ? position + 1 - window : 0;
        if (starts && (size_t)starts[r] > skipped) skipped = (size_t)starts[r];
        size_t first = sinks + skipped;
        size_t seen = end - first;
        float *restrict row = scores + first;
        float distance = (float)(position - skipped);
        for (size_t c = 0; c < sinks; c++) scores[c] *= scale;
        for (size_t c = 0; c < seen; c++) row[c] = scale * row[c] - slope * (distance - (float)(int32_t)c);
        float shift = 0.0f;
        if (known) {
            shift = log_sums[r];
        } else {
            shift = row_largest(seen, row);
            for (size_t c = 0; c < sinks; c++) shift = scores[c] > shift ? scores[c] : shift;
        }
        for (size_t c = 0; c < sinks; c++) scores[c] = vector_exp(scores[c] - shift);
        for (size_t c = 0; c < seen; c++) row[c] = vector_exp(row[c] - shift);
        if (!known) {
            float sum = row_sum(seen, row);
            for (size_t c = 0; c < sinks; c++) sum += scores[c];
            log_sums[r] = shift + __builtin_logf(sum);
            float factor = 1.0f / sum;
            for (size_t c = 0; c < sinks; c++) scores[c] *= factor;
            for (size_t c = 0; c < seen; c++) row[c] *= factor;
        }
        for (size_t c = sinks; c < first; c++) scores[c] = 0.0f;
        for (size_t c = end; c < keys; c++) scores[c] = 0.0f;
    }
}

RL2X_DISPATCH void rl2x_gather_rows(size_t count, const intptr_t *offsets, intptr_t shift, size_t columns,
                                    const float *rows, float *y) {
    for (size_t r = 0; r < count; r++, y += columns)
        memcpy(y, rows + (size_t)(offsets[r] + shift) * columns, columns * sizeof(float));
}

RL2X_DISPATCH void rl2x_scatter_rows(size_t count, const intptr_t *offsets, intptr_t shift, size_t columns,
                                     const float *x, float *rows, int add) {
    for (size_t r = 0; r < count; r++, x += columns) {
        float *place = rows + (size_t)(offsets[r] + shift) * columns;
        if (add) {
            RL2X_INDEPENDENT
            for (size_t c = 0; c < columns; c++) place[c] += x[c];
        } else {
            memcpy(place, x, columns * sizeof(float));
        }
    }
}

// Sixteen floats wherever they lie; two registers where registers hold eight.
typedef float rl2x_lanes __attribute__((vector_size(64), aligned(4), may_alias));

RL2X_DISPATCH void rl2x_cache_key(size_t columns, size_t slot, const float *key, float *keys) {
    float *restrict place = keys + slot / 16 * 16 * columns + slot % 16;
    for (size_t j = 0; j < columns; j++) place[16 * j] = key[j];
}

// scores [16] of a block = scale q keys, for one head.
static inline __attribute__((always_inline)) void block_scores(size_t width, float scale, const float *q,
                                                               const float *keys, float *scores) {
    rl2x_lanes even = {0}, odd = {0};
    size_t j = 0;
    for (; j + 2 <= width; j += 2) {
        even += q[j] * *(const rl2x_lanes *)(keys + 16 * j);
        odd += q[j + 1] * *(const rl2x_lanes *)(keys + 16 * (j + 1));
    }
    if (j < width) even += q[j] * *(const rl2x_lanes *)(keys + 16 * j);
    *(rl2x_lanes *)scores = scale * (even + odd);
}

// y [16 vectors] = sum over slots of p values[slot], where `columns` floats lie from slot to slot and p is that of the
// vector's head, `stretch` floats from head to head. Every row of values is read once, from front to back.
static inline __attribute__((always_inline)) void weighted_sum(int vectors, size_t seen, size_t columns, size_t first,
                                                               size_t width, size_t stretch, const float *scores,
                                                               const float *values, float *y) {
    rl2x_lanes sums[8];
    const float *p[8];
    for (int v = 0; v < vectors; v++) {
        sums[v] = (rl2x_lanes){0};
        p[v] = scores + (first + 16 * v) / width * stretch;
    }
    values += first;
    for (size_t s = 0; s < seen; s++, values += columns)
        for (int v = 0; v < vectors; v++) sums[v] += p[v][s] * *(const rl2x_lanes *)(values + 16 * v);
    for (int v = 0; v < vectors; v++) *(rl2x_lanes *)(y + first + 16 * v) = sums[v];
}

// How many steps before the present one the step in a slot lies.
static inline __attribute__((always_inline)) size_t slot_distance(size_t slot, size_t newest, size_t ring) {
    return newest >= slot ? newest - slot : newest + ring - slot;
}

RL2X_DISPATCH void rl2x_cached_attention(size_t heads, size_t width, size_t seen, size_t newest, size_t ring,
                                         size_t forgetful, size_t reach, float scale, const float *q,
                                         const float *keys, const float *values, const float *slopes, float *scores,
                                         float *y) {
    size_t columns = heads * width, blocks = (seen + 15) / 16, stretch = 16 * blocks;
    for (size_t block = 0; block < blocks; block++, keys += 16 * columns)
        for (size_t head = 0; head < heads; head++)
            block_scores(width, scale, q + head * width, keys + 16 * head * width,
                         scores + head * stretch + 16 * block);
    for (size_t head = 0; head < heads; head++) {
        float *restrict p = scores + head * stretch;
        if (slopes) {
            float slope = slopes[head];
            for (size_t s = 1; s < seen; s++)
                p[s] -= slope * (float)(int32_t)slot_distance(s, newest, ring);
        }
        // A slot that is forgotten gets the sink's score, which no maximum minds, and then nothing.
        if (head >= forgetful)
            for (size_t s = 1; s < seen; s++)
                if (slot_distance(s, newest, ring) > reach) p[s] = p[0];
        float largest = row_largest(seen, p);
        for (size_t s = 0; s < seen; s++) p[s] = vector_exp(p[s] - largest);
        if (head >= forgetful)
            for (size_t s = 1; s < seen; s++)
                if (slot_distance(s, newest, ring) > reach) p[s] = 0.0f;
        float factor = 1.0f / row_sum(seen, p);
        for (size_t s = 0; s < seen; s++) p[s] *= factor;
    }
    if (width % 16 == 0) {
        size_t j = 0;
        for (; j + 128 <= columns; j += 128) weighted_sum(8, seen, columns, j, width, stretch, scores, values, y);
        for (; j + 32 <= columns; j += 32) weighted_sum(2, seen, columns, j, width, stretch, scores, values, y);
        for (; j < columns; j += 16) weighted_sum(1, seen, columns, j, width, stretch, scores, values, y);
        return;
    }
    for (size_t j = 0; j < columns; j++) y[j] = 0.0f;
    for (size_t s = 0; s < seen; s++, values += columns)
        for (size_t head = 0; head < heads; head++) {
            float weight = scores[head * stretch + s];
            RL2X_INDEPENDENT
            for (size_t j = 0; j < width; j++) y[head * width + j] += weight * values[head * width + j];
        }
}
