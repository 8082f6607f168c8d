// Weight decoding. A row is a run of units of 16 values; a unit has two runs of 8 values that
// share their words: half 0 starts at firstOf(unit), half 1 SPAN8 * 8 later. Layouts are GGUF's.
#define TYPE_F32 0
#define TYPE_F16 1
#define TYPE_BF16 2
#define TYPE_Q8_0 3
#define TYPE_Q4_0 4
#define TYPE_Q4_1 5
#define TYPE_Q5_0 6
#define TYPE_Q5_1 7
#define TYPE_Q4_K 8
#define TYPE_Q5_K 9
#define TYPE_Q6_K 10
#define TYPE_Q2_K 11
#define TYPE_Q3_K 12
#define TYPE_IQ4_NL 13
#define TYPE_IQ4_XS 14
#define TYPE_MXFP4 15

#if TYPE == TYPE_F32 || TYPE == TYPE_F16 || TYPE == TYPE_BF16 || TYPE == TYPE_Q8_0
#define LOG_SPAN 0u
#elif TYPE == TYPE_Q4_K || TYPE == TYPE_Q5_K || TYPE == TYPE_Q2_K || TYPE == TYPE_Q3_K
#define LOG_SPAN 2u
#elif TYPE == TYPE_Q6_K
#define LOG_SPAN 3u
#else
#define LOG_SPAN 1u
#endif
#define SPAN8 (1u << LOG_SPAN)

// Rows of these types are whole words, since their blocks are. Rows of floats are whole 16 bytes
// where decode8 is used; decode1 takes any.
#if TYPE == TYPE_F32 || TYPE == TYPE_Q4_1 || TYPE == TYPE_Q5_1 || TYPE == TYPE_Q4_K \
    || TYPE == TYPE_Q5_K || TYPE == TYPE_Q2_K || TYPE == TYPE_IQ4_XS
#define WHOLE_WORDS
#endif

layout(buffer_reference, std430, buffer_reference_align = 16) buffer Quads { uvec4 d[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) buffer Pairs { uvec2 d[]; };

// First group of 8 of half 0 of a unit.
uint firstOf(uint unit) {
  return ((unit >> LOG_SPAN) << (LOG_SPAN + 1u)) | (unit & (SPAN8 - 1u));
}
// The unit and half that hold a group of 8.
uint unitOf(uint group8) {
  return ((group8 >> (LOG_SPAN + 1u)) << LOG_SPAN) | (group8 & (SPAN8 - 1u));
}
uint halfOf(uint group8) { return (group8 >> LOG_SPAN) & 1u; }

// A row: an address rounded down to a word and the bytes that were cut off.
struct Row {
  uvec2 address;
  Words words;
  uint skew;
};
Row rowAt(uvec2 address) {
#ifdef WHOLE_WORDS
  return Row(address, Words(address), 0u);
#else
  return Row(address, Words(uvec2(address.x & ~3u, address.y)), address.x & 3u);
#endif
}

uvec4 load128(Row row, uint byteOffset) { return Quads(row.address).d[byteOffset >> 4]; }
uvec2 load64(Row row, uint byteOffset) { return Pairs(row.address).d[byteOffset >> 3]; }

uint load32(Row row, uint byteOffset) {
#ifdef WHOLE_WORDS
  return row.words.d[byteOffset >> 2];
#else
  uint at = row.skew + byteOffset;
  uint word = at >> 2;
  uint shift = (at & 3u) * 8u;
  uint low = row.words.d[word];
  uint high = row.words.d[word + min(shift, 1u)];
  return shift == 0u ? low : (low >> shift) | (high << (32u - shift));
#endif
}
uint load16(Row row, uint byteOffset) {
  uint at = row.skew + byteOffset;
  return (row.words.d[at >> 2] >> ((at & 3u) * 8u)) & 0xffffu;
}
uint load8(Row row, uint byteOffset) {
  uint at = row.skew + byteOffset;
  return (row.words.d[at >> 2] >> ((at & 3u) * 8u)) & 0xffu;
}

vec4 bytesOf(uint word) {
  return vec4(word & 255u, (word >> 8) & 255u, (word >> 16) & 255u, word >> 24);
}
vec4 signedBytesOf(uint word) {
  ivec4 v = ivec4(int(word << 24), int(word << 16), int(word << 8), int(word)) >> 24;
  return vec4(v);
}
int signed8(uint value) { return int(value << 24) >> 24; }

#if TYPE == TYPE_F32
void decode8(Row row, uint unit, uint half_, out vec4 a, out vec4 b) {
  uint at = unit * 64u + half_ * 32u;
  a = uintBitsToFloat(load128(row, at));
  b = uintBitsToFloat(load128(row, at + 16u));
}
float decode1(Row row, uint k) { return uintBitsToFloat(row.words.d[k]); }
#elif TYPE == TYPE_F16 || TYPE == TYPE_BF16
void decode8(Row row, uint unit, uint half_, out vec4 a, out vec4 b) {
  uvec4 w = load128(row, unit * 32u + half_ * 16u);
#if TYPE == TYPE_F16
  a = vec4(unpackHalf2x16(w.x), unpackHalf2x16(w.y));
  b = vec4(unpackHalf2x16(w.z), unpackHalf2x16(w.w));
#else
  uvec4 low = w << 16;
  uvec4 high = w & 0xffff0000u;
  a = uintBitsToFloat(uvec4(low.x, high.x, low.y, high.y));
  b = uintBitsToFloat(uvec4(low.z, high.z, low.w, high.w));
#endif
}
float decode1(Row row, uint k) {
  uint bits = load16(row, k * 2u);
#if TYPE == TYPE_F16
  return f16(bits);
#else
  return bf16(bits);
#endif
}
#elif TYPE == TYPE_Q8_0
void decode8(Row row, uint unit, uint half_, out vec4 a, out vec4 b) {
  uint block = (unit >> 1) * 34u;
  uint at = block + 2u + (unit & 1u) * 16u + half_ * 8u;
  float d = f16(load16(row, block));
  a = d * signedBytesOf(load32(row, at));
  b = d * signedBytesOf(load32(row, at + 4u));
}
#elif TYPE == TYPE_Q4_0 || TYPE == TYPE_Q4_1
void decode8(Row row, uint unit, uint half_, out vec4 a, out vec4 b) {
#if TYPE == TYPE_Q4_0
  uint block = (unit >> 1) * 18u;
  uint at = block + 2u + (unit & 1u) * 8u;
  float d = f16(load16(row, block));
  float m = -8.0 * d;
#else
  uint block = (unit >> 1) * 20u;
  uint at = block + 4u + (unit & 1u) * 8u;
  vec2 dm = unpackHalf2x16(load32(row, block));
  float d = dm.x;
  float m = dm.y;
#endif
  uint shift = half_ * 4u;
  a = d * bytesOf((load32(row, at) >> shift) & 0x0f0f0f0fu) + m;
  b = d * bytesOf((load32(row, at + 4u) >> shift) & 0x0f0f0f0fu) + m;
}
#elif TYPE == TYPE_Q5_0 || TYPE == TYPE_Q5_1
// Bits 0..3 of a byte moved to bit 4 of four bytes.
uint fifthBits(uint bits) {
  return ((bits & 1u) << 4) | ((bits & 2u) << 11) | ((bits & 4u) << 18) | ((bits & 8u) << 25);
}
void decode8(Row row, uint unit, uint half_, out vec4 a, out vec4 b) {
#if TYPE == TYPE_Q5_0
  uint block = (unit >> 1) * 22u;
  uint head = block + 2u;
  float d = f16(load16(row, block));
  float m = -16.0 * d;
#else
  uint block = (unit >> 1) * 24u;
  uint head = block + 4u;
  vec2 dm = unpackHalf2x16(load32(row, block));
  float d = dm.x;
  float m = dm.y;
#endif
  uint at = head + 4u + (unit & 1u) * 8u;
  uint high = load32(row, head) >> ((unit & 1u) * 8u + half_ * 16u);
  uint shift = half_ * 4u;
  a = d * bytesOf(((load32(row, at) >> shift) & 0x0f0f0f0fu) | fifthBits(high)) + m;
  b = d * bytesOf(((load32(row, at + 4u) >> shift) & 0x0f0f0f0fu) | fifthBits(high >> 4)) + m;
}
#elif TYPE == TYPE_Q4_K || TYPE == TYPE_Q5_K
void decode8(Row row, uint unit, uint half_, out vec4 a, out vec4 b) {
#if TYPE == TYPE_Q4_K
  uint block = (unit >> 4) * 144u;
  uint quants = block + 16u;
#else
  uint block = (unit >> 4) * 176u;
  uint quants = block + 48u;
#endif
  uint pair = (unit >> 2) & 3u;
  uint part = (unit & 3u) * 8u;
  uint j = pair * 2u + half_;
  // The factors, then three words of packed 6-bit scales and minima.
  uvec4 head = load128(row, block);
  vec2 dm = unpackHalf2x16(head.x);
  uvec3 packed_ = head.yzw >> ((j & 3u) * 8u);
  bool low = j < 4u;
  uint scale = low ? packed_.x & 63u : (packed_.z & 15u) | ((packed_.x >> 2) & 48u);
  uint least = low ? packed_.y & 63u : ((packed_.z >> 4) & 15u) | ((packed_.y >> 2) & 48u);
  float d = dm.x * float(scale);
  float m = dm.y * float(least);
  uint at = quants + pair * 32u + part;
  uint shift = half_ * 4u;
  uvec2 q = (load64(row, at) >> shift) & 0x0f0f0f0fu;
#if TYPE == TYPE_Q5_K
  q |= ((load64(row, block + 16u + part) >> j) & 0x01010101u) << 4;
#endif
  a = d * bytesOf(q.x) - m;
  b = d * bytesOf(q.y) - m;
}
#elif TYPE == TYPE_Q6_K
void decode8(Row row, uint unit, uint half_, out vec4 a, out vec4 b) {
  uint block = (unit >> 4) * 210u;
  uint n = (unit >> 3) & 1u;
  uint which = (unit >> 2) & 1u;
  uint part = (unit & 3u) * 8u;
  uint low = block + n * 64u + which * 32u + part;
  uint high = block + 128u + n * 32u + part;
  uint shift = half_ * 4u;
  uint highShift = which * 2u + half_ * 4u;
  uint scaleAt = block + 192u + n * 8u + which * 2u + half_ * 4u + (part >> 4);
  float d = f16(load16(row, block + 208u)) * float(signed8(load8(row, scaleAt)));
  uint qa = ((load32(row, low) >> shift) & 0x0f0f0f0fu)
      | (((load32(row, high) >> highShift) & 0x03030303u) << 4);
  uint qb = ((load32(row, low + 4u) >> shift) & 0x0f0f0f0fu)
      | (((load32(row, high + 4u) >> highShift) & 0x03030303u) << 4);
  a = d * (bytesOf(qa) - 32.0);
  b = d * (bytesOf(qb) - 32.0);
}
#elif TYPE == TYPE_Q2_K || TYPE == TYPE_Q3_K
void decode8(Row row, uint unit, uint half_, out vec4 a, out vec4 b) {
  uint n = (unit >> 3) & 1u;
  uint j = ((unit >> 2) & 1u) * 2u + half_;
  uint part = (unit & 3u) * 8u;
  uint index = n * 8u + j * 2u + (part >> 4);
#if TYPE == TYPE_Q2_K
  uint block = (unit >> 4) * 84u;
  uint at = block + 16u + n * 32u + part;
  uint scales = load8(row, block + index);
  vec2 dm = unpackHalf2x16(load32(row, block + 80u));
  float d = dm.x * float(scales & 15u);
  float m = dm.y * float(scales >> 4);
  a = d * bytesOf((load32(row, at) >> (2u * j)) & 0x03030303u) - m;
  b = d * bytesOf((load32(row, at + 4u) >> (2u * j)) & 0x03030303u) - m;
#else
  uint block = (unit >> 4) * 110u;
  uint at = block + 32u + n * 32u + part;
  uint low = load8(row, block + 96u + (index & 7u));
  low = index < 8u ? low & 15u : low >> 4;
  uint high = (load8(row, block + 104u + (index & 3u)) >> (2u * (index >> 2))) & 3u;
  float d = f16(load16(row, block + 108u)) * float(int(low | (high << 4)) - 32);
  uint bit = 4u * n + j;
  uint ha = (load32(row, block + part) >> bit) & 0x01010101u;
  uint hb = (load32(row, block + part + 4u) >> bit) & 0x01010101u;
  a = d * (bytesOf(((load32(row, at) >> (2u * j)) & 0x03030303u) | (ha << 2)) - 4.0);
  b = d * (bytesOf(((load32(row, at + 4u) >> (2u * j)) & 0x03030303u) | (hb << 2)) - 4.0);
#endif
}
#else
#if TYPE == TYPE_MXFP4
const float TABLE[16] = float[16](0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 0.0, -1.0, -2.0, -3.0,
    -4.0, -6.0, -8.0, -12.0);
#else
const float TABLE[16] = float[16](-127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0,
    13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0);
#endif
vec4 lookup(uint q) {
  return vec4(TABLE[q & 15u], TABLE[(q >> 8) & 15u], TABLE[(q >> 16) & 15u],
      TABLE[(q >> 24) & 15u]);
}
void decode8(Row row, uint unit, uint half_, out vec4 a, out vec4 b) {
#if TYPE == TYPE_IQ4_NL
  uint block = (unit >> 1) * 18u;
  uint at = block + 2u + (unit & 1u) * 8u;
  float d = f16(load16(row, block));
#elif TYPE == TYPE_MXFP4
  uint block = (unit >> 1) * 17u;
  uint at = block + 1u + (unit & 1u) * 8u;
  // The table holds twice the E2M1 values, so the scale is 2^(e - 128).
  uint e = load8(row, block);
  float d = uintBitsToFloat(e < 2u ? 0x00200000u << e : (e - 1u) << 23);
#else
  uint block = (unit >> 4) * 136u;
  uint ib = (unit >> 1) & 7u;
  uint at = block + 8u + ib * 16u + (unit & 1u) * 8u;
  uint low = (load8(row, block + 4u + (ib >> 1)) >> (4u * (ib & 1u))) & 15u;
  uint high = (load16(row, block + 2u) >> (2u * ib)) & 3u;
  float d = f16(load16(row, block)) * float(int(low | (high << 4)) - 32);
#endif
  uint shift = half_ * 4u;
  a = d * lookup(load32(row, at) >> shift);
  b = d * lookup(load32(row, at + 4u) >> shift);
}
#endif
