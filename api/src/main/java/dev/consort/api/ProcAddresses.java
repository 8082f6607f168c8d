// SPDX-License-Identifier: Apache-2.0
package dev.consort.api;

import java.util.List;

/** The standard optional capabilities, each with what the host does where it is absent. */
@Stable(since = "1.0")
public final class ProcAddresses {
  private ProcAddresses() {}

  /** Fallback: one {@link Backend#set} a row. */
  public static final ProcAddress<SetTensor2d> SET_TENSOR_2D_ASYNC =
      new ProcAddress<>("set_tensor_2d_async", 1, SetTensor2d.class);

  /** Fallback: one {@link Backend#get} a row. */
  public static final ProcAddress<GetTensor2d> GET_TENSOR_2D_ASYNC =
      new ProcAddress<>("get_tensor_2d_async", 1, GetTensor2d.class);

  /** Fallback: {@link Backend#get} and {@link Backend#set} through host memory. */
  public static final ProcAddress<CopyTensor> COPY_TENSOR_ASYNC =
      new ProcAddress<>("copy_tensor_async", 1, CopyTensor.class);

  /** Fallback: the host's own collectives over copies, additions and host memory. */
  public static final ProcAddress<CommInit> COMM_INIT =
      new ProcAddress<>("comm_init", 1, CommInit.class);

  /** Fallback: ordinary host memory. */
  public static final ProcAddress<HostBufferType> HOST_BUFFER_TYPE =
      new ProcAddress<>("host_buffer_type", 1, HostBufferType.class);

  /** Fallback: allocate and {@link Backend#set}. */
  public static final ProcAddress<BufferFromHostPtr> BUFFER_FROM_HOST_PTR =
      new ProcAddress<>("buffer_from_host_ptr", 1, BufferFromHostPtr.class);

  /** Fallback: weights lie in {@link Device#bufferType()}, in the layout of their data type. */
  public static final ProcAddress<ExtraBufferTypes> EXTRA_BUFFER_TYPES =
      new ProcAddress<>("extra_buffer_types", 1, ExtraBufferTypes.class);

  /** Fallback: the host submits only when the foreign event is done. */
  public static final ProcAddress<HostSignal> HOST_SIGNAL =
      new ProcAddress<>("host_signal", 1, HostSignal.class);

  /** Fallback: the device's own choice. */
  public static final ProcAddress<SetThreads> SET_N_THREADS =
      new ProcAddress<>("set_n_threads", 1, SetThreads.class);

  /** Fallback: nothing is listed. */
  public static final ProcAddress<GetFeatures> GET_FEATURES =
      new ProcAddress<>("get_features", 1, GetFeatures.class);

  /** All of them, in the order of the matrix. */
  public static List<ProcAddress<?>> all() {
    return List.of(
        SET_TENSOR_2D_ASYNC,
        GET_TENSOR_2D_ASYNC,
        COPY_TENSOR_ASYNC,
        COMM_INIT,
        HOST_BUFFER_TYPE,
        BUFFER_FROM_HOST_PTR,
        EXTRA_BUFFER_TYPES,
        HOST_SIGNAL,
        SET_N_THREADS,
        GET_FEATURES);
  }
}
