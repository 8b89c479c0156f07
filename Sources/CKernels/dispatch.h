#pragma once

// One body, three instruction sets, chosen when the program is loaded. The resolvers of target_clones crash a
// program under thread sanitizer at start, so it gets the baseline code.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RL2X_BASELINE_ONLY 1
#endif
#endif

#if defined(__x86_64__) && !defined(RL2X_BASELINE_ONLY)
#define RL2X_DISPATCH __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RL2X_DISPATCH
#endif

// Says of the loop that follows that its rounds are independent: rows of one arena lie side by side, and the
// compiler's own overlap checks, hoisted over all rows, would send them to scalar code.
#define RL2X_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
