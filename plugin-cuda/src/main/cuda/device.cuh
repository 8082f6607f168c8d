// SPDX-License-Identifier: Apache-2.0
// The machine instructions that CUDA C++ has no words for.
#pragma once
#include <stdint.h>

// On compute capability 9.0 and newer the next kernel of the stream may start before this one ends:
// what comes before awaitPrevious() must read nothing that another kernel writes. The loader of the
// PTX takes the marks away there; elsewhere they stay comments.
__device__ __forceinline__ void awaitPrevious() {
  asm volatile("//@sm_90 griddepcontrol.wait;" ::: "memory");
}
__device__ __forceinline__ void releaseNext() {
  asm volatile("//@sm_90 griddepcontrol.launch_dependents;" ::: "memory");
}

// The blocks of a cluster read and write each other's shared memory; elsewhere a block is alone.
__device__ __forceinline__ unsigned clusterRank() {
  unsigned rank = 0;
  asm volatile("//@sm_90 mov.u32 %0, %%cluster_ctarank;" : "+r"(rank));
  return rank;
}
__device__ __forceinline__ unsigned clusterSize() {
  unsigned size = 1;
  asm volatile("//@sm_90 mov.u32 %0, %%cluster_nctarank;" : "+r"(size));
  return size;
}
__device__ __forceinline__ void awaitCluster() {
  asm volatile(
      "//@sm_90 barrier.cluster.arrive.release;\n"
      "//@sm_90 barrier.cluster.wait.acquire;" ::
          : "memory");
}
// Into the same place of another block's shared memory.
__device__ __forceinline__ void storeAcross(float *place, unsigned rank, float v) {
  unsigned there = (unsigned)__cvta_generic_to_shared(place);
  asm volatile(
      "//@sm_90 mapa.shared::cluster.u32 %0, %0, %1;\n"
      "//@sm_90 st.shared::cluster.f32 [%0], %2;"
      : "+r"(there)
      : "r"(rank), "f"(v)
      : "memory");
}

__device__ __forceinline__ void prefetch(const void *p) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(p));
}

__device__ __forceinline__ void storePacket(void *p, uint4 v) {
  asm volatile("st.volatile.global.v4.u32 [%0], {%1,%2,%3,%4};" ::"l"(p), "r"(v.x), "r"(v.y),
               "r"(v.z), "r"(v.w)
               : "memory");
}
__device__ __forceinline__ uint4 loadPacket(const void *p) {
  uint4 v;
  asm volatile("ld.volatile.global.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "l"(p)
               : "memory");
  return v;
}
__device__ __forceinline__ void storeRelease(uint64_t *p, uint64_t v) {
  asm volatile("st.release.sys.global.u64 [%0], %1;" ::"l"(p), "l"(v) : "memory");
}
__device__ __forceinline__ uint64_t loadAcquire(const uint64_t *p) {
  uint64_t v;
  asm volatile("ld.acquire.sys.global.u64 %0, [%1];" : "=l"(v) : "l"(p) : "memory");
  return v;
}
// Counts up to most and begins anew; returns what was there. What its block has written before is
// there for who counts after.
__device__ __forceinline__ unsigned countUp(unsigned *p, unsigned most) {
  unsigned was;
  asm volatile("fence.acq_rel.gpu;" ::: "memory");
  asm volatile("atom.relaxed.gpu.global.inc.u32 %0, [%1], %2;"
               : "=r"(was)
               : "l"(p), "r"(most)
               : "memory");
  asm volatile("fence.acq_rel.gpu;" ::: "memory");
  return was;
}
__device__ __forceinline__ uint64_t nanoseconds() {
  uint64_t t;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t));
  return t;
}

// Four 8 by 8 matrices of 16-bit elements; a lane gives the address of a row.
__device__ __forceinline__ void loadMatrices(unsigned *r, const void *p) {
  unsigned address = (unsigned)__cvta_generic_to_shared(p);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address));
}
__device__ __forceinline__ void loadMatricesTransposed(unsigned *r, const void *p) {
  unsigned address = (unsigned)__cvta_generic_to_shared(p);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address));
}

// An 8 by 8 matrix of 16-bit elements, two of a row a lane.
__device__ __forceinline__ unsigned transposed(unsigned m) {
  unsigned r;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(r) : "r"(m));
  return r;
}

__device__ __forceinline__ void mmaBf16(float *c, const unsigned *a, const unsigned *b) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
      "{%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ __forceinline__ void mmaF16(float *c, const unsigned *a, const unsigned *b) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ __forceinline__ unsigned tf32(float x) {
  unsigned r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(x));
  return r;
}
__device__ __forceinline__ void mmaTf32(float *c, const unsigned *a, const unsigned *b) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// 16 bytes from global to shared memory, beside other work; zeros where size is 0.
__device__ __forceinline__ void copyAsync(void *to, const void *from, int size) {
  unsigned address = (unsigned)__cvta_generic_to_shared(to);
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(size)
               : "memory");
}
__device__ __forceinline__ void commitCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int PENDING>
__device__ __forceinline__ void awaitCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}
