#pragma once

// One body, three instruction sets, chosen when the program is loaded. The resolvers of target_clones crash a
// program under thread sanitizer at start, so it gets the baseline code.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RL2X_BASELINE_ONLY 1
#endif
#endif

#if defined(__x86_64__) && !defined(RL2X_BASELINE_ONLY)
#define RL2X_DISPATCH __attribute__((target_clones("avx512f", "avx2,fma", "default")))
#else
#define RL2X_DISPATCH
#endif
