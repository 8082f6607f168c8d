// Reductions over a workgroup; every invocation gets the result. Not reentrant without the
// barrier at its end.
shared float parts[64];

float workgroupSum(float value) {
  float sum = subgroupAdd(value);
  if (gl_NumSubgroups == 1u) {
    return sum;
  }
  if (gl_SubgroupInvocationID == 0u) {
    parts[gl_SubgroupID] = sum;
  }
  barrier();
  sum = 0.0;
  for (uint i = 0; i < gl_NumSubgroups; i++) {
    sum += parts[i];
  }
  barrier();
  return sum;
}

float workgroupMax(float value) {
  float most = subgroupMax(value);
  if (gl_NumSubgroups == 1u) {
    return most;
  }
  if (gl_SubgroupInvocationID == 0u) {
    parts[gl_SubgroupID] = most;
  }
  barrier();
  most = parts[0];
  for (uint i = 1; i < gl_NumSubgroups; i++) {
    most = max(most, parts[i]);
  }
  barrier();
  return most;
}
