#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require

// Memory is reached by device address. Strides and offsets are in 32-bit words unless a name
// says bytes; a tensor may be larger than 4 GiB, a row may not.
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { uint d[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float d[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Ints { int d[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Vec4s { vec4 d[]; };

layout(local_size_x_id = 0, local_size_y = 1, local_size_z = 1) in;

uvec2 advance(uvec2 address, uint count, uint bytes) {
  uint high;
  uint low;
  umulExtended(count, bytes, high, low);
  uint carry;
  uint sum = uaddCarry(address.x, low, carry);
  return uvec2(sum, address.y + high + carry);
}

// Dispatches are folded over two dimensions, since one holds 65535 groups at least.
uint flatGroup() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }
uint flatThread() { return flatGroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x; }

float f16(uint bits) { return unpackHalf2x16(bits).x; }
float bf16(uint bits) { return uintBitsToFloat(bits << 16); }

// Round to nearest even, as the host does; NaN stays NaN.
uint toBf16(float value) {
  uint bits = floatBitsToUint(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return (bits >> 16) | 64u;
  }
  return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}

// packHalf2x16 may round either way; this rounds to nearest even and keeps Inf, NaN, subnormals.
uint toF16(float value) {
  uint bits = floatBitsToUint(value);
  uint sign = (bits >> 16) & 0x8000u;
  uint magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return sign | 0x7e00u;
  }
  if (magnitude >= 0x477ff000u) {
    return sign | 0x7c00u;
  }
  if (magnitude < 0x38800000u) {
    if (magnitude < 0x33000000u) {
      return sign;
    }
    uint shift = 126u - (magnitude >> 23);
    uint mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    uint half_ = mantissa >> shift;
    uint rest = mantissa & ((1u << shift) - 1u);
    uint middle = 1u << (shift - 1u);
    if (rest > middle || (rest == middle && (half_ & 1u) == 1u)) {
      half_++;
    }
    return sign | half_;
  }
  uint rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return sign | ((rounded - 0x38000000u) >> 13);
}

float tanhExact(float x) {
  float clamped = clamp(x, -15.0, 15.0);
  float e = exp(2.0 * clamped);
  return x != x ? x : (e - 1.0) / (e + 1.0);
}

float silu(float x) { return x / (1.0 + exp(-x)); }
float gelu(float x) {
  return 0.5 * x * (1.0 + tanhExact(0.79788456080286536 * x * (1.0 + 0.044715 * x * x)));
}
