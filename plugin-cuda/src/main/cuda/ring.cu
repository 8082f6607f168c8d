// SPDX-License-Identifier: Apache-2.0
// Products of one column whose weights run through shared memory: each warp has a ring of places
// there, and asks for what it will need while it multiplies what has come. The first weights are
// asked for before the activations are there, so that memory stays busy while the kernels ahead end.
// Compute capability 9.0 and newer.
#include "barriers.cuh"
#include "floats.cuh"
#include "functions.cuh"
#include "quants.cuh"
#include "rope.cuh"

// What becomes of results: they are put down, or sent to the members of a comm; a gate's open others;
// queries are turned, keys turned and values put into their cells.
enum Mode { PUT, GATED, STORED };

// The way of a warp through its pairs of rows, and through the chunks of a pair. Gates whose results
// are quantised go 32 rows a block; all else is dealt over the blocks, and in them over the warps.
template <int WARPS, int CHUNK, Mode MODE>
struct Way {
  static const int ROWS = 32 / WARPS;
  const Ring &p;
  const Stored *stored;
  int pair, e, inUnit, stretch, slot, rowA, rowB;
  const uint8_t *a, *b;

  __device__ __forceinline__ Way(const Ring &ring, const Stored *s)
      : p(ring), stored(s), e(0), inUnit(0), slot(0) {
    int warp = threadIdx.x >> 5;
    pair = inUnits() ? 32 * blockIdx.x + ROWS * warp : blockIdx.x + gridDim.x * warp;
    locate();
  }
  __device__ __forceinline__ bool inUnits() const { return MODE == GATED && p.form; }
  __device__ __forceinline__ const Stretch &at() const { return p.stretches[stretch]; }
  __device__ __forceinline__ bool more() const { return pair < p.pairs; }
  __device__ __forceinline__ int elements() const { return min(CHUNK, p.k - e); }

  __device__ __forceinline__ void locate() {
    if (!more()) return;
    stretch = 0;
    while (stretch + 1 < p.count && pair >= p.stretches[stretch + 1].first) stretch++;
    const Stretch &s = at();
    int i = pair - s.first;
    if (MODE == GATED) {
      rowA = rowB = i;
      a = s.w + i * s.rowBytes;
      b = s.opened + i * s.openedBytes;
      return;
    }
    rowA = 2 * i, rowB = rowA + 1;
    if (MODE == STORED && stretch < 2) {
      // Rows that are turned together.
      int d = stored->q.x.ne[0], half = stored->q.dims / 2, head = i / (d / 2);
      slot = i - head * (d / 2);
      if (stored->q.neox && slot < half) rowA = head * d + slot, rowB = rowA + half;
    }
    a = s.w + rowA * s.rowBytes;
    b = s.w + min(rowB, s.rows - 1) * s.rowBytes;
  }
  // Returns whether the pair is done.
  __device__ __forceinline__ bool next() {
    int step = bytesOf(at().type, CHUNK);
    a += step, b += step, e += CHUNK;
    if (e < p.k) return false;
    e = 0;
    if (inUnits()) {
      bool last = ++inUnit == ROWS;
      pair += last ? 32 * (int)gridDim.x - (ROWS - 1) : 1;
      if (last) inUnit = 0;
    } else {
      pair += gridDim.x * WARPS;
    }
    return true;
  }
};

__device__ __forceinline__ int before(const uint8_t *p) { return (uintptr_t)p & 15; }

// Asks for a chunk of both rows. Copies begin and end at multiples of 16 bytes.
template <typename W>
__device__ __forceinline__ void ask(W &ahead, char *place, uint64_t *barrier) {
  if (!ahead.more()) return;
  if ((threadIdx.x & 31) == 0) {
    int bytes = bytesOf(ahead.at().type, ahead.elements());
    int bytesA = (before(ahead.a) + bytes + 15) & ~15, bytesB = (before(ahead.b) + bytes + 15) & ~15;
    expectBytes(barrier, bytesA + bytesB);
    copyBulk(place, ahead.a - before(ahead.a), bytesA, barrier);
    copyBulk(place + ahead.p.placeBytes / 2, ahead.b - before(ahead.b), bytesB, barrier);
  }
  if (ahead.next()) ahead.locate();
}

// The sums of both over the warp: the first in lanes below 16, the second in the others.
__device__ __forceinline__ float bothSums(const float *sums) {
  bool upper = threadIdx.x & 16;
  float s = upper ? sums[1] : sums[0];
  s += __shfl_xor_sync(~0u, upper ? sums[0] : sums[1], 16);
  for (int o = 8; o > 0; o >>= 1) s += __shfl_xor_sync(~0u, s, o);
  return s;
}

// Puts an element of a key or a value into its cell.
__device__ __forceinline__ void putCell(const Cache &c, const Stored &s, int row, float x) {
  int slot = *(const int *)s.slots, d = c.state.ne[0];
  if (slot < 0 || slot >= c.state.ne[2]) return;
  storeFloat(c.state.p + at(c.state, row % d, row / d, slot, 0), c.type, x);
}

// Quantises results of units of 32 rows; a block has every gridDim.x-th.
__device__ __forceinline__ void formUnits(const Ring &p, const float (*results)[32], int units,
                                          int before) {
  __syncthreads();
  Form form(p.form, QUANTS, p.pairs, p.pairs);
  for (int i = threadIdx.x; i < 8 * units; i += blockDim.x) {
    int unit = blockIdx.x + gridDim.x * (before + i / 8);
    form.quantize(8 * unit + i % 8, ((const float4 *)results[i / 8])[i % 8]);
  }
  __syncthreads();
}

// Sends pairs of a term to all members, as the kernels behind will take them.
struct Post {
  const Reduce &r;
  Mail mail;
  bool open;

  __device__ __forceinline__ Post(const Reduce &reduce, bool sends)
      : r(reduce), mail(reduce, 0), open(sends) {
    if (!open) return;
    const State *state = r.states[r.rank];
    mail = Mail(r, state->next());
    open = state->failed == 0;
  }
  // By a warp that has both in all lanes.
  __device__ __forceinline__ void send(int pair, float a, float b) const {
    int step = threadIdx.x & 31;
    if (!open || step >= r.members) return;
    mail.send(r, r.peer(step), pair, make_uint2(__float_as_uint(a), __float_as_uint(b)));
  }
};

template <typename Take, int WARPS, Mode MODE, bool SUMMED = false>
__device__ __forceinline__ void ring(const Ring &p, const Stored *stored) {
  typedef typename Take::X X;
  extern __shared__ __align__(128) char memory[];
  const int UNITS = 16;
  __shared__ __align__(16) float results[UNITS][32];
  // The kernel that takes what this one sends does not wait for its end, and so must not start before
  // the end of everything ahead.
  const bool sends = MODE == PUT && p.reduce.members > 0;
  if (!sends) releaseNext();
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  char *places = memory + p.xBytes + warp * p.places * p.placeBytes;
  uint64_t *barriers =
      (uint64_t *)(memory + p.xBytes + WARPS * p.places * p.placeBytes) + warp * p.places;
  if (lane < p.places) initBarrier(barriers + lane, 1);
  publishBarriers();
  __syncwarp();
  Way<WARPS, X::CHUNK, MODE> ahead(p, stored), now(p, stored);
  for (int i = 0; i < p.places; i++) ask(ahead, places + i * p.placeBytes, barriers + i);
  float sine = 0, cosine = 1;
  auto look = [&] {
    if (MODE != STORED || !now.more() || now.stretch == 2) return;
    if (now.slot < stored->q.dims / 2) turn(stored->q, now.slot, 0, sine, cosine);
  };
  look();
  X x(memory, p.k);
  x.expect(p.source, p.k);
  if (!SUMMED) awaitPrevious();
  if (sends) releaseNext();
  x.template bring<SUMMED>(p);
  if (SUMMED) {
    State *state = p.reduce.states[p.reduce.rank];
    finish(state, state->next());
  } else {
    __syncthreads();
  }
  Post post(p.reduce, sends);
  int place = 0, turns = 0, units = 0, formed = 0;
  while (now.more()) {
    float sums[2] = {0, 0};
    bool done = false;
    while (!done) {
      const uint8_t *from = (const uint8_t *)places + place * p.placeBytes;
      awaitBarrier(barriers + place, turns);
      Take::add(x, now.at().type, from + before(now.a), from + p.placeBytes / 2 + before(now.b),
                now.e, now.elements(), sums);
      __syncwarp();
      ask(ahead, places + place * p.placeBytes, barriers + place);
      if (++place == p.places) place = 0, turns ^= 1;
      done = now.next();
    }
    float s = bothSums(sums), other = __shfl_xor_sync(~0u, s, 16);
    int row = lane < 16 ? now.rowA : now.rowB;
    if (MODE == GATED) {
      float h = apply(p.function, s, other, p.p0, p.p1);
      if (lane == 0) {
        now.at().result[row] = h;
        if (p.form) results[units][row & 31] = h;
      }
      bool whole = p.form && now.inUnit == 0;
      if (whole && (++units == UNITS || !now.more())) {
        formUnits(p, results, units, formed);
        formed += units, units = 0;
      }
    } else {
      post.send(now.rowA / 2, lane < 16 ? s : other, lane < 16 ? other : s);
    }
    if (MODE != GATED && (lane & 15) == 0 && row < now.at().rows) {
      if (MODE == PUT) {
        if (now.at().result) now.at().result[row] = s;
      } else if (now.stretch == 2) {
        putCell(stored->values, *stored, row, s);
      } else {
        if (now.slot < stored->q.dims / 2) s = s * cosine + (lane == 0 ? -other : other) * sine;
        if (now.stretch == 0) stored->q.result[row] = s;
        if (now.stretch == 1) putCell(stored->keys, *stored, row, s);
      }
    }
    now.locate();
    look();
  }
  if (SUMMED) awaitPrevious();
}

struct RingStored {
  Ring ring;
  Stored stored;
};

#define RING(name, Take, WARPS)                                                                  \
  extern "C" __global__ void __launch_bounds__(32 * WARPS, 1) ring_##name(Ring p) {             \
    ring<Take, WARPS, PUT>(p, nullptr);                                                         \
  }                                                                                              \
  extern "C" __global__ void __launch_bounds__(32 * WARPS, 1) ring_gated_##name(Ring p) {       \
    ring<Take, WARPS, GATED>(p, nullptr);                                                       \
  }                                                                                              \
  extern "C" __global__ void __launch_bounds__(32 * WARPS, 1) ring_stored_##name(RingStored p) { \
    ring<Take, WARPS, STORED>(p.ring, &p.stored);                                               \
  }
RING(quants, TakeQuants, 16)
RING(f16, TakeFloats<F16>, 16)
RING(bf16, TakeFloats<BF16>, 16)

// The same, of activations that come from the members of a comm.
#define RING_SUMMED(name, Take, WARPS)                                                           \
  extern "C" __global__ void __launch_bounds__(32 * WARPS, 1) ring_gated_summed_##name(Ring p) { \
    ring<Take, WARPS, GATED, true>(p, nullptr);                                                  \
  }                                                                                              \
  extern "C" __global__ void __launch_bounds__(32 * WARPS, 1)                                    \
      ring_stored_summed_##name(RingStored p) {                                                  \
    ring<Take, WARPS, STORED, true>(p.ring, &p.stored);                                          \
  }
RING_SUMMED(f16, TakeFloats<F16>, 16)
RING_SUMMED(bf16, TakeFloats<BF16>, 16)
