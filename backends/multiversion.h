#pragma once

// Hot loops stand in plain functions that the compiler builds for several instruction sets and picks from when the program starts. All of
// them compute the same bits: no contraction (-ffp-contract=off), and reductions run over a number of lanes that the source states
// (N-REPEAT).

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STAIR_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STAIR_SANITIZED 1
#endif

#if defined(STAIR_SANITIZED) || !defined(__x86_64__)
#define STAIR_MULTIVERSION  // the resolvers run before a sanitizer's runtime is up
#elif defined(__clang__)
#define STAIR_MULTIVERSION __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define STAIR_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif

// A loop body shared by several multiversioned functions: inlined, so that it is built for the instruction set of each. With a sanitizer
// there is one version, and inlining all of its checks takes minutes to compile.
#if defined(STAIR_SANITIZED)
#define STAIR_INLINE inline
#define STAIR_INLINE_BODY
#else
#define STAIR_INLINE __attribute__((always_inline)) inline
#define STAIR_INLINE_BODY __attribute__((always_inline))  // the same of a lambda
#endif

// The iterations of the loop are independent, even where a result is written over its operand: no run-time check for overlap, which an
// operation in place would fail.
#if defined(STAIR_SANITIZED)
#define STAIR_SIMD
#else
#define STAIR_SIMD _Pragma("omp simd")
#endif
