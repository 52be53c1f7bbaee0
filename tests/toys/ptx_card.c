/* A card for `ptx_on_cpu.py`: one block after the other, its threads coroutines that change places at barriers. */
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK ((size_t)1 << 16)

static uint32_t tid_x, ntid_x, ctaid_x, nctaid_x;
static ucontext_t scheduler, *threads;
static const char *params;
static int done;

static void bar_sync(void) {
  uint32_t thread = tid_x;
  swapcontext(&threads[thread], &scheduler);
}

static uint32_t bits_f(float x) { uint32_t y; memcpy(&y, &x, 4); return y; }
static uint64_t bits_d(double x) { uint64_t y; memcpy(&y, &x, 8); return y; }
static float real_f(uint32_t x) { float y; memcpy(&y, &x, 4); return y; }
static double real_d(uint64_t x) { double y; memcpy(&y, &x, 8); return y; }

/* cvt.rzi: towards zero, and to the nearest end of the range where there is no such number. */
static int32_t to_s32(double x) {
  return x != x ? 0 : x <= -0x1p31 ? INT32_MIN : x >= 0x1p31 ? INT32_MAX : (int32_t)x;
}
static uint32_t to_u32(double x) { return !(x > 0) ? 0 : x >= 0x1p32 ? UINT32_MAX : (uint32_t)x; }
static int64_t to_s64(double x) {
  return x != x ? 0 : x <= -0x1p63 ? INT64_MIN : x >= 0x1p63 ? INT64_MAX : (int64_t)x;
}

#include "kernel.inc"

/* 1 if some threads wait at a barrier for others that have ended. */
int launch(uint32_t blocks, uint32_t size, const char *given, int backwards) {
  char *stacks = malloc(size * STACK), *over = malloc(size);
  threads = calloc(size, sizeof *threads);
  params = given, ntid_x = size, nctaid_x = blocks;
  int stuck = 0;
  for (ctaid_x = 0; ctaid_x < blocks && !stuck; ctaid_x++) {
    memset(over, 0, size);
    for (uint32_t t = 0; t < size; t++) {
      getcontext(&threads[t]);
      threads[t].uc_stack.ss_sp = stacks + t * STACK;
      threads[t].uc_stack.ss_size = STACK;
      threads[t].uc_link = &scheduler;
      makecontext(&threads[t], kernel, 0);
    }
    for (uint32_t left = size; left && !stuck;) {
      uint32_t ended = 0;
      for (uint32_t i = 0; i < size; i++) {
        uint32_t t = backwards ? size - 1 - i : i;
        if (over[t]) continue;
        tid_x = t, done = 0;
        swapcontext(&scheduler, &threads[t]);
        over[t] = done, ended += done;
      }
      stuck = ended && ended != left;
      left -= ended;
    }
  }
  free(threads), free(over), free(stacks);
  return stuck;
}
